"""Two workloads behind one Service: the cheaper mix, and what happens when the cloud takes a part of it back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import yaml

from e2e.rig.kube import Manifest, wait_for
from e2e.rig.providers import Capability
from e2e.scenarios.installation import succeeded
from e2e.scenarios.kubectl_table import columns
from e2e.scenarios.live import LiveFleet, live_fleet, stack_of
from e2e.scenarios.scene import Scene
from e2e.scenarios.start import NODE_PRICE, SPOT_PRICE, TICK_SECONDS
from e2e.scenarios.targets import POLICY_KIND, POLICY_VERSION

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES)

PER_SECOND = 60.0  # no more than the minimum carries: the number stays
REPLICAS = 2
MOVED_WITHIN_SECONDS = 90.0
NOTICE_SECONDS = 10.0
POOLS = {"listed": NODE_PRICE, "spot": SPOT_PRICE}
SAFE, SPOT = "sleepy", "sleepy-spot"


def test_the_cheaper_pool_and_back(scene: Scene) -> None:
    """A fleet, split as the CLI prints it, moves to spot without a gap; what is taken back is replaced in time."""
    with _capacity_pools(scene):
        fleet = live_fleet(scene, name=SAFE, replicas=REPLICAS)
        fleet.deploy(mode="Enforce", minimum=REPLICAS, maximum=6)
        fleet.wait_ready(REPLICAS)
        load = fleet.load(fleet.balance(), per_second=PER_SECOND, seconds=240, name="base")
        _split(scene)
        wait_for(
            lambda: _none_missing(scene) and scene.replicas(SAFE) == 0,
            timeout_seconds=2 * MOVED_WITHIN_SECONDS,
            what="all to run on spot",
        )
        _assert_told_on_spot(scene)
        _assert_replaced_in_time(scene, fleet)
        load.fail_if_ended()


def _assert_replaced_in_time(scene: Scene, fleet: LiveFleet) -> None:
    victims = _nodes(scene)
    with ThreadPoolExecutor(len(victims)) as pool:
        taken = [pool.submit(_reclaim, scene, node) for node in victims]
        scene.wait_replicas(SAFE, REPLICAS, within=TICK_SECONDS + 2)
        assert _ready(scene, SPOT) == REPLICAS, "the notice is answered while they serve"
        _wait_ready(scene, SAFE, REPLICAS, NOTICE_SECONDS)
        for one in taken:
            one.result()
    scene.wait_replicas(SPOT, 0)
    assert _variants(scene)["spot"]["awayUntil"]
    assert "No more are asked of spot" in scene.status(fleet.name)["decision"]["message"]


def _split(scene: Scene) -> None:
    """What a team would commit and apply."""
    printed = succeeded(
        scene.installation.kubectl(
            *("inference-cost", "split", f"deploy/{SAFE}", "--pools", ",".join(POOLS)),
            *("-n", scene.namespace),
        )
    )
    scene.kube.apply(*yaml.safe_load_all(printed))


@contextmanager
def _capacity_pools(scene: Scene) -> Iterator[None]:
    """They belong to no namespace."""
    for name, price in POOLS.items():
        selector = {"matchLabels": {"karpenter.sh/nodepool": name}}
        offering = {"instanceType": "g6.xlarge", "perNodeHour": str(price)}
        scene.kube.apply(
            {
                "apiVersion": POLICY_VERSION,
                "kind": "CapacityPool",
                "metadata": {"name": name},
                "spec": {"nodeSelector": selector, "offerings": [offering]},
            }
        )
    try:
        yield
    finally:
        for name in POOLS:
            scene.kube.delete(POLICY_VERSION, "CapacityPool", name)


def _ready(scene: Scene, name: str) -> int:
    return int(scene.object(name).get("status", {}).get("readyReplicas", 0))


def _wait_ready(scene: Scene, name: str, replicas: int, within: float) -> None:
    wait_for(
        lambda: _ready(scene, name) >= replicas,
        timeout_seconds=within,
        what=f"{replicas} replicas of {name}",
    )


def _none_missing(scene: Scene) -> bool:
    """Made before broken: read in this order, as one grows before the other shrinks."""
    safe = _ready(scene, SAFE)
    spot = _ready(scene, SPOT)
    assert safe + spot >= REPLICAS, (safe, spot)
    return True


def _variants(scene: Scene) -> dict[str, Manifest]:
    found = scene.kube.get(POLICY_VERSION, POLICY_KIND, SAFE, namespace=scene.namespace)
    return {one["name"]: one for one in found["status"]["variants"]}


def _assert_told_on_spot(scene: Scene) -> None:
    """In the status: the price of a replica, how often a zone is lost, and what it saves."""
    spot = wait_for(
        lambda: one if (one := _variants(scene)["spot"])["ready"] == REPLICAS else None,
        timeout_seconds=15,
        what="the status to tell of spot",
    )
    assert spot["perReplicaHour"] == str(SPOT_PRICE)
    assert float(spot["lossesPerHour"]) > 0
    message = scene.status(SAFE)["decision"]["message"]
    assert "All on what cannot be taken away would cost" in message, message
    cells = wait_for(
        lambda: one if (one := _pool_cells(scene, "spot"))["PODS"] == str(REPLICAS) else None,
        timeout_seconds=30,
        what="the pool to tell of the pods on it",
    )
    assert cells["PRICE/H"] == str(SPOT_PRICE), cells
    assert int(cells["NODES"]) >= REPLICAS, cells
    assert cells["SCARCE"] == "False", cells
    assert {placed["pool"] for placed in scene.status(SAFE)["placement"]} >= {"spot"}


def _pool_cells(scene: Scene, name: str) -> dict[str, str]:
    """Of `kubectl get cpool`; written after the policies' statuses, and not at every tick."""
    return columns(succeeded(scene.installation.kubectl("get", "cpool", name)))


def _nodes(scene: Scene) -> list[str]:
    """Under the replicas on spot."""
    pods = scene.kube.list("v1", "Pod", namespace=scene.namespace)
    variant = "inferencecost.dev/variant"
    return [p["spec"]["nodeName"] for p in pods if p["metadata"]["labels"].get(variant) == "spot"]


def _reclaim(scene: Scene, node: str) -> None:
    stack = stack_of(scene)
    stack.nodes.call(stack.provisioner.reclaim(node, notice_seconds=NOTICE_SECONDS))
