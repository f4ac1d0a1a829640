"""Which pods go first: a table of small fleets."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.decide.removal import removal
from inference_cost.model.plan import Removal
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node, Pod, Workload
from tests.unit.decide.worlds import pod, priced_node, workload

OURS = "inference-cost-operator"


def on(nodes: str, **more: Any) -> tuple[Pod, ...]:
    """A ready pod for each letter, on the node of that name: `aab` is a1, a2, b1."""
    made, seen = [], Counter[str]()
    for name in nodes:
        seen[name] += 1
        made.append(pod(f"{name}{seen[name]}", **({"node": name, "replica_set": True} | more)))
    return tuple(made)


def nodes(
    others: dict[str, int] | None = None, *fleets: Workload, **changes: Any
) -> dict[str, Node]:
    """`others`: pods of somebody else."""
    held = Counter(one.node for fleet in fleets for one in fleet.pods if not one.terminating)
    return {
        name: replace(
            priced_node(name),
            allocatable_gpus=8,
            pods=held[name] + (others or {}).get(name, 0),
            **changes.get(name, {}),
        )
        for name in "abc"
    }


def chosen(
    pods: tuple[Pod, ...], desired: int, others: dict[str, int] | None = None, **changes: Any
) -> Removal | None:
    fleet = workload(len(pods), pods)
    return removal(fleet, desired, nodes(others, fleet, **changes), ordered=True)


CASES: dict[str, tuple[Removal | None, tuple[str, ...], tuple[str, ...]]] = {
    "one of three: the one that is alone": (chosen(on("aab"), 2), ("b1",), ("b",)),
    "two of three: both on one node, the third stays": (
        chosen(on("aab"), 1, {"b": 1}),
        ("a1", "a2"),
        ("a",),
    ),
    "what is alone beside a stranger leaves nothing empty": (
        chosen(on("aab"), 2, {"b": 1}),
        ("a1",),
        (),
    ),
    "none can be left empty: of the node with the fewest pods": (
        chosen(on("aaabb"), 4),
        ("b1",),
        (),
    ),
    "of two nodes that can be left empty the dearer one": (
        chosen(on("abcc"), 3, b={"price": priced_node(per_hour="3.00").price}),
        ("b1",),
        ("b",),
    ),
    "first of all what runs on a node about to go": (
        chosen(on("aab"), 2, a={"leaving": "spot interruption"}),
        ("a1",),
        (),
    ),
    "a node that does not answer is about to go": (
        chosen(on("aab"), 2, a={"ready": False}),
        ("a1",),
        (),
    ),
    "what is not ready goes before any and keeps no node": (
        chosen((*on("aab"), pod("a3", ready=False, node="a", replica_set=True)), 1),
        ("a1", "a2"),
        ("a",),
    ),
    "a terminating pod keeps no node": (
        chosen((*on("aab"), pod("b2", node="b", terminating=True, replica_set=True)), 2),
        ("b1",),
        ("b",),
    ),
    "of two alike both on one node": (chosen(on("aabb"), 2), ("a1", "a2"), ("a",)),
    "where each has a node of its own, all alike, nobody is told": (
        chosen(on("abc"), 2),
        (),
        ("a",),
    ),
    "nor where all go": (chosen(on("aab"), 0), (), ("a", "b")),
    "nor where all are on one node": (chosen(on("aaa"), 2), (), ()),
}


@pytest.mark.parametrize("sentence", CASES)
def test_who_goes_first(sentence: str) -> None:
    found, pods, empty = CASES[sentence]
    assert found is not None
    assert (found.pods, found.nodes) == (pods, empty)


def test_the_price_is_that_of_the_nodes_left_empty() -> None:
    found = chosen(on("aab"), 2)
    assert found is not None
    assert found.per_hour == Decimal("1.20")


def test_a_node_without_a_price_is_not_taken_for_free() -> None:
    unknown = Missing(reason=MissingReason.PRICE_UNKNOWN)
    found = chosen(on("aab"), 2, b={"price": unknown})
    assert found is not None
    assert found.nodes == ("b",)
    assert isinstance(found.per_hour, Missing)


NOBODY_CHOOSES: dict[str, tuple[tuple[Pod, ...], int]] = {
    "only pods that are not ready go": (
        (*on("aab"), pod("b2", ready=False, node="b", replica_set=True)),
        3,
    ),
    "a node is not known": (on("aabx"), 3),
}


@pytest.mark.parametrize("sentence", NOBODY_CHOOSES)
def test_nothing_is_known_where(sentence: str) -> None:
    assert chosen(*NOBODY_CHOOSES[sentence]) is None


def test_another_manager_of_deletion_costs_is_left_alone() -> None:
    pods = (*on("aa", cost_set_by="karpenter"), *on("b"))
    found = chosen(pods, 2)
    assert found == Removal(nodes=("b",), per_hour=Decimal("1.20"), left_to="karpenter")


def test_pods_of_a_stateful_set_are_not_marked() -> None:
    """It removes the highest ordinal, whatever they cost."""
    found = chosen(on("aab", replica_set=False), 2)
    assert found is not None
    assert (found.pods, found.left_to) == ((), "")


def test_marks_of_an_earlier_removal_are_taken_back() -> None:
    found = chosen((*on("aa", cost_set_by=OURS), *on("b")), 2)
    assert found is not None
    assert (found.pods, found.outdated) == (("b1",), ("a1", "a2"))


def test_nobody_is_marked_unless_it_is_switched_on() -> None:
    for by in ("", "karpenter"):
        fleet = workload(3, on("aab", cost_set_by=by))
        found = removal(fleet, 2, nodes(None, fleet), ordered=False)
        assert found == Removal(nodes=("b",), per_hour=Decimal("1.20"))
