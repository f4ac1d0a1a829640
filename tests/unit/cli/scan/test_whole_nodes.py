"""A replica that goes and leaves its node there saves nothing."""

from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.cli.scan.whole_nodes import NodeCosts, a_node_each
from tests.unit.cli.scan.clusters import deployment, fleet, node, pod
from tests.unit.cli.scan.test_prices import L4, found, nodes_of, prices

Object = dict[str, Any]


def big(name: str, gpus: int = 4) -> Object:
    one = node(name, gpus=gpus)
    one["status"]["allocatable"] |= {"cpu": "48", "memory": "180Gi"}
    return one


def on(*places: str) -> list[Object]:
    """Replicas of one workload on these nodes."""
    replicas = [pod("v", "a", i, place) for i, place in enumerate(places)]
    return [deployment("v", "a", len(places)), *replicas]


def costs(
    objects: list[Object], nodes: list[Object], others: list[Object] | None = None
) -> NodeCosts:
    """`others`: None where no other pods may be listed."""
    own = [one for one in objects if one["kind"] == "Pod"]
    made = prices(nodes, pods=None if others is None else [*own, *others])
    [cost] = made.of_workloads(found(objects)).values()
    assert cost.nodes is not None
    return cost.nodes


def test_one_on_each_node_saves_its_node() -> None:
    objects = fleet("vision", "resnet", 3)
    nodes = costs(objects, nodes_of(objects), [])
    assert nodes.by_replicas == (0, L4, 2 * L4, 3 * L4)
    assert (nodes.of(5), nodes.nodes, nodes.kept) == (5 * L4, 3, 0)


def test_of_two_nodes_with_two_each_only_the_last_two_replicas_save_one() -> None:
    nodes = costs(on("x", "x", "y", "y"), [big("x", 2), big("y", 2)], [])
    assert nodes.by_replicas == (0, L4, 2 * L4, 2 * L4, 2 * L4), (
        "spread as a ReplicaSet leaves them"
    )
    assert nodes.packed == (0, L4, L4, 2 * L4, 2 * L4), "node by node"
    assert nodes.at_best.of(2) == L4
    assert [nodes.of(n) for n in (5, 6, 7)] == [3 * L4, 3 * L4, 4 * L4]


def test_a_node_with_pods_of_others_stays() -> None:
    """It costs the workload its share, whichever of its replicas go."""
    other = pod("w", "other", 9, "x", "nginx")
    nodes = costs(on("x", "x"), [big("x")], [other])
    assert nodes.by_replicas == (L4 / 2,) * 3
    assert nodes.kept == 1
    assert "2 replicas are on 1 nodes, of which 1 have other pods and stay" in nodes.words


def test_pods_that_every_node_has_keep_none() -> None:
    agent = pod("kube-system", "agent", 1, "x", "agent")
    agent["metadata"]["ownerReferences"][0]["kind"] = "DaemonSet"
    assert costs(on("x"), [big("x")], [agent]).by_replicas == (0, L4)


def test_room_on_its_own_nodes_costs_nothing_more() -> None:
    nodes = costs(on("x"), [big("x")], [])
    assert [nodes.of(n) for n in (1, 4, 5)] == [L4, L4, 2 * L4]


def test_pods_that_are_not_seen_are_said_to_keep_nodes_perhaps() -> None:
    nodes = costs(on("x"), [big("x")])
    assert nodes.words.endswith("pods of other namespaces are not seen, and may keep more")


def test_without_a_price_all_nodes_cost_the_same() -> None:
    strange = [node("x", instance_type="moon.1"), node("y", instance_type="moon.2")]
    assert costs(on("x", "y"), strange, []).by_replicas == (0, 1, 2)


def test_between_whole_numbers_of_replicas_it_costs_what_the_mean_of_both_does() -> None:
    paired = costs(on("x", "x"), [big("x", 2)], [])
    over = paired.over(np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5]))
    assert over.tolist() == [float(L4) * n for n in (0, 0.5, 1, 1, 1, 1.5)]
    assert a_node_each(Decimal(2)).over(np.array([])).tolist() == []


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=10),
    st.lists(st.integers(0, 3), max_size=4),
    st.integers(1, 4),
)
def test_fewer_replicas_never_cost_more_and_never_less_than_nothing(
    places: list[int], others: list[int], gpus: int
) -> None:
    nodes = [big(f"n{i}", gpus) for i in range(4)]
    strangers = [pod("w", "other", i, f"n{place}", "nginx") for i, place in enumerate(others)]
    made = costs(on(*(f"n{place}" for place in places)), nodes, strangers)
    steps = [made.of(n) for n in range(len(places) + 5)]
    assert steps == sorted(steps)
    assert steps[0] >= 0
    packed = [made.at_best.of(n) for n in range(len(places) + 5)]
    assert packed == sorted(packed)
    assert all(best <= usual for best, usual in zip(packed, steps, strict=True))
    assert (packed[0], packed[-1]) == (steps[0], steps[-1])
    alone = set(places) - set(others)
    emptied = steps[len(places)] - steps[0]
    assert abs(emptied - len(alone) * L4) < Decimal("0.0001")
