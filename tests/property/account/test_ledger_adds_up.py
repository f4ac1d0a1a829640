"""Whatever ran: the lines are what the nodes cost, as somebody else computes it from the same history."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.account.ledger.build import CENT, ledger
from inference_cost.account.ledger.history import Gap, History, NodeLife, Owner, Span, Stay, Use
from inference_cost.account.ledger.lines import Kind, total_of
from tests.unit.account.ledger.histories import HOUR, life, stay
from tests.unit.account.worlds import NOON, key

hours = st.integers(-10_800_000, 28_800_000).map(lambda ms: ms / 3_600_000)
prices = st.decimals(0, 100, places=4).map(str)
owners = st.sampled_from(
    [Owner(use=use, policy=key() if use is Use.REPLICA else None) for use in Use]
)


@st.composite
def lives(draw: st.DrawFn, name: str) -> NodeLife:
    launched, ready, gone = sorted(draw(st.tuples(hours, hours, hours)))
    parts = draw(st.lists(st.floats(0, 1), max_size=2))
    changes = sorted(launched + part * (gone - launched) for part in parts)
    return life(
        name,
        *draw(st.lists(prices, min_size=len(changes) + 1, max_size=len(changes) + 1)),
        launched=launched,
        ready=draw(st.sampled_from([ready, None])),
        gone=draw(st.sampled_from([gone, None])),
        changes_at=tuple(changes),
        allocatable_gpus=draw(st.integers(0, 8)),
        allocatable_cpu_millicores=8000,
    )


@st.composite
def stays(draw: st.DrawFn, name: str) -> Stay:
    bound, ready, ended = sorted(draw(st.tuples(hours, hours, hours)))
    return stay(
        name,
        draw(st.sampled_from(["n0", "n1", "elsewhere"])),
        bound=bound,
        ready=draw(st.sampled_from([ready, None])),
        ended=draw(st.sampled_from([ended, None])),
        owner=draw(owners),
        gpus=draw(st.integers(0, 4)),
        cpu_millicores=draw(st.integers(0, 9000)),
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    begin, end = sorted(draw(st.tuples(hours, hours)))
    gap = Gap(begin=NOON + begin * HOUR, end=NOON + end * HOUR, why="away")
    return History(
        nodes=tuple(draw(lives(f"n{i}")) for i in range(draw(st.integers(0, 2)))),
        stays=tuple(draw(stays(f"p{i}")) for i in range(draw(st.integers(0, 5)))),
        gaps=draw(st.sampled_from([(), (gap,)])),
    )


def _window(begin: float, end: float) -> Span:
    return Span(begin=NOON + begin * HOUR, end=NOON + end * HOUR)


def _by_hand(history: History, window: Span) -> Fraction:
    """Lifetime × price, in fractions of whole milliseconds, node by node."""
    total = Fraction(0)
    for one in history.nodes:
        gone = window.end if one.gone_at is None else min(one.gone_at, window.end)
        for i, change in enumerate(one.prices):
            since = one.node.created_at if i == 0 else change.since
            until = one.prices[i + 1].since if i + 1 < len(one.prices) else gone
            begin, end = max(since, window.begin), min(until, gone)
            spent = max(round(end * 1000) - round(begin * 1000), 0)
            total += Fraction(change.price.per_hour) * spent / 3_600_000  # type: ignore[union-attr]
    return total


@given(history=histories(), window=st.tuples(hours, hours).map(sorted))
def test_the_lines_are_what_the_nodes_cost(history: History, window: list[float]) -> None:
    span = _window(*window)
    made = ledger(history, span)
    expected = _by_hand(history, span)
    assert abs(Fraction(made.total.amount) - expected) < Fraction(CENT) / 1_000_000
    assert abs(made.paid - made.total.amount) < CENT / 1_000_000
    assert all(line.total.amount >= 0 for line in made.lines)


@given(history=histories(), window=st.tuples(hours, hours, hours).map(sorted))
def test_two_windows_cost_what_the_whole_costs(history: History, window: list[float]) -> None:
    begin, cut, end = window
    halves = ledger(history, _window(begin, cut)), ledger(history, _window(cut, end))
    whole = ledger(history, _window(begin, end))
    for kind in Kind:
        apart = [total_of(x for x in half.lines if x.key.kind is kind).amount for half in halves]
        together = total_of(x for x in whole.lines if x.key.kind is kind).amount
        assert abs(sum(apart) - together) < CENT / 1_000_000
