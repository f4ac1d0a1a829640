"""Who bears nodes as a whole, keyed by a sentence: look by look, nodes at 4 an hour with two GPUs each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

import pytest

from inference_cost.account import checkpoint
from inference_cost.account.month import AccountMemory
from inference_cost.account.savings import bearers
from inference_cost.account.savings.bearers import (
    LastUse,
    LastUses,
    last_uses,
    left_nodes,
    parts_by_policy,
)
from inference_cost.account.savings.whole_nodes import total_of
from inference_cost.account.shares import split_node
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Pod
from tests.unit.account.worlds import NOON, UNPRICED, key, node, pod

OURS, THEIRS = key("ours"), key("theirs")


@dataclass(frozen=True, kw_only=True)
class Look:
    """By node: `o` is a replica of ours, `t` of theirs, `s` a pod of nobody that is managed."""

    nodes: Mapping[str, str]
    held: str = ""
    made_anew: str = ""
    requests_nothing: bool = False
    priced: bool = True
    policies: Sequence[PolicyKey] = field(default=(OURS, THEIRS))


def seen(*looks: Look) -> dict[PolicyKey, Decimal | Missing]:
    """What each bears per hour at the last look; what is remembered goes through the checkpoint."""
    uses: LastUses = {}
    found: dict[PolicyKey, Decimal | Missing] = {}
    for look in looks:
        nodes = {
            name: node(
                name,
                "4" if look.priced else None,
                allocatable_gpus=2,
                created_at=NOON + 1 if name == look.made_anew else NOON,
                pods=len(there),
            )
            for name, there in look.nodes.items()
        }
        replicas = {policy: _pods(look, "o" if policy == OURS else "t") for policy in look.policies}
        held = frozenset(filter(None, [look.held]))
        splits = {
            name: split_node(one, [p for pods in replicas.values() for p in pods if p.node == name], "USD")
            for name, one in nodes.items()
        }  # fmt: skip
        left = left_nodes(uses, replicas, nodes, held)
        parts = parts_by_policy(replicas, splits, left, held)
        found = {k: p if isinstance(p, Missing) else total_of(p) for k, p in parts.items()}
        uses = {k: _restored(kept) for k, kept in last_uses(replicas, splits, left).items()}
    return found


def _pods(look: Look, letter: str) -> list[Pod]:
    return [
        pod(f"{letter}{name}{i}", name, gpus=0 if look.requests_nothing else 1)
        for name, there in look.nodes.items()
        for i, one in enumerate(there)
        if one == letter
    ]


def _restored(uses: tuple[LastUse, ...]) -> tuple[LastUse, ...]:
    memory = AccountMemory(
        month="2025-11", amount=Decimal(0), since=NOON, last_at=NOON, last_uses=uses
    )
    restored = checkpoint.from_dict(checkpoint.to_dict(memory))
    assert restored is not None
    return restored.last_uses


FULL = Look(nodes={"n1": "oo", "n2": "o"})

# Looks; what we bear, and what they do.
BORNE: dict[str, tuple[list[Look], str, str]] = {
    "alone on a node with room for two: the whole node": ([Look(nodes={"n1": "o"})], "4", "0"),
    "two of two": ([Look(nodes={"n1": "oo"})], "4", "0"),
    "one of two, the other another policy's": ([Look(nodes={"n1": "ot"})], "2", "2"),
    "a pod of nobody's beside us does not make the node cheaper": (
        [Look(nodes={"n1": "os"})], "4", "0",
    ),
    "an empty node that nobody is known to have used: those who use its pool": (
        [Look(nodes={"n1": "oo", "n2": ""})], "8", "0",
    ),
    "by what they use": ([Look(nodes={"n1": "oo", "n2": "t", "n3": "ot", "n4": ""})], "8.4", "7.6"),
    "one that somebody unmanaged uses is theirs": (
        [Look(nodes={"n1": "oo", "n2": "s"})], "4", "0",
    ),
    "one kept ready is nobody's": ([Look(nodes={"n1": "oo", "n2": ""}, held="n2")], "4", "0"),
    "of one kept ready we bear what we request": ([Look(nodes={"n1": "os"}, held="n1")], "2", "0"),
    "to zero, and the nodes stay": ([FULL, Look(nodes={"n1": "", "n2": ""})], "8", "0"),
    "for as long as they do": ([FULL, *2 * [Look(nodes={"n1": "", "n2": ""})]], "8", "0"),
    "to zero, and the nodes go": ([FULL, Look(nodes={})], "0", "0"),
    "one goes, and a new one has its name": (
        [FULL, Look(nodes={"n1": "", "n2": ""}, made_anew="n1")], "4", "0",
    ),
    "to zero, and another policy comes": (
        [FULL, Look(nodes={"n1": "", "n2": "t"})], "4", "4",
    ),
    "it goes again: then the node is what it left": (
        [FULL, Look(nodes={"n1": "", "n2": "t"}), Look(nodes={"n1": "", "n2": ""})], "4", "4",
    ),
    "to zero, and somebody unmanaged comes": ([FULL, Look(nodes={"n1": "s", "n2": ""})], "4", "0"),
    "he was there before: our going has emptied nothing": (
        [Look(nodes={"n1": "os"}), Look(nodes={"n1": "s"})], "4", "0",
    ),
    "he went, and another one came": (
        [Look(nodes={"n1": "os"}), Look(nodes={"n1": ""}), Look(nodes={"n1": "s"})], "0", "0",
    ),
    "to zero, and the node is kept ready for all from now on": (
        [FULL, Look(nodes={"n1": "s", "n2": ""}, held="n1")], "4", "0",
    ),
    "the last on the node has left it": (
        [Look(nodes={"n1": "ot"}), Look(nodes={"n1": "o"}), Look(nodes={"n1": ""})], "4", "0",
    ),
    "both left at once": ([Look(nodes={"n1": "ot"}), Look(nodes={"n1": ""})], "2", "2"),
    "and back to it": ([FULL, Look(nodes={"n1": "", "n2": ""}), FULL], "8", "0"),
    "a policy that was deleted bears nothing": (
        [Look(nodes={"n1": "t", "n2": "o"}), Look(nodes={"n1": "", "n2": "o"}, policies=(OURS,)),
         Look(nodes={"n1": "", "n2": ""})], "4", "0",
    ),
    "to zero, of replicas that requested nothing": (
        [Look(nodes={"n1": "oot"}, requests_nothing=True), Look(nodes={"n1": ""})],
        "2.67", "1.33",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BORNE)
def test_borne(sentence: str) -> None:
    looks, ours, theirs = BORNE[sentence]
    found = seen(*looks)
    for policy, expected in ((OURS, ours), (THEIRS, theirs)):
        borne = found[policy]
        assert isinstance(borne, Decimal)
        assert borne.quantize(Decimal("0.01")) == Decimal(expected)


MISSING: dict[str, tuple[list[Look], str]] = {
    "a node without a price": ([Look(nodes={"n1": "o"}, priced=False)], UNPRICED.detail),
    "a node that was left and has none": (
        [FULL, Look(nodes={"n1": "", "n2": ""}, priced=False)], UNPRICED.detail,
    ),
    "replicas that request nothing": (
        [Look(nodes={"n1": "o"}, requests_nothing=True)], "replicas in pool l4 request nothing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", MISSING)
def test_missing(sentence: str) -> None:
    looks, why = MISSING[sentence]
    found = seen(*looks)[OURS]
    assert isinstance(found, Missing)
    assert found.detail == why
    assert seen(*looks)[THEIRS] == 0


def test_a_node_nobody_knows_is_named() -> None:
    found = parts_by_policy({OURS: [pod(on="gone")]}, {}, {}, frozenset())[OURS]
    assert isinstance(found, Missing)
    assert found.detail == "node gone is not known"


def test_what_is_kept_has_an_end_and_what_was_left_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bearers, "MOST_KEPT", 2)
    left = LastUse(node="n9", created_at=NOON, part=Fraction(1), strangers=0)
    pods = [pod(f"p{i}", f"n{i}") for i in range(3)]
    splits = {p.node: split_node(node(p.node), [p], "USD") for p in pods}
    kept = last_uses({OURS: pods}, splits, {OURS: (left,)})[OURS]
    assert [one.node for one in kept] == ["n9", "n0"]


def test_memories_of_different_ages_bear_no_more_than_the_node() -> None:
    stale = LastUse(node="n1", created_at=NOON, part=Fraction(1), strangers=0)
    splits = {"n1": split_node(node("n1", "4"), [], "USD")}
    left = {OURS: (stale,), THEIRS: (replace(stale, part=Fraction(1)),)}
    parts = parts_by_policy({OURS: [], THEIRS: []}, splits, left, frozenset())
    assert [total_of(p) for p in parts.values() if not isinstance(p, Missing)] == [2, 2]


@pytest.mark.parametrize("part", ["2", "-1/2", "1/0", "all"])
def test_a_damaged_memory_is_none(part: str) -> None:
    memory = AccountMemory(month="2025-11", amount=Decimal(0), since=NOON, last_at=NOON)
    stored = checkpoint.to_dict(memory) | {"lastUses": [["n1", NOON, part, 0]]}
    assert checkpoint.from_dict(stored) is None
