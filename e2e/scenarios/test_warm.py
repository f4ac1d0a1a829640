"""A node that is kept ready: taken by a replica at once, ordered anew, paid for by the pool, and let go."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from e2e.rig.kube import Manifest, wait_for
from e2e.rig.providers import Capability
from e2e.rig.stack import OPERATOR_NAMESPACE
from e2e.scenarios.installation import succeeded
from e2e.scenarios.kubectl_table import columns
from e2e.scenarios.live import live_fleet
from e2e.scenarios.scene import Scene
from e2e.scenarios.start import KEPT_BOOT_SECONDS, KEPT_PRICE, TICK_SECONDS
from e2e.scenarios.targets import POLICY_VERSION

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES)

POOL, PLACEHOLDERS = "kept", "warm-kept"
TAKEN_WITHIN_SECONDS = 2.0
FREE_WITHIN_SECONDS = KEPT_BOOT_SECONDS + 4 * TICK_SECONDS + 10


def test_a_free_node_is_taken_at_once_and_ordered_anew(scene: Scene) -> None:
    """A replica takes a node kept ready within 2 s, another is kept in its place; the pool pays, no policy."""
    with _pool(scene):
        fleet = live_fleet(scene, name="sleepy-kept", pool=POOL)
        fleet.deploy(mode="Enforce", minimum=1, maximum=3)
        _wait_shown(scene, "1/1")
        (kept,) = _nodes(scene, OPERATOR_NAMESPACE)
        fleet.wait_ready()
        _assert_on_the_pools_line(scene, fleet.name)
        scene.edit(fleet.name, minReplicas=2)
        assert _seconds_until_taken(scene, kept) <= TAKEN_WITHIN_SECONDS
        wait_for(
            lambda: _warm(scene)["usesPerDay"] == 1,
            timeout_seconds=4 * TICK_SECONDS,
            what="the use to be counted",
        )
        _wait_shown(scene, "1/1")
        assert kept not in _nodes(scene, OPERATOR_NAMESPACE)
        _assert_told_of_others(scene)
        _assert_let_go(scene)


@contextmanager
def _pool(scene: Scene) -> Iterator[None]:
    """It belongs to no namespace."""
    labels = {"karpenter.sh/nodepool": POOL, "karpenter.sh/capacity-type": "on-demand"}
    scene.kube.apply(
        {
            "apiVersion": POLICY_VERSION,
            "kind": "CapacityPool",
            "metadata": {"name": POOL},
            "spec": {
                "nodeSelector": {"matchLabels": labels},
                "offerings": [{"instanceType": "g6.2xlarge", "perNodeHour": str(KEPT_PRICE)}],
                "warm": {"min": 1, "max": 2},
            },
        }
    )
    try:
        yield
    finally:
        scene.kube.delete(POLICY_VERSION, "CapacityPool", POOL)


def _warm(scene: Scene) -> Manifest:
    found = scene.kube.get(POLICY_VERSION, "CapacityPool", POOL)
    warm: Manifest = found.get("status", {}).get("warm", {})
    return warm


def _wait_shown(scene: Scene, shown: str) -> None:
    """As `kubectl get cpool` shows it."""

    def cell() -> str:
        return columns(succeeded(scene.installation.kubectl("get", "cpool", POOL)))["WARM"]

    wait_for(
        lambda: cell() == shown,
        timeout_seconds=FREE_WITHIN_SECONDS,
        what=f"{shown} warm nodes: {_warm(scene)}",
    )


def _pods(scene: Scene, namespace: str) -> list[Manifest]:
    pods = scene.kube.list("v1", "Pod", namespace=namespace)
    return [pod for pod in pods if POOL in pod["spec"].get("nodeSelector", {}).values()]


def _nodes(scene: Scene, namespace: str) -> set[str]:
    """That pods of a namespace hold in the pool."""
    named = (pod["spec"].get("nodeName", "") for pod in _pods(scene, namespace))
    return {name for name in named if name}


def _assert_on_the_pools_line(scene: Scene, policy: str) -> None:
    wait_for(
        lambda: scene.status(policy).get("cost", {}).get("perHour") == str(KEPT_PRICE),
        timeout_seconds=30,
        what="the policy to pay for one node",
    )
    assert Decimal(_warm(scene)["perHour"]) == KEPT_PRICE
    assert "no more than `min`" in _warm(scene)["message"]


def _seconds_until_taken(scene: Scene, node: str) -> float:
    """From the first sight of another replica until it is bound to the node."""
    first = wait_for(
        lambda: time.monotonic() if len(_pods(scene, scene.namespace)) > 1 else None,
        timeout_seconds=10,
        what="another replica",
    )
    wait_for(
        lambda: node in _nodes(scene, scene.namespace), timeout_seconds=10, what="it on the node"
    )
    return time.monotonic() - first


def _assert_told_of_others(scene: Scene) -> None:
    """A pod that belongs to no policy may take the node, and is named as such."""
    foreign: Manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "somebody-else"},
        "spec": {
            "nodeSelector": {"karpenter.sh/nodepool": POOL},
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "main",
                    "image": "pause",
                    "resources": {"limits": {"nvidia.com/gpu": "1"}},
                }
            ],
        },
    }
    scene.apply(foreign)
    wait_for(
        lambda: _warm(scene).get("usedByOthers") == 1,
        timeout_seconds=4 * TICK_SECONDS,
        what="the node that somebody else took",
    )


def _assert_let_go(scene: Scene) -> None:
    """More and fewer as the pool asks, and none when it asks for none."""
    _edit(scene, {"min": 2})
    wait_for(
        lambda: (
            scene.kube.get("apps/v1", "Deployment", PLACEHOLDERS, namespace=OPERATOR_NAMESPACE)[
                "spec"
            ]["replicas"]
            == 2
        ),
        timeout_seconds=4 * TICK_SECONDS,
        what="two placeholders to be asked for",
    )
    _edit(scene, None)
    wait_for(
        lambda: (
            scene.kube.find("apps/v1", "Deployment", PLACEHOLDERS, namespace=OPERATOR_NAMESPACE)
            is None
            and not _pods(scene, OPERATOR_NAMESPACE)
        ),
        timeout_seconds=4 * TICK_SECONDS + 5,
        what="the placeholders to go",
    )


def _edit(scene: Scene, warm: Manifest | None) -> None:
    scene.kube.merge(POLICY_VERSION, "CapacityPool", POOL, {"spec": {"warm": warm}})
