"""A cluster of their own for tests that run whole operators: these look at every policy there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient

CRDS = sorted(Path("crds").glob("*.yaml"))


@pytest.fixture(scope="module")
def own_kube(own_cluster: Cluster) -> Iterator[KubeClient]:
    with KubeClient(own_cluster.kubeconfig) as client:
        client.apply_files(*CRDS)
        yield client
