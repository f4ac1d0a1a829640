"""Scenarios in which real Karpenter buys the nodes that the operator's replicas run on."""
