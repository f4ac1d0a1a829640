"""Records what the real HorizontalPodAutoscaler and the real KEDA do on one metric series.

The recordings (tests/fixtures/autoscalers) show that the rules in `simulate/baselines` are theirs.
"""
