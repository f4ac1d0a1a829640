"""helm and kubeconform, built from pinned sources, and what helm renders."""

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from e2e.rig.binaries import Binaries, ensure
from e2e.rig.cluster import Cluster

CHART = "charts/inference-cost-operator"
RELEASE, NAMESPACE = "inference-cost-operator", "inference-cost"

Manifest = dict[str, Any]
Helm = Callable[..., str]
Render = Callable[..., list[Manifest]]


class HelmError(RuntimeError):
    """What helm said."""


@pytest.fixture(scope="session")
def tools() -> Binaries:
    return ensure("helm", "kubeconform")


@pytest.fixture(scope="session")
def helm(tools: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Run helm with a home of its own; `cluster` names the one to talk to."""
    home = str(tmp_path_factory.mktemp("helm"))
    folders = {f"HELM_{kind}_HOME": home for kind in ("CACHE", "CONFIG", "DATA")}

    def run(*arguments: str, values: Manifest | None = None, cluster: Cluster | None = None) -> str:
        environment = {"PATH": os.defpath, "HOME": home, **folders}
        if cluster is not None:
            environment["KUBECONFIG"] = str(cluster.kubeconfig)
        extra = ("--values", "-") if values is not None else ()
        done = subprocess.run(
            [str(tools["helm"]), *arguments, *extra],
            env=environment,
            input=json.dumps(values or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise HelmError(done.stderr)
        return done.stdout

    return run


@pytest.fixture(scope="session")
def render(helm: Helm) -> Render:
    """The manifests for some values, as the API server would get them."""

    def manifests(values: Manifest | None = None) -> list[Manifest]:
        text = helm("template", RELEASE, CHART, "--namespace", NAMESPACE, values=values or {})
        return [document for document in yaml.safe_load_all(text) if document]

    return manifests
