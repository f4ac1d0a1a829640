"""What one replica can carry, learned while it serves."""
