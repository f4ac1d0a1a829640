"""Which pods go first, against every choice of as many."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.removal import removal
from inference_cost.model.workload import Node, Pod, Workload
from tests.unit.decide.worlds import pod, priced_node, workload

NAMES = ("a", "b", "c", "d")
worlds = st.fixed_dictionaries(
    {
        "on": st.lists(st.sampled_from(NAMES), min_size=1, max_size=8)
        | st.lists(st.sampled_from(NAMES[:2]), min_size=4, max_size=4),
        # Nodes that are alike in this, often.
        "others": st.just(dict.fromkeys(NAMES, 0))
        | st.fixed_dictionaries({name: st.integers(0, 1) for name in NAMES}),
        "price": st.just(dict.fromkeys(NAMES, "0.80"))
        | st.fixed_dictionaries({name: st.sampled_from(["0.80", "1.20"]) for name in NAMES}),
        "leaving": st.sets(st.sampled_from(NAMES), max_size=1),
        "desired": st.integers(0, 7),
    }
)


def world(of: dict[str, Any]) -> tuple[Workload, dict[str, Node]]:
    pods = [pod(f"p{i}", node=name, replica_set=True) for i, name in enumerate(of["on"])]
    held = Counter(of["on"])
    nodes = {
        name: replace(
            priced_node(name, of["price"][name]),
            pods=held[name] + of["others"][name],
            leaving="spot interruption" if name in of["leaving"] else "",
            allocatable_gpus=8,
        )
        for name in NAMES
    }
    return workload(len(pods), tuple(pods)), nodes


def left_empty(pods: tuple[Pod, ...], gone: set[str], nodes: dict[str, Node]) -> set[str]:
    """Nodes that had a pod of the workload, and have none of anybody's then."""
    return {
        name
        for name in {one.node for one in pods}
        if nodes[name].pods == sum(one.name in gone for one in pods if one.node == name)
    }


def worth(names: set[str], nodes: dict[str, Node]) -> tuple[Decimal, int]:
    prices = (nodes[name].price for name in names)
    return sum((price.per_hour for price in prices), Decimal(0)), len(names)  # type: ignore[union-attr]


@given(worlds)
def test_no_choice_of_as_many_pods_leaves_more_empty(of: dict[str, Any]) -> None:
    """Pods on nodes that are about to go come before all others."""
    of["desired"] %= len(of["on"])
    fleet, nodes = world(of)
    found = removal(fleet, of["desired"], nodes, ordered=True)
    assert found is not None
    going = len(fleet.pods) - of["desired"]
    leaving = {one.name for one in fleet.pods if one.node in of["leaving"]}

    def staying(gone: set[str]) -> set[str]:
        return left_empty(fleet.pods, gone, nodes) - of["leaving"]

    choices = [set(choice) for choice in combinations([p.name for p in fleet.pods], going)]
    first = [one for one in choices if len(leaving & one) == min(len(leaving), going)]
    best = max(worth(staying(choice), nodes) for choice in first)
    assert worth(set(found.nodes) - of["leaving"], nodes) == best
    if not found.pods:
        assert first == choices, "whichever go"
        assert {worth(staying(choice), nodes) for choice in choices} == {best}
    if found.pods:
        assert len(set(found.pods)) == going
        assert set(found.pods) <= {one.name for one in fleet.pods}
        assert left_empty(fleet.pods, set(found.pods), nodes) == set(found.nodes)
        assert len(leaving & set(found.pods)) == min(len(leaving), going)


@given(worlds)
def test_to_remove_more_leaves_no_less_empty(
    of: dict[str, Any],
) -> None:
    of["desired"] %= len(of["on"])
    fleet, nodes = world(of)
    more = removal(fleet, of["desired"], nodes, ordered=True)
    fewer = removal(fleet, of["desired"] + 1, nodes, ordered=True)
    if more is not None and fewer is not None:
        assert worth(set(more.nodes), nodes) >= worth(set(fewer.nodes) - of["leaving"], nodes)
