"""What an absence is charged, and days, keyed by a sentence."""

from decimal import Decimal

import pytest

from inference_cost.account.accrual import (
    CostLine,
    Day,
    Rate,
    Running,
    rates_of,
    sum_of,
    whole_days,
)
from inference_cost.account.calendar import month_start
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.month import AccountMemory, advance
from inference_cost.model.workload import CapacityType

NOVEMBER = month_start("2025-11")
HOUR = 3600.0
MINUTE = 60.0
SERVING = CostLine(kind=Kind.SERVING, pool="l4", capacity_type=CapacityType.ON_DEMAND)
SPOT = CostLine(kind=Kind.SERVING, pool="l4-spot", capacity_type=CapacityType.SPOT)
BOOT = CostLine(kind=Kind.BOOT, pool="l4", capacity_type=CapacityType.ON_DEMAND)


def replica(
    since: float = -HOUR, rate: str = "6", line: CostLine = SERVING, ready: float | None = -HOUR
) -> Running:
    """Times in seconds after the last look."""
    return Running(
        line=line,
        per_hour=Decimal(rate),
        since=NOVEMBER + since,
        ready_at=None if ready is None else NOVEMBER + ready,
    )


def memory(*running: Running) -> AccountMemory:
    total = sum((one.per_hour for one in running), Decimal(0))
    return AccountMemory(
        month="2025-11",
        amount=Decimal(0),
        since=NOVEMBER,
        last_at=NOVEMBER,
        per_hour=total,
        rates=rates_of(running),
    )


def after(seconds: float, before: AccountMemory, *running: Running) -> AccountMemory:
    return advance(
        before,
        at=NOVEMBER + seconds,
        per_hour=sum((one.per_hour for one in running), Decimal(0)),
        running=running,
        gap_after_seconds=45,
    )


TEN = 10 * MINUTE  # at 6 an hour: one
ABSENCES: dict[str, tuple[list[Running], list[Running], float, str, float]] = {
    "who is still there was there": ([replica()], [replica()], TEN, "1", 0),
    "another pod of the same place that came before is as good": (
        [replica()], [replica(since=-5)], TEN, "1", 0,
    ),
    "one that came in between is charged from then on": (
        [replica()], [replica(), replica(since=5 * MINUTE, ready=5 * MINUTE)], TEN, "1.5", 0,
    ),
    "one more that was there all along is known by its own life": (
        [replica()], [replica(), replica()], TEN, "2", 0,
    ),
    "one that went leaves a gap: until when it ran is not known": (
        [replica(), replica()], [replica()], TEN, "1", TEN,
    ),
    "one that was replaced leaves a gap, too": (
        [replica()], [replica(since=5 * MINUTE, ready=5 * MINUTE)], TEN, "0.5", TEN,
    ),
    "a price that changed in between is not known in between": (
        [replica(rate="6")], [replica(rate="12")], TEN, "0", TEN,
    ),
    "a pool that nobody was in before has no known price": (
        [replica()], [replica(), replica(since=0, line=SPOT)], TEN, "1", TEN,
    ),
    "in an hour pods may have come and gone": ([replica()], [replica()], HOUR, "6", HOUR),
    "one that was not ready yet is the same one when it is": (
        [replica(line=BOOT, ready=None)], [replica(ready=5 * MINUTE)], TEN, "1", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", ABSENCES)
def test_an_absence(sentence: str) -> None:
    before, now, seconds, amount, gap = ABSENCES[sentence]
    found = after(seconds, memory(*before), *now)
    assert (found.amount, found.gap_seconds) == (Decimal(amount), gap)
    assert sum_of(found.totals) == found.amount


def test_a_replica_that_got_ready_in_an_absence_has_booted_until_then() -> None:
    found = after(TEN, memory(replica(line=BOOT, ready=None)), replica(ready=2.5 * MINUTE))
    assert dict(found.totals) == {BOOT: Decimal("0.25"), SERVING: Decimal("0.75")}


def test_between_two_ticks_the_last_look_holds_whatever_is_seen_now() -> None:
    found = after(30, memory(replica(rate="12")))
    assert (found.amount, found.gap_seconds) == (Decimal("0.1"), 0)


def test_after_a_hand_over_even_a_short_time_is_charged_by_lifetimes() -> None:
    """The checkpoint's rates are of a time before the last leader's last look."""
    before = memory(replica(), replica())
    handed = AccountMemory(
        month=before.month,
        amount=before.amount,
        since=before.since,
        last_at=before.last_at,
        rates=before.rates,
        handed_over=True,
    )
    found = after(30, handed, replica())
    assert (found.amount, found.gap_seconds) == (Decimal("0.05"), 30)
    assert not found.handed_over


def test_totals_and_days_go_on_where_the_month_starts_anew() -> None:
    december = month_start("2025-12")
    late = AccountMemory(
        month="2025-11",
        amount=Decimal(9),
        since=NOVEMBER,
        last_at=december - 20,
        per_hour=Decimal(36),
        rates=(Rate(line=SERVING, per_hour=Decimal(36), count=1),),
        totals=((SERVING, Decimal(9)),),
    )
    found = after(december + 20 - NOVEMBER, late, replica(rate="36"))
    assert (found.amount, found.month) == (Decimal("0.2"), "2025-12")
    assert dict(found.totals) == {SERVING: Decimal("9.4")}
    assert found.days == (
        Day(date="2025-11-30", amount=Decimal("0.2"), seconds=20),
        Day(date="2025-12-01", amount=Decimal("0.2"), seconds=20),
    )


def test_only_days_that_are_known_from_midnight_to_midnight_are_whole() -> None:
    found: AccountMemory | None = None
    for minute in range(int(3.5 * 24 * 60)):
        running = [replica(rate="24" if minute < 24 * 60 else "48")]
        skipped = 2 * 24 * 60 < minute < 2 * 24 * 60 + 20  # an absence
        if not skipped:
            at = NOVEMBER + minute * MINUTE
            found = advance(
                found, at=at, per_hour=Decimal(1), running=running, gap_after_seconds=90
            )
    assert found is not None
    sums = whole_days(found.days, NOVEMBER + 3.5 * 24 * HOUR)
    assert [round(amount) for amount in sums] == [576, 1152]
    assert [day.date for day in found.days] == [f"2025-11-0{i}" for i in (1, 2, 3, 4)]
