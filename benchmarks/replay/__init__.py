"""Replays the development traces and makes the figures of `docs/benchmarks.md`: `python -m benchmarks.replay`."""
