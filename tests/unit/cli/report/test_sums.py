"""Arithmetic of a report: what totals grew by over failovers, parts that add up, windows of whole pieces."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inference_cost.account.accrual import CostLine
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.rounding import rounded_to
from inference_cost.cli.ago import Times
from inference_cost.cli.failure import CommandError
from inference_cost.cli.report.series import LIMITED_BY, MEANS, POOL_UNPRICED
from inference_cost.cli.report.spending import breakdowns_of, policy_costs, spending_of
from inference_cost.cli.report.window import DAY, MOST_PIECES, report_times, window_of
from inference_cost.control.metrics import Metrics
from inference_cost.model import recorded as names
from inference_cost.model.workload import CapacityType
from inference_cost.observe.grown import grown_by

NOW = 1_740_000_000.0
money = st.decimals(0, 100_000, places=6)
seen = st.lists(st.one_of(st.none(), money), min_size=1, max_size=40)


@given(seen, money)
def test_a_total_that_never_falls_grew_by_its_end_less_its_beginning(
    values: list[Decimal | None], begun: Decimal
) -> None:
    rising: list[Decimal | None] = []
    highest = begun
    for value in values:
        highest = max(highest, value or highest)
        rising.append(None if value is None else highest)
    grown = grown_by(rising, begun)
    assert sum(grown, Decimal(0)) == max([begun, *filter(None, rising)]) - begun


@given(st.lists(st.one_of(st.none(), st.decimals(50, 100, places=6)), min_size=1, max_size=40))
def test_a_total_that_fell_a_little_counts_nothing_twice(values: list[Decimal | None]) -> None:
    """A leader that knew less than the one before: until it has come so far, what it counts is counted already."""
    grown = grown_by(values, Decimal(60))
    assert all(one >= 0 for one in grown)
    assert sum(grown, Decimal(0)) == max([Decimal(60), *filter(None, values)]) - 60


@given(money, st.lists(money, min_size=1, max_size=10))
def test_a_total_that_fell_by_more_than_half_began_anew(old: Decimal, steps: list[Decimal]) -> None:
    assume(steps[0] < old / 2)
    rising = [sum(steps[: i + 1], Decimal(0)) for i in range(len(steps))]
    assert grown_by([old, *rising], Decimal(0)) == (old, *steps)


@given(money, money)
def test_a_period_that_begins_anew_counts_all_of_it(old: Decimal, new: Decimal) -> None:
    assert grown_by([old, new], Decimal(0), frozenset({1})) == (old, new)


@given(
    st.lists(money, min_size=1, max_size=20), st.sampled_from([Decimal("0.01"), Decimal("0.0001")])
)
def test_rounded_parts_add_up_and_are_no_unit_away(amounts: list[Decimal], unit: Decimal) -> None:
    total = sum(amounts, Decimal(0)).quantize(unit)
    parts = rounded_to(amounts, total, unit)
    assert sum(parts, Decimal(0)) == total
    assert all(abs(part - exact) <= 2 * unit for part, exact in zip(parts, amounts, strict=True))


lines = st.dictionaries(
    st.tuples(
        st.sampled_from([("", ""), ("a", "one"), ("a", "two"), ("b", "one")]),
        st.builds(
            CostLine,
            kind=st.sampled_from([Kind.SERVING, Kind.BOOT, Kind.IDLE]),
            pool=st.sampled_from(["l4", "t4"]),
            capacity_type=st.sampled_from(CapacityType),
            variant=st.sampled_from(["", "spot"]),
            cost_center=st.sampled_from(["", "nlp"]),
        ),
    ),
    st.lists(st.decimals(0, 500, places=7), min_size=5, max_size=5).map(tuple),
    max_size=12,
)


@given(lines)
def test_lines_pieces_and_breakdowns_add_up_to_the_unit(found: dict[object, object]) -> None:
    spending = spending_of(found, 5)  # type: ignore[arg-type]
    exact = sum((sum(v, Decimal(0)) for v in found.values()), Decimal(0))  # type: ignore[call-overload]
    assert spending.total == spending.rounding.of(exact)
    charged = [one for one in spending.lines if one.policy]
    assert sum((Decimal(one.amount) for one in charged), Decimal(0)) == spending.policies_total
    assert sum((Decimal(one.amount) for one in spending.lines), Decimal(0)) == spending.total
    assert sum(policy_costs(spending).values(), Decimal(0)) == spending.policies_total
    for breakdown in breakdowns_of(spending):
        amounts = [Decimal(row.amount) for row in breakdown.rows]
        assert sum(amounts, Decimal(0)) == spending.total
        assert all(before >= after for before, after in pairwise(amounts))


@given(st.floats(60, 400 * DAY), st.sampled_from([2.0, 15.0, 30.0, 60.0, 300.0]))
def test_a_window_has_few_whole_pieces_with_two_scrapes_each(seconds: float, scrape: float) -> None:
    window = window_of(Times(begin=NOW - seconds, end=NOW), scrape)
    assert 1 <= window.pieces <= MOST_PIECES
    assert window.piece_seconds >= 2 * scrape
    assert window.end == pytest.approx(NOW)
    assert NOW - seconds - window.piece_seconds <= window.begin <= NOW - seconds + 1e-3
    assert [window.piece_of(window.begin + (i + 1) * window.piece_seconds) for i in range(3)] == [
        0,
        1,
        2,
    ]


def test_round_times_are_taken_as_they_are() -> None:
    window = window_of(report_times("-30d", "now", NOW), 15.0)
    assert (window.begin, window.end) == (NOW - 30 * DAY, NOW)


def test_less_than_a_piece_is_refused() -> None:
    with pytest.raises(CommandError, match="must be before"):
        report_times("-1s", "now", NOW)


def test_every_series_that_is_asked_for_is_one_of_the_operators() -> None:
    exported = {one.name for one in Metrics(version="1").descriptions}
    costs = (names.POLICY_COST, names.POOL_COST, names.COMPARED_COST)
    counts = (names.COMPARED_REQUESTS, names.COMPARED_LATE, names.COMPARED_SECONDS)
    asked = {
        *MEANS,
        *(LIMITED_BY, POOL_UNPRICED, "leader"),
        *(f"{total}_total" for total in (*costs, *counts)),
    }
    assert {f"{names.PREFIX}{one}" for one in asked} <= exported
