"""Which replicas go: those that leave a node empty, for nodes are what is paid for."""

import time

import pytest

from e2e.rig.kube import KubeClient, KubeError, Manifest, wait_for
from e2e.rig.providers import Capability
from e2e.rig.stack import OPERATOR_NAMESPACE, RELEASE
from e2e.scenarios.audit import Request
from e2e.scenarios.installation import OPERATOR_USER
from e2e.scenarios.live import live_fleet, stack_of
from e2e.scenarios.scene import Scene
from e2e.scenarios.stories import Stories

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG)

NAME = "sleepy"
COST = "controller.kubernetes.io/pod-deletion-cost"


def a_node_is_left_empty(scene: Scene) -> None:
    """Two replicas on one node and one on another: Kubernetes alone removes one of the two."""
    fleet = live_fleet(scene, name=NAME, replicas=1, pool="paired")
    fleet.deploy(mode="Enforce", minimum=1, maximum=6)
    fleet.wait_ready(1)
    _hold(scene, 3)
    fleet.wait_ready(3)
    before = _by_node(scene)
    assert sorted(map(len, before.values())) == [1, 2], before
    alone = next(node for node, pods in before.items() if len(pods) == 1)

    _hold(scene, 2)
    wait_for(lambda: len(_pods(scene)) == 2, timeout_seconds=30, what="one to go")
    assert _by_node(scene) == {node: pods for node, pods in before.items() if node != alone}
    assert COST not in str(_pods(scene)), "whoever stays is not marked"
    stack = stack_of(scene)
    wait_for(lambda: alone not in stack.nodes.names, timeout_seconds=30, what=f"{alone} to be gone")

    assert len(_marked(scene, since=scene.began_at)) == 1, "the one that was to go, and nobody else"
    _assert_nothing_else_is_allowed(scene)

    _hold(scene, 3)
    fleet.wait_ready(3)
    mark = {"metadata": {"annotations": {COST: "7"}}}
    scene.kube.merge(
        "v1", "Pod", _pods(scene)[0]["metadata"]["name"], mark, namespace=scene.namespace
    )
    asked_at = time.time()
    _hold(scene, 2)
    wait_for(lambda: len(_pods(scene)) == 2, timeout_seconds=30, what="one to go")
    assert not _marked(scene, since=asked_at), "somebody else orders these pods"


def _assert_nothing_else_is_allowed(scene: Scene) -> None:
    """With the operator's account, which may patch pods."""
    cluster, pod = stack_of(scene).cluster, _pods(scene)[0]
    name = pod["metadata"]["name"]
    image = [one | {"image": "somebody/elses:1"} for one in pod["spec"]["containers"]]
    refused: dict[str, Manifest] = {
        "what a pod runs": {"spec": {"containers": image}},
        "labels": {"metadata": {"labels": {"app": "another"}}},
        "annotations": {"metadata": {"annotations": {"else": "1"}}},
    }
    account = cluster.service_account_kubeconfig(RELEASE, namespace=OPERATOR_NAMESPACE)
    with KubeClient(account) as operator:
        for why, patch in refused.items():
            with pytest.raises(KubeError, match=why):
                operator.merge("v1", "Pod", name, patch, namespace=scene.namespace)


def _hold(scene: Scene, replicas: int) -> None:
    scene.annotate(NAME, paused_replicas=str(replicas))


def _pods(scene: Scene) -> list[Manifest]:
    """That stay."""
    pods = scene.kube.list("v1", "Pod", namespace=scene.namespace)
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def _by_node(scene: Scene) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pod in _pods(scene):
        found.setdefault(pod["spec"]["nodeName"], set()).add(pod["metadata"]["name"])
    return found


def _marked(scene: Scene, *, since: float) -> list[Request]:
    """What the operator wrote to the pods of the scene."""
    audit = scene.installation.audit
    assert audit is not None
    requests = audit.requests(OPERATOR_USER, since=since)
    return [
        one
        for one in requests
        if one.writes and one.resource == "pods" and one.namespace == scene.namespace
    ]


@pytest.mark.story(of=a_node_is_left_empty)
def test_scale_in_order(stories: Stories) -> None:
    """The replica that is alone on its node goes, not one of a pair; where others set deletion costs none is marked."""
    stories.end_of(a_node_is_left_empty)
