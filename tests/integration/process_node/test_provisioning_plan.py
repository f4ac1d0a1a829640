"""Which nodes are launched and taken away, without a cluster."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.rig.process_node.node_object import NodeSpec
from e2e.rig.provisioner import plan
from e2e.rig.provisioner.fitting import fits, quantity
from e2e.rig.provisioner.plan import SETTLE_SECONDS, Claim, ManagedNode
from e2e.rig.provisioner.pools import NodePool

UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}


def pod(name: str, **spec: Any) -> dict[str, Any]:
    resources = {"requests": {"nvidia.com/gpu": "1", "cpu": "500m", "memory": "1Gi"}}
    return {
        "metadata": {"name": name, "uid": name, "namespace": "n"},
        "spec": {"containers": [{"name": "c", "resources": resources}], **spec},
        "status": {"phase": "Pending", "conditions": [UNSCHEDULABLE]},
    }


def pool(name: str, price: str, **more: Any) -> NodePool:
    return NodePool(name=name, instance_type="g5", price_per_hour=Decimal(price), **more)


CHEAP, DEAR = pool("cheap", "0.4", max_nodes=1), pool("dear", "1", max_nodes=2)


def test_each_waiting_pod_gets_one_node_of_the_cheapest_pool_with_quota() -> None:
    waiting = plan.waiting_pods([pod("a"), pod("b"), pod("c"), pod("d")])
    launched = plan.launches(waiting, {}, {}, [DEAR, CHEAP])
    assert [(each.pool.name, each.pod_uid) for each in launched] == [
        ("cheap", "a"),
        ("dear", "b"),
        ("dear", "c"),
    ]


@pytest.mark.parametrize(
    ("sentence", "change"),
    [
        ("bound", {"spec": {"nodeName": "x"}}),
        ("being deleted", {"metadata": {"deletionTimestamp": "now"}}),
        ("room is being made by preemption", {"status": {"nominatedNodeName": "x"}}),
        ("not looked at yet by the scheduler", {"status": {"conditions": []}}),
        ("asks for no GPU", {"spec": {"containers": [{"name": "c"}]}}),
    ],
)
def test_pod_does_not_wait_for_a_node_when(sentence: str, change: dict[str, Any]) -> None:
    manifest = pod("a")
    for part, fields in change.items():
        manifest[part] |= fields
    assert not plan.waiting_pods([manifest]), sentence


@pytest.mark.parametrize(
    ("sentence", "spec", "expected"),
    [
        ("no wish", {}, True),
        ("label it has", {"nodeSelector": {"zone": "a"}}, True),
        ("label it has not", {"nodeSelector": {"zone": "b"}}, False),
        ("one of several terms", {"affinity": [("zone", "In", ["b"]), ("n", "Gt", ["3"])]}, True),
        ("no term", {"affinity": [("zone", "NotIn", ["a"]), ("n", "Lt", ["4"])]}, False),
        ("absent key", {"affinity": [("other", "DoesNotExist", [])]}, True),
        ("present key", {"affinity": [("other", "Exists", [])]}, False),
    ],
)
def test_fits_by_selector_and_affinity(sentence: str, spec: dict[str, Any], expected: bool) -> None:
    terms = [
        {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}
        for key, operator, values in spec.pop("affinity", [])
    ]
    if terms:
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
        spec = spec | {"affinity": {"nodeAffinity": required}}
    node = NodeSpec(name="n", labels={"zone": "a", "n": "4"}, gpus=1)
    assert fits(pod("p", **spec), node) is expected, sentence


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        (None, False),
        ({"operator": "Exists"}, True),
        ({"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "gpu", "value": "yes"}, True),
        ({"key": "gpu", "value": "no"}, False),
    ],
)
def test_fits_by_taints(toleration: dict[str, str] | None, expected: bool) -> None:
    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    node = NodeSpec(name="n", gpus=1, taints=[taint])
    assert fits(pod("p", tolerations=[toleration] if toleration else []), node) is expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (NodeSpec(name="n", gpus=1), True),
        (NodeSpec(name="n", gpus=0), False),
        (NodeSpec(name="n", gpus=1, memory="512Mi"), False),
        (NodeSpec(name="n", gpus=1, cpus=0), False),
    ],
)
def test_fits_by_size(node: NodeSpec, expected: bool) -> None:
    assert fits(pod("p"), node) is expected


@pytest.mark.parametrize(
    ("text", "value"), [("500m", "0.5"), ("2Gi", str(2 * 2**30)), ("3", "3"), ("1k", "1000")]
)
def test_quantity(text: str, value: str) -> None:
    assert quantity(text) == Decimal(value)


def node(name: str, **more: Any) -> ManagedNode:
    return ManagedNode(**{"name": name, "pool": DEAR, "created": 0.0, **more})


def test_booting_node_serves_the_pod_it_was_launched_for_until_the_scheduler_let_it_pass() -> None:
    waiting, claims = [pod("a")], {"a": Claim("n", 0.0)}
    booting = {"n": node("n")}
    assert plan.current_claims(claims, waiting, booting, 1000.0) == (claims, set())
    ready = {"n": node("n", ready=10.0)}
    assert plan.current_claims(claims, waiting, ready, 10 + SETTLE_SECONDS) == (claims, set())
    late = 10 + SETTLE_SECONDS + 0.1
    assert plan.current_claims(claims, waiting, ready, late) == ({}, {("a", "n")})


def test_node_whose_pod_vanished_while_it_booted_serves_the_next_pod() -> None:
    nodes = {"n": node("n")}
    held, lapsed = plan.current_claims({"gone": Claim("n", 0.0)}, [pod("b")], nodes, 1.0)
    claims = plan.assign([pod("b")], nodes=nodes, bound={}, claims=held, avoid=lapsed, now=1.0)
    assert claims == {"b": Claim("n", 1.0)}
    assert not plan.launches([pod("b")], nodes, claims, [DEAR])


def test_only_nodes_empty_for_long_enough_go() -> None:
    nodes = {name: node(name, ready=1.0) for name in ("busy", "expected", "empty")}
    nodes["booting"] = node("booting")
    bound, claims = {"busy": [pod("x")]}, {"a": Claim("expected", 0.0)}
    nodes = plan.with_emptiness(nodes, bound, claims, now=5.0)
    nodes = plan.with_emptiness(nodes, bound, claims, now=9.0)
    assert not plan.surplus(nodes.values(), now=14.9, empty_seconds=10)
    assert [n.name for n in plan.surplus(nodes.values(), now=15.0, empty_seconds=10)] == ["empty"]
    nodes = plan.with_emptiness(nodes, {**bound, "empty": [pod("y")]}, claims, now=14.0)
    assert not plan.surplus(nodes.values(), now=99.0, empty_seconds=10)


def test_pods_of_daemon_sets_and_finished_pods_keep_no_node() -> None:
    daemon = pod("d", nodeName="n")
    daemon["metadata"]["ownerReferences"] = [{"kind": "DaemonSet"}]
    finished = pod("f", nodeName="n")
    finished["status"]["phase"] = "Succeeded"
    assert not plan.bound_pods([daemon, finished])
    assert plan.bound_pods([pod("x", nodeName="n")])["n"]


@given(
    waiting=st.integers(0, 12),
    quotas=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    steps=st.integers(1, 4),
)
def test_never_two_nodes_for_one_pod_and_never_above_quota(
    waiting: int, quotas: list[int], steps: int
) -> None:
    pools = [pool(f"p{i}", str(i + 1), max_nodes=quota) for i, quota in enumerate(quotas)]
    pods = [pod(f"pod{i}") for i in range(waiting)]
    nodes: dict[str, ManagedNode] = {}
    claims: dict[str, Claim] = {}
    for step in range(steps):
        held, lapsed = plan.current_claims(claims, pods, nodes, float(step))
        claims = plan.assign(
            pods, nodes=nodes, bound={}, claims=held, avoid=lapsed, now=float(step)
        )
        for launch in plan.launches(pods, nodes, claims, pools):
            name = f"n{len(nodes)}"
            nodes[name] = ManagedNode(name=name, pool=launch.pool, created=float(step))
            claims[launch.pod_uid] = Claim(name, float(step))
    assert len(nodes) == min(waiting, sum(quotas))
    for each in pools:
        assert sum(n.pool.name == each.name for n in nodes.values()) <= each.max_nodes
