"""What was unknown between the last checkpoint and the end of a leader, as its successor counts it."""

from decimal import Decimal

import pytest

from inference_cost.account.accrual import CostLine, Day, whole_days
from inference_cost.account.calendar import DAY_SECONDS, month_start
from inference_cost.account.hand_over import Recorded, RecordedCosts, Teller, handed_over
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.month import AccountMemory, Unknown, month_to_date
from inference_cost.model.workload import CapacityType
from tests.unit.account.worlds import key

HOUR = 3600.0
DECEMBER = month_start("2025-12")
LINE = CostLine(kind=Kind.SERVING, pool="l4", capacity_type=CapacityType.ON_DEMAND)
BEFORE = Unknown(away=100.0, unpriced=200.0)


def taken_over(stored_at: float, counted_at: float, unknown: Unknown) -> AccountMemory:
    """Times in seconds from the beginning of December; all of November until the checkpoint is known."""
    day = Day(date="2025-11-30", amount=Decimal(90), seconds=DAY_SECONDS + min(stored_at, 0.0))
    stored = AccountMemory(
        month="2025-11" if stored_at < 0 else "2025-12",
        amount=Decimal(100),
        since=DECEMBER - DAY_SECONDS,
        last_at=DECEMBER + stored_at,
        gap_seconds=BEFORE.away,
        unpriced_seconds=BEFORE.unpriced,
        totals=((LINE, Decimal(100)),),
        unknown=BEFORE,
        days=(day,),
    )
    told = Recorded(
        counted_at=DECEMBER + counted_at,
        totals=((LINE, Decimal(102)),),
        month_to_date=Decimal(1),
        unknown=Unknown(
            away=BEFORE.away + unknown.away, unpriced=BEFORE.unpriced + unknown.unpriced
        ),
    )
    recorded = RecordedCosts(tellers=(Teller(policies={key(): told}, pools={}),))
    return handed_over({key(): stored}, recorded)[key()]


MONTHS: dict[str, tuple[float, float, Unknown, tuple[float, float]]] = {
    "within a month all of it is added": (
        HOUR, 2 * HOUR, Unknown(away=60.0, unpriced=600.0), (160.0, 800.0),
    ),
    "over the turn of a month no more than the new one has": (
        -HOUR, HOUR / 2, Unknown(unpriced=1.5 * HOUR), (0.0, HOUR / 2),
    ),
    "a gap over the turn of a month may be of the new one": (
        -HOUR, HOUR / 2, Unknown(away=60.0, unpriced=120.0), (60.0, 120.0),
    ),
    "no second of the new month is unknown twice": (
        -HOUR, HOUR / 2, Unknown(away=HOUR / 4, unpriced=HOUR), (HOUR / 4, HOUR / 4),
    ),
    "where all is known nothing is added": (-HOUR, HOUR / 2, Unknown(), (0.0, 0.0)),
}  # fmt: skip


@pytest.mark.parametrize("sentence", MONTHS)
def test_the_month_that_goes_on(sentence: str) -> None:
    stored_at, counted_at, unknown, (away, unpriced) = MONTHS[sentence]
    found = taken_over(stored_at, counted_at, unknown)
    assert (found.gap_seconds, found.unpriced_seconds) == (away, unpriced)


def test_a_new_month_of_which_nothing_is_known_is_not_covered() -> None:
    found = taken_over(-HOUR, HOUR / 2, Unknown(unpriced=1.5 * HOUR))
    assert month_to_date(found, created_at=0.0).coverage == 0.0


DAYS: dict[str, tuple[float, Unknown, int]] = {
    "all is known": (HOUR, Unknown(), 1),
    "a price was unknown for an hour, on either side of midnight": (
        HOUR, Unknown(unpriced=HOUR), 0,
    ),
    "a price was unknown before midnight": (0.0, Unknown(unpriced=HOUR / 2), 0),
    "a change of leaders is no reason to do without the day": (HOUR, Unknown(away=20.0), 1),
    "an absence of five minutes is one": (HOUR, Unknown(away=300.0), 0),
}  # fmt: skip


@pytest.mark.parametrize("sentence", DAYS)
def test_a_day_of_which_part_was_unknown_is_not_whole(sentence: str) -> None:
    counted_at, unknown, whole = DAYS[sentence]
    found = taken_over(-HOUR, counted_at, unknown)
    assert len(whole_days(found.days, DECEMBER + HOUR)) == whole
