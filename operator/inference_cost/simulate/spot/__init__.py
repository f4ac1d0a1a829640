"""Replicas on spot and on-demand capacity under a placement rule, in a market that takes whole zones away."""
