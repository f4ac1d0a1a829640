"""Real Karpenter on a bundled cluster: it buys nodes, which kwok simulates."""
