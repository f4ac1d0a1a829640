"""The whole month foretold, from the days that are known."""

from decimal import Decimal

import numpy as np
import pytest

from inference_cost.account.calendar import DAY_SECONDS, month_end, month_start
from inference_cost.account.projection import TOO_FEW, Projection, project
from inference_cost.model.reading import Missing, MissingReason

NOVEMBER = month_start("2025-11")
UNPRICED = Missing(reason=MissingReason.PRICE_UNKNOWN)


def made(
    days: list[int], *, day: float = 20, so_far: int = 0, rate: Decimal | Missing = UNPRICED
) -> Projection:
    """On the morning after `day` days of November."""
    found = project(
        Decimal(so_far),
        at=NOVEMBER + day * DAY_SECONDS,
        per_hour=rate,
        whole_days=[Decimal(d) for d in days],
    )
    assert isinstance(found, Projection)
    return found


def test_days_that_cost_the_same_leave_no_doubt() -> None:
    found = made([10] * 7, so_far=200)
    assert (found.expected, found.low, found.high) == (300, 300, 300)
    assert (found.month, found.days) == ("2025-11", 7)


def test_the_band_is_wider_the_more_days_are_left_and_never_below_what_is_spent() -> None:
    widths = []
    for day in (29, 20, 5):
        found = made([2, 18] * 4, day=day, so_far=200)
        assert isinstance(found.high, Decimal)
        widths.append(found.high - found.expected)
    assert widths == sorted(widths)
    assert made([0, 0, 0, 0, 100], day=29, so_far=200).low == 200


def test_before_three_whole_days_the_rate_goes_on_and_there_is_no_band() -> None:
    found = made([10, 10], day=29, so_far=20, rate=Decimal(2))
    assert (found.expected, found.low, found.high) == (68, TOO_FEW, TOO_FEW)


def test_without_days_and_without_a_price_nothing_is_foretold() -> None:
    assert project(Decimal(5), at=NOVEMBER, per_hour=UNPRICED, whole_days=[]) == UNPRICED


def test_four_of_five_months_are_within_the_band() -> None:
    """Of days that are independent. 20 days known, 10 to come; the share has a standard error of 0.9 %."""
    drawn = np.random.default_rng(7).gamma(4.0, 25.0, size=(2000, 30)).round(2)
    inside = 0
    for month in drawn:
        days = [Decimal(str(day)) for day in month]
        so_far = sum(days[:20], Decimal(0))
        found = project(
            so_far, at=NOVEMBER + 20 * DAY_SECONDS, per_hour=UNPRICED, whole_days=days[:20]
        )
        assert isinstance(found, Projection)
        assert isinstance(found.low, Decimal)
        assert isinstance(found.high, Decimal)
        inside += found.low <= so_far + sum(days[20:], Decimal(0)) <= found.high
    assert inside / len(drawn) == pytest.approx(0.80, abs=0.03)


ENDS = {"2025-11": "2025-12", "2025-12": "2026-01", "2026-02": "2026-03", "2028-02": "2028-03"}


@pytest.mark.parametrize("month", ENDS)
def test_a_month_ends_where_the_next_one_begins(month: str) -> None:
    begin = month_start(month)
    assert month_end(begin) == month_end(month_start(ENDS[month]) - 1) == month_start(ENDS[month])
