"""Month to date: rates over time, gaps, unknown prices and the change of the month."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.account.accrual import CostLine, Running
from inference_cost.account.calendar import month_start
from inference_cost.account.checkpoint import from_dict, to_dict
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.month import (
    AccountMemory,
    MonthToDate,
    advance,
    month_to_date,
)
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType

NOVEMBER = month_start("2025-11")
DECEMBER = month_start("2025-12")
HOUR = 3600.0
LINE = CostLine(kind=Kind.SERVING, pool="l4", capacity_type=CapacityType.ON_DEMAND)
UNKNOWN = Missing(reason=MissingReason.PRICE_UNKNOWN)

Tick = tuple[float, str | None]  # (epoch seconds, $/h or None where the price is unknown)


def run(
    *ticks: Tick, gap_after: float = 2 * HOUR, start: AccountMemory | None = None
) -> AccountMemory:
    memory = start
    for at, rate in ticks:
        memory = advance(
            memory,
            at=at,
            per_hour=UNKNOWN if rate is None else Decimal(rate),
            running=[Running(line=LINE, per_hour=Decimal(rate or "1"), since=at)],
            gap_after_seconds=gap_after,
        )
    assert memory is not None
    return memory


def read(memory: AccountMemory, created_at: float = NOVEMBER) -> MonthToDate:
    return month_to_date(memory, created_at=created_at)


def test_the_first_tick_charges_nothing_and_is_fully_covered() -> None:
    month = read(run((NOVEMBER, "2")))
    assert (month.amount, month.coverage, month.month) == (Decimal(0), 1.0, "2025-11")


def test_each_rate_holds_until_the_next_tick() -> None:
    memory = run((NOVEMBER, "2"), (NOVEMBER + HOUR, "6"), (NOVEMBER + 2 * HOUR, "100"))
    assert read(memory).amount == Decimal(8)


def test_an_absence_is_named_and_charged_to_nobody() -> None:
    month = read(run((NOVEMBER, "2"), (NOVEMBER + 3 * HOUR, "2"), (NOVEMBER + 4 * HOUR, "2")))
    assert month.amount == Decimal(2)
    assert month.gap_seconds == 3 * HOUR
    assert month.coverage == pytest.approx(1 / 4)


def test_an_unknown_price_lowers_the_coverage_and_charges_only_what_is_known() -> None:
    month = read(run((NOVEMBER, None), (NOVEMBER + HOUR, "3"), (NOVEMBER + 2 * HOUR, "3")))
    assert month.amount == Decimal(4)  # 1 $/h known of an unknown rate, then 3 $/h
    assert month.unpriced_seconds == HOUR
    assert month.coverage == pytest.approx(1 / 2)


def test_the_time_before_the_first_sight_of_an_old_policy_is_not_covered() -> None:
    late = NOVEMBER + HOUR
    month = read(run((late, "2"), (late + HOUR, "2")), created_at=NOVEMBER - 9 * HOUR)
    assert month.since == late
    assert month.coverage == pytest.approx(1 / 2)


def test_a_policy_made_in_the_middle_of_the_month_can_be_fully_covered() -> None:
    born = NOVEMBER + 100 * HOUR
    assert read(run((born, "2"), (born + HOUR, "2")), created_at=born).coverage == 1.0


def test_the_moment_between_creation_and_first_sight_is_no_gap() -> None:
    memory = run((NOVEMBER + HOUR + 2, "2"))
    assert month_to_date(memory, created_at=NOVEMBER + HOUR, gap_after_seconds=9).coverage == 1.0
    assert month_to_date(memory, created_at=NOVEMBER + HOUR, gap_after_seconds=1).coverage == 0.0


MISSED: dict[str, tuple[float, float, float, bool]] = {
    "a change of leaders": (HOUR, 0.0, 60.0, True),
    "a minute and a second of an hour": (HOUR, 0.0, 61.0, False),
    "three minutes of a week": (7 * 24 * HOUR, 0.0, 180.0, True),
    "a quarter of an hour of a week": (7 * 24 * HOUR, 0.0, 900.0, False),
    "a count that began anew after an hour": (HOUR, HOUR, 0.0, False),
}


@pytest.mark.parametrize("sentence", MISSED)
def test_a_month_is_counted_but_for_what_changes_of_leaders_take(sentence: str) -> None:
    lasted, begun_late, gap_seconds, counted = MISSED[sentence]
    since = NOVEMBER + begun_late
    whole = run((since, "2"), (since + lasted, "2"), gap_after=lasted)
    assert read(replace(whole, gap_seconds=gap_seconds)).counted == counted


def test_a_clock_that_goes_back_charges_nothing_twice() -> None:
    ahead = run((NOVEMBER, "2"), (NOVEMBER + HOUR, "2"))
    back = run((NOVEMBER, "2"), start=ahead)
    assert back.amount == Decimal(2)
    assert run((NOVEMBER + HOUR, "2"), start=back).amount == Decimal(2)


def test_a_new_month_begins_at_its_first_moment() -> None:
    month = read(
        run((DECEMBER - HOUR / 2, "2"), (DECEMBER + HOUR / 2, "4"), (DECEMBER + HOUR, "0"))
    )
    assert month.month == "2025-12"
    assert month.amount == Decimal(3)  # half an hour at 2, half an hour at 4
    assert (month.since, month.coverage) == (DECEMBER, 1.0)


def test_an_absence_over_the_change_of_the_month_is_a_gap_of_the_new_one() -> None:
    month = read(run((DECEMBER - HOUR, "2"), (DECEMBER + 3 * HOUR, "2")))
    assert (month.month, month.amount, month.since) == ("2025-12", Decimal(0), DECEMBER)
    assert month.gap_seconds == 3 * HOUR
    assert month.coverage == 0.0


def test_a_checkpoint_carries_the_account_on() -> None:
    before = run((NOVEMBER, None), (NOVEMBER + HOUR, "3.25"))
    restored = from_dict(to_dict(before))
    assert restored == before
    assert run((NOVEMBER + 2 * HOUR, "1"), start=restored).amount == Decimal("4.25")


DAMAGE: dict[str, dict[str, object]] = {
    "another version": {"version": 2},
    "no version": {"version": None},
    "an amount that is no number": {"amount": "many"},
    "an infinite amount": {"amount": "Infinity"},
    "a negative amount": {"amount": "-1"},
    "a time that is no number": {"since": "yesterday"},
    "an end before the beginning": {"lastAt": 0.0},
    "a month that does not exist": {"month": "2025-13"},
    "a value of the wrong type": {"gapSeconds": None},
    "a line of a kind that does not exist": {
        "totals": [[["gift", "l4", "spot", "", ""], "1"]],
    },
    "a line that lacks its pool": {"totals": [[["serving", "spot", "", ""], "1"]]},
    "a total that is negative": {"totals": [[["serving", "l4", "spot", "", ""], "-1"]]},
    "a day that does not exist": {"days": [["2025-11-31", "1", 86400.0]]},
    "rates that are no list": {"rates": 5},
}


@pytest.mark.parametrize("sentence", DAMAGE)
def test_a_damaged_checkpoint_is_not_trusted(sentence: str) -> None:
    stored = to_dict(run((NOVEMBER, "1"))) | DAMAGE[sentence]
    assert from_dict(stored) is None


def test_what_an_earlier_version_did_not_keep_is_empty() -> None:
    stored = to_dict(run((NOVEMBER, "1"), (NOVEMBER + HOUR, "1")))
    for later in ("rates", "totals", "days"):
        del stored[later]
    restored = from_dict(stored)
    assert restored is not None
    assert (restored.amount, restored.totals, restored.days) == (Decimal(1), (), ())


def test_a_checkpoint_without_a_field_is_not_trusted() -> None:
    stored = to_dict(run((NOVEMBER, "1")))
    del stored["perHour"]
    assert from_dict(stored) is None


def test_the_memory_is_a_value() -> None:
    memory = run((NOVEMBER, "1"))
    assert replace(memory, amount=Decimal(5)) != memory
