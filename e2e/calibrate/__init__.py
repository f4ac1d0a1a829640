"""Records how a real Triton batches and sets the simulation beside it (docs/batching.md)."""
