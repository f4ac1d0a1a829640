"""Models that the rig's Triton servers run."""
