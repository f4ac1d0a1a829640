"""The provisioner on a real scheduler: nodes come for pods and go when empty."""

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from e2e.rig.kube import Manifest, wait_for
from e2e.rig.process_node.background import ProcessNodes
from e2e.rig.provisioner import (
    NodePool,
    PoolFile,
    Provisioner,
    ProvisionerSettings,
    StaticNode,
)
from e2e.rig.provisioner.background import provisioning
from e2e.rig.provisioner.lifetimes import read_lifetimes
from tests.integration.process_node.pods import TOLERATIONS, Pods, is_ready, workload

TAINT = {"key": "tests.inferencecost.dev/process-node", "effect": "NoSchedule"}
BOOT_SECONDS = 1.0
EMPTY_SECONDS = 1.0


def pool(name: str, price: str, **more: object) -> NodePool:
    fields = {"instanceType": "g5.xlarge", "bootDelaySeconds": BOOT_SECONDS, "taints": [TAINT]}
    return NodePool.model_validate({"name": name, "pricePerHour": price, **fields, **more})


POOLS = PoolFile(
    pools=(
        pool("dear", "1.006"),
        pool("cheap", "0.4", capacityType="spot", maxNodes=1),
        pool(
            "simulated",
            "0.1",
            kind="kwok",
            labels={"only": "simulated"},
            taints=[TAINT, {"key": "simulated", "effect": "NoSchedule"}],
        ),
    ),
    static_nodes=(StaticNode(name="static-cpu", labels={"tests.inferencecost.dev/static": "1"}),),
)


@pytest.fixture
def lifetimes_file(tmp_path: Path) -> Path:
    return tmp_path / "node-lifetimes.csv"


@pytest.fixture
def provisioner(nodes: ProcessNodes, lifetimes_file: Path) -> Iterator[Provisioner]:
    settings = ProvisionerSettings(
        pools=POOLS, lifetimes_file=lifetimes_file, empty_seconds=EMPTY_SECONDS
    )
    with provisioning(nodes, settings) as running:
        yield running
        wait_for(lambda: not running.managed, timeout_seconds=20, what="all nodes to be gone")
    nodes.remove("static-cpu")


def gpu_pod(name: str) -> Manifest:
    limits = {"limits": {"nvidia.com/gpu": "1"}}
    pod = workload(name, "graceful", resources=limits)
    pod["spec"]["nodeSelector"] = {"nvidia.com/gpu.product": "NVIDIA-A10G"}
    return pod


def test_cheapest_pool_first_one_node_per_pod_and_empty_nodes_go(
    provisioner: Provisioner, pods: Pods, lifetimes_file: Path
) -> None:
    created = time.time()
    for name in ("one", "two"):
        pods.create(gpu_pod(name))
    bound = [pods.wait(name, is_ready, "runs") for name in ("one", "two")]
    took = time.time() - created

    assert BOOT_SECONDS <= took < BOOT_SECONDS + 6
    assert sorted(node.pool.name for node in provisioner.managed.values()) == ["cheap", "dear"]
    names = {pod["spec"]["nodeName"] for pod in bound}
    assert names == set(provisioner.managed)
    labels = pods.kube.get("v1", "Node", bound[0]["spec"]["nodeName"])["metadata"]["labels"]
    assert labels["karpenter.sh/nodepool"] in {"cheap", "dear"}
    assert labels["node.kubernetes.io/instance-type"] == "g5.xlarge"
    assert labels["inferencecost.dev/node-kind"] == "process"

    for name in ("one", "two"):
        pods.delete(name)
    wait_for(lambda: not provisioner.managed, timeout_seconds=20, what="empty nodes to go")
    listed = {node["metadata"]["name"] for node in pods.kube.list("v1", "Node")}
    assert not names & listed

    lives = {life.node: life for life in read_lifetimes(lifetimes_file)}
    assert set(lives) == {*names, "static-cpu"}
    for name in names:
        life = lives[name]
        assert life.ready is not None
        assert life.deleted is not None
        assert life.ready - life.created >= BOOT_SECONDS
        assert life.deleted - life.ready >= EMPTY_SECONDS
        lived = Decimal(life.deleted - life.created)
        assert life.cost(start=0, end=created + 3600) == life.price_per_hour * lived / 3600
    assert lives["static-cpu"].deleted is None


def test_simulated_node_for_a_pod_that_tolerates_it(provisioner: Provisioner, pods: Pods) -> None:
    pod = gpu_pod("fake")
    pod["spec"]["nodeSelector"] = {"only": "simulated"}
    pod["spec"]["tolerations"] = [*TOLERATIONS, {"key": "simulated", "operator": "Exists"}]
    pods.create(pod)
    bound = pods.wait("fake", is_ready, "is simulated")
    assert bound["spec"]["nodeName"].startswith("simulated-")
    assert len(provisioner.managed) == 1
    pods.delete("fake")


def test_reclaimed_spot_node_is_gone_after_its_notice_and_replaced(
    provisioner: Provisioner, pods: Pods, nodes: ProcessNodes
) -> None:
    pods.create(gpu_pod("victim"))
    victim = pods.wait("victim", is_ready, "runs")["spec"]["nodeName"]
    nodes.call(provisioner.reclaim(victim, notice_seconds=0.5))
    assert victim not in provisioner.managed
    assert pods.kube.find("v1", "Node", victim) is None
    pods.wait_gone("victim")
