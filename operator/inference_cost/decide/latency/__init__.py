"""How late one replica is at a load, by the way in which Triton forms batches."""
