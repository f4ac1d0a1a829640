"""What replicas cost in whole nodes, and what goes with them, keyed by a sentence."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.account.savings.whole_nodes import (
    Replica,
    bought,
    emptied,
    free_of,
    node_prices,
    replica_of,
    room_for,
)
from inference_cost.account.shares import NodeSplit, split_node
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Pod
from tests.unit.account.worlds import UNPRICED, node, pod


def splits(
    layout: dict[str, Sequence[Pod]], *, gpus: int = 2, **changes: Any
) -> dict[str, NodeSplit]:
    return {
        name: split_node(node(name, "4", allocatable_gpus=gpus, **changes), pods, "USD")
        for name, pods in layout.items()
    }


A, B, C, D = (pod(name) for name in "abcd")


def on(name: str, *pods: Pod) -> list[Pod]:
    return [pod(p.name, name) for p in pods]


GONE: dict[str, tuple[dict[str, list[Pod]], str, int, str]] = {
    "one of two on a node: the node stays, nothing is saved": (
        {"n1": on("n1", A, B)}, "ab", 1, "0",
    ),
    "both": ({"n1": on("n1", A, B)}, "ab", 2, "4"),
    "one of each of two nodes: the second one is the first to empty": (
        {"n1": on("n1", A), "n2": on("n2", B)}, "ab", 1, "4",
    ),
    "from the crowded node first": ({"n1": on("n1", A, B), "n2": on("n2", C)}, "abc", 1, "0"),
    "a node with a pod of another policy stays": ({"n1": on("n1", A, B)}, "a", 1, "0"),
    "more than there are": ({"n1": on("n1", A)}, "a", 5, "4"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", GONE)
def test_emptied(sentence: str) -> None:
    layout, ours, fewer, expected = GONE[sentence]
    pods = [p for pods in layout.values() for p in pods if p.name in ours]
    assert emptied([(pods, fewer)], splits(layout)) == Decimal(expected)


def test_what_has_no_price_is_missing_on_every_way() -> None:

    split = splits({"n1": on("n1", A)}, price=UNPRICED)
    pods = on("n1", A)
    assert replica_of(pods, split) == UNPRICED
    assert emptied([(pods, 1)], split) == UNPRICED
    assert emptied([(pods, 0)], split) == 0
    assert isinstance(replica_of([], split), Missing)


def test_replicas_are_priced_by_the_nodes_that_they_fill() -> None:
    replica = replica_of(on("n1", A), splits({"n1": on("n1", A)}, gpus=4))
    assert replica == Replica(node_per_hour=Decimal(4), per_node=4)
    assert [replica.per_hour(count) for count in (0, 1, 4, 5)] == [0, 4, 4, 8]


ROOM: dict[str, tuple[dict[str, list[Pod]], int]] = {
    "none on a full node": ({"n1": on("n1", A, B)}, 0),
    "one beside one of two": ({"n1": on("n1", A)}, 1),
    "and on an empty node of the pool": ({"n1": on("n1", A), "n2": []}, 3),
}


BOUGHT: dict[str, tuple[dict[str, list[Pod]], int, str]] = {
    "none": ({"n1": on("n1", A, B)}, 0, "0"),
    "one where there is room": ({"n1": on("n1", A)}, 1, "0"),
    "one more than that": ({"n1": on("n1", A)}, 2, "4"),
    "two on a node that was left, two on another one of its pool": ({"n1": [], "n2": []}, 4, "0"),
    "three more than that": ({"n1": [], "n2": []}, 7, "8"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BOUGHT)
def test_bought(sentence: str) -> None:
    layout, more, expected = BOUGHT[sentence]
    pods = [p for pods in layout.values() for p in pods]
    known = Replica(node_per_hour=Decimal(4), per_node=2)
    left = [] if pods else ["n1"]
    on_nodes = splits(layout)
    free = free_of(on_nodes.values())
    assert bought(pods, more, on_nodes, left, known, free=free) == Decimal(expected)


def test_a_node_empties_when_the_replicas_of_both_variants_go() -> None:
    split = splits({"n1": on("n1", A, B)})
    spot, plain = on("n1", A), on("n1", B)
    assert emptied([(spot, 1)], split) == 0
    assert emptied([(spot, 1), (plain, 1)], split) == 4


def test_a_pool_of_which_one_price_is_not_known_has_no_mean() -> None:
    known, unknown = node("n1", "4"), node("n2", None, pool="a100")
    two = [split_node(one, [], "USD") for one in (known, node("n3", "5"), unknown)]
    assert node_prices(two) == {"l4": Decimal("4.5")}


@pytest.mark.parametrize("sentence", ROOM)
def test_room(sentence: str) -> None:
    layout, expected = ROOM[sentence]
    pods, on_nodes = [p for pods in layout.values() for p in pods], splits(layout)
    assert room_for(pods, on_nodes, free_of(on_nodes.values())) == expected


def test_a_node_on_which_somebody_else_runs_does_not_empty() -> None:
    alone, shared = splits({"n1": on("n1", A)}), splits({"n1": on("n1", A)}, pods=2)
    assert emptied([(on("n1", A), 1)], alone) == 4
    assert emptied([(on("n1", A), 1)], shared) == 0
