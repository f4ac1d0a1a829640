"""The real Triton server, taken from a Python wheel, without a container and without a GPU."""

from e2e.rig.triton.install import TritonInstall, TritonUnavailableError, ensure_triton

__all__ = ["TritonInstall", "TritonUnavailableError", "ensure_triton"]
