"""Process nodes on the shared cluster, and the programs that stand for test images."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, KubeError
from e2e.rig.process_node.background import ProcessNodes
from e2e.rig.process_node.images import default_images, python_program
from e2e.rig.process_node.node_object import NodeSpec
from tests.integration.process_node.pods import NODE_SELECTOR, TAINT, Pods

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="session")
def nodes(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessNodes]:
    """Process nodes of the tests' images: one node with GPUs for everything."""
    images = default_images()
    for program in PROGRAMS.glob("*.py"):
        images = images.with_program(program.stem, python_program(str(program)))
    with ProcessNodes.start(
        kubeconfig=cluster.rig_kubeconfig,
        pods=cluster.pods,
        state_folder=tmp_path_factory.mktemp("nodes"),
        images=images,
        restart_backoff_seconds=1,
        volume_refresh_seconds=1,
    ) as running:
        running.add(NodeSpec(name="process-tests", labels=NODE_SELECTOR, taints=[TAINT], gpus=8))
        wait_until_schedulable(cluster, "process-tests")
        yield running
        running.remove("process-tests")


@pytest.fixture
def namespace(kube: KubeClient) -> Iterator[str]:
    """A namespace with its service account and CA, removed afterwards."""
    name = f"process-{uuid.uuid4().hex[:8]}"
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        account = kube.find("v1", "ServiceAccount", "default", namespace=name)
        authority = kube.find("v1", "ConfigMap", "kube-root-ca.crt", namespace=name)
        if account and authority:
            break
        time.sleep(0.05)
    yield name
    kube.delete("v1", "Namespace", name)


@pytest.fixture
def pods(kube: KubeClient, namespace: str) -> Pods:
    return Pods(kube, namespace)


def wait_until_schedulable(cluster: Cluster, node: str) -> None:
    """The API server taints a new node as not ready; the node controller takes that away."""
    deadline = time.monotonic() + 10
    with KubeClient(cluster.kubeconfig) as kube:
        while time.monotonic() < deadline:
            taints = kube.get("v1", "Node", node)["spec"].get("taints") or []
            if all(taint["key"] != "node.kubernetes.io/not-ready" for taint in taints):
                return
            time.sleep(0.05)
    raise KubeError("wait", 0, f"node {node} stays not ready")
