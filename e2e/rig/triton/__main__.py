"""`python -m e2e.rig.triton`: installs Triton and prints the folder of its command."""

from e2e.rig.triton import ensure_triton

print(ensure_triton().command_folder)
