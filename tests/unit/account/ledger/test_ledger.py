"""Histories of an hour and the lines that they come to, keyed by a sentence."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.account.ledger.build import UnexplainedError, explained, ledger
from inference_cost.account.ledger.history import (
    Gap,
    History,
    NodeLife,
    Owner,
    PriceChange,
    Span,
    Stay,
    Use,
)
from inference_cost.account.ledger.lines import Kind, Line, total_of
from tests.unit.account.ledger.histories import HOUR, WINDOW, by_kind, life, stay
from tests.unit.account.worlds import NOON, key, price

BERT = Owner(use=Use.REPLICA, policy=key("bert"), variant="default")
SYSTEM, WARM, BATCH = (Owner(use=use) for use in (Use.OVERHEAD, Use.WARM, Use.OTHER))

HOURS: dict[str, tuple[NodeLife, list[Stay], dict[Kind, str]]] = {
    "a replica pays the node that it has for itself": (life(), [stay()], {Kind.SERVING: "4"}),
    "a node that nobody asked for is idle": (life(), [], {Kind.IDLE: "4"}),
    "an hour of a longer life costs an hour": (
        life(launched=-5, gone=9), [stay(bound=-4, ready=-4)], {Kind.SERVING: "4"},
    ),
    "a node that went after a quarter of an hour costs a quarter": (
        life(gone=0.25), [stay()], {Kind.SERVING: "1"},
    ),
    "a node boots until it is ready, a replica until it is": (
        life(ready=0.25), [stay(bound=0.25, ready=0.5)], {Kind.BOOT: "2", Kind.SERVING: "2"},
    ),
    "a node that never gets ready does nothing but boot": (
        life(ready=None), [stay(ready=None)], {Kind.BOOT: "4"},
    ),
    "what a replica leaves when it goes is idle": (
        life(), [stay(ended=0.75)], {Kind.SERVING: "3", Kind.IDLE: "1"},
    ),
    "a price that changes counts from its change on": (
        life("n1", "4", "8", changes_at=(0.5,)), [stay()], {Kind.SERVING: "6"},
    ),
    "a price from before the window holds in it": (
        life("n1", "4", "8", launched=-2, changes_at=(-1,)), [stay()], {Kind.SERVING: "8"},
    ),
    "half a node to a replica, a quarter to system pods, the rest idle": (
        life(allocatable_gpus=4, allocatable_cpu_millicores=4000),
        [stay(gpus=2), stay("ds", gpus=0, cpu_millicores=1000, owner=SYSTEM)],
        {Kind.SERVING: "2", Kind.OVERHEAD: "1", Kind.IDLE: "1"},
    ),
    "a place that is held is warm, and a pod of nobody's is another's": (
        life(allocatable_gpus=2),
        [stay("w", owner=WARM, ready=None), stay("b", owner=BATCH)],
        {Kind.WARM: "2", Kind.OTHER: "2"},
    ),
    "system pods and strangers that ask for more than is left share what is left": (
        life(allocatable_gpus=4, allocatable_cpu_millicores=4000),
        [
            stay(gpus=2),
            stay("ds", gpus=0, cpu_millicores=1000, owner=SYSTEM),
            stay("b", gpus=0, cpu_millicores=3000, owner=BATCH),
        ],
        {Kind.SERVING: "2", Kind.OVERHEAD: "0.50", Kind.OTHER: "1.50"},
    ),
    "system pods make no replica cheaper: one that has all GPUs pays the node": (
        life(allocatable_cpu_millicores=4000),
        [stay(), stay("ds", gpus=0, cpu_millicores=1000, owner=SYSTEM)],
        {Kind.SERVING: "4"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", HOURS)
def test_an_hour(sentence: str) -> None:
    on, stays, expected = HOURS[sentence]
    made = ledger(History(nodes=(on,), stays=tuple(stays)), WINDOW)
    assert by_kind(made) == {kind: Decimal(amount) for kind, amount in expected.items()}
    assert made.remainder == 0
    assert made.total.unpriced == ()


def test_lines_are_by_policy_variant_pool_capacity_type_and_cost_center() -> None:
    nodes = (life("n1"), life("n2", "1", pool="l4-spot"))
    stays = (stay("p1", "n1"), stay("p2", "n2", owner=BERT))
    lines = ledger(History(nodes=nodes, stays=stays), WINDOW).lines
    shown = [(str(line.key.policy), line.key.cost_center, line.key.pool) for line in lines]
    assert shown == [
        ("None", "", "l4"),
        ("None", "", "l4-spot"),
        ("team-a/bert", "", "l4-spot"),
        ("team-a/resnet", "search", "l4"),
    ]
    assert [line.total.amount for line in lines] == [0, 0, 1, 4]


def test_a_gap_is_named_and_what_nodes_cost_in_it_is_charged_to_nobody() -> None:
    gap = Gap(begin=NOON + 0.25 * HOUR, end=NOON + 0.75 * HOUR, why="the operator was away")
    early = Gap(begin=NOON - 2 * HOUR, end=NOON - HOUR, why="before")
    history = History(nodes=(life(),), stays=(stay(),), gaps=(early, gap))
    made = ledger(history, WINDOW)
    assert by_kind(made) == {Kind.SERVING: Decimal(2), Kind.UNRECORDED: Decimal(2)}
    assert made.gaps == (gap,)


def test_an_unknown_price_is_named_by_every_total_that_misses_it_and_no_other() -> None:
    nodes = (life("n1"), life("n2", None, pool="a100"))
    made = ledger(History(nodes=nodes, stays=(stay(), stay("p2", "n2", owner=BERT))), WINDOW)
    assert made.nodes["n2"].unpriced == ("pool a100 has no price",)
    assert made.total.amount == 4
    assert made.total.unpriced == ("pool a100 has no price",)
    resnet = total_of(line for line in made.lines if line.key.policy == key())
    bert = total_of(line for line in made.lines if line.key.policy == key("bert"))
    assert (resnet.amount, resnet.unpriced) == (4, ())
    assert (bert.amount, bert.unpriced, bert.node_hours) == (0, made.total.unpriced, 1)


def test_a_price_that_is_unknown_for_a_while_leaves_the_known_part_and_says_so() -> None:
    made = ledger(
        History(nodes=(life("n1", "4", None, changes_at=(0.75,)),), stays=(stay(),)), WINDOW
    )
    assert made.total.amount == 3
    assert made.total.unpriced == ("pool a100 has no price",)


def test_list_prices_stand_apart_from_what_is_paid() -> None:
    discounted = PriceChange(since=NOON, price=price("3"), listed=price("4"))
    node = life()
    paid = NodeLife(node=node.node, ready_at=NOON, gone_at=None, prices=(discounted,))
    total = ledger(History(nodes=(paid,), stays=(stay(),)), WINDOW).total
    assert (total.amount, total.listed, total.unlisted) == (3, 4, ())
    unknown = ledger(History(nodes=(node,), stays=(stay(),)), WINDOW).total
    assert (unknown.listed, unknown.unlisted) == (0, ("the list price is not known",))


def test_more_than_a_cent_that_no_line_explains_is_an_error() -> None:
    made = ledger(History(nodes=(life(),), stays=(stay(),)), WINDOW)
    (idle, replica) = made.lines
    for paid in ("3.98", "4.02"):
        wrong = Line(key=replica.key, total=replace(replica.total, amount=Decimal(paid)))
        with pytest.raises(UnexplainedError, match="of 4 that nodes cost are in no line"):
            explained(replace(made, lines=(idle, wrong)))
    rounded = Line(key=replica.key, total=replace(replica.total, amount=Decimal("3.99")))
    assert explained(replace(made, lines=(idle, rounded))).remainder == Decimal("0.01")


def test_a_name_may_come_back_but_two_nodes_at_once_of_one_name_are_refused() -> None:
    again = History(nodes=(life(gone=0.25), life("n1", "8", launched=0.5, ready=0.5)))
    made = ledger(again, WINDOW)
    assert made.nodes["n1"].amount == made.total.amount == 5
    with pytest.raises(ValueError, match="two nodes of the name n1 at once"):
        ledger(History(nodes=(life(), life(launched=0.5))), WINDOW)


def test_a_window_the_wrong_way_round_is_an_error_and_an_empty_one_is_not() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        ledger(History(nodes=()), Span(begin=NOON, end=NOON - 1))
    assert ledger(History(nodes=(life(),)), Span(begin=NOON, end=NOON)).lines == ()
