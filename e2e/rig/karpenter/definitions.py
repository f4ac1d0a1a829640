"""Karpenter's CustomResourceDefinitions, taken from its Go module and kept beside the program."""

import shutil
from pathlib import Path

from e2e.rig.binaries import ensure
from e2e.rig.go_module import module_folder
from e2e.rig.kube import Manifest, load_manifests

MODULE = "sigs.k8s.io/karpenter"
_FOLDERS = ("kwok/charts/crds", "kwok/apis/crds")


def definitions() -> list[Manifest]:
    """NodePool, NodeClaim, NodeOverlay and KWOKNodeClass, of the version that was built."""
    kept = ensure("karpenter")["karpenter"].parent / "definitions"
    if not kept.exists():
        _keep(kept)
    return load_manifests(sorted(kept.glob("*.yaml")))


def _keep(kept: Path) -> None:
    module = module_folder("karpenter", MODULE)
    partial = kept.with_name(f".{kept.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for file in (f for folder in _FOLDERS for f in (module / folder).glob("*.yaml")):
        (partial / file.name).write_bytes(file.read_bytes())
    partial.rename(kept)
