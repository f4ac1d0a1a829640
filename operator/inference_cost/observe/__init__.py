"""Reads the world into a `Snapshot`: cluster cache, Prometheus, Triton. Writes nothing."""
