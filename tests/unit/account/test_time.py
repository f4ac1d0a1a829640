"""Clocks, months, days and prices that change while money is counted, keyed by a sentence."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from inference_cost.account.accrual import CostLine, Running, sum_of
from inference_cost.account.ledger.build import ledger
from inference_cost.account.ledger.history import History, NodeLife, PriceChange, Span
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.month import AccountMemory, advance
from inference_cost.model.workload import CapacityType
from tests.unit.account.worlds import node, price

LINE = CostLine(kind=Kind.SERVING, pool="l4", capacity_type=CapacityType.ON_DEMAND)
TICK = 15.0
GAP = 45.0
HOUR = 3600.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def counted(begin: float, looks: Sequence[tuple[float, str]]) -> AccountMemory:
    """Looks at (seconds after the begin, price per hour); one replica that has always been there."""
    memory: AccountMemory | None = None
    for seconds, per_hour in looks:
        memory = advance(
            memory,
            at=begin + seconds,
            per_hour=Decimal(per_hour),
            running=[Running(line=LINE, per_hour=Decimal(per_hour), since=0.0, ready_at=0.0)],
            gap_after_seconds=GAP,
        )
    assert memory is not None
    return memory


def every(
    begin: float, end: float, per_hour: str = "3600", by: float = TICK
) -> list[tuple[float, str]]:
    """At 3600 an hour a second costs one."""
    return [(begin + i * by, per_hour) for i in range(int((end - begin) / by) + 1)]


# What was charged, and how long nobody knows, by what clock and price did in ten minutes.
MINUTES: dict[str, tuple[list[tuple[float, str]], str, float]] = {
    "nothing": (every(0, 600), "600", 0),
    "the clock goes back by two minutes: they are not charged twice": (
        [*every(0, 300), *every(180, 480)], "480", 0,
    ),
    "it goes back by a tick": ([*every(0, 300), *every(285, 600)], "600", 0),
    "it goes on by five minutes: the replica is still there, at the same price": (
        [*every(0, 300), *every(600, 900)], "900", 0,
    ),
    "it goes on by an hour and back again: at the end no second was charged twice": (
        [*every(0, 300), (3900, "3600"), *every(315, 600)], "3900", 3600,
    ),
    "it stands still": ([*every(0, 300), *[(300, "3600")] * 9, *every(315, 600)], "600", 0),
    "the price doubles in the middle": (
        [*every(0, 300), *every(300, 600, "7200")], "900", 0,
    ),
    "the price changes between two looks: the one that was seen holds until the next": (
        [(0, "3600"), (15, "7200"), (30, "3600")], "45", 0,
    ),
    "the price changed while nobody looked: what it was then is not known": (
        [*every(0, 300), *every(600, 900, "7200")], "900", 300,
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", MINUTES)
def test_ten_minutes(sentence: str) -> None:
    looks, amount, unknown = MINUTES[sentence]
    found = counted(at("2026-03-10T12:00:00"), looks)
    assert (found.amount, found.gap_seconds) == (Decimal(amount), unknown)


ENDS = {
    "January": ("2026-01-31T23:00:00", "2026-02"),
    "February": ("2026-02-28T23:00:00", "2026-03"),
    "February of a leap year": ("2028-02-29T23:00:00", "2028-03"),
    "the year": ("2026-12-31T23:00:00", "2027-01"),
}


@pytest.mark.parametrize("sentence", ENDS)
def test_at_the_end_of(sentence: str) -> None:
    begin, month = ENDS[sentence]
    found = counted(at(begin), every(0, 2 * HOUR + 7, "2"))
    assert (found.month, round(found.amount, 6)) == (month, 2)
    assert (found.gap_seconds, found.last_at - found.since) == (0, HOUR)
    assert round(sum_of(found.totals), 9) == 4
    assert [day.seconds for day in found.days] == [HOUR, HOUR]


# Local days on which clocks change; a bill is for hours, not for what clocks show.
CHANGES = {
    "forward in New York": ("America/New_York", (2026, 3, 8), 23),
    "back in New York": ("America/New_York", (2026, 11, 1), 25),
    "forward in Berlin": ("Europe/Berlin", (2026, 3, 29), 23),
    "back in Berlin": ("Europe/Berlin", (2026, 10, 25), 25),
    "by half an hour on Lord Howe": ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_clocks_go(sentence: str) -> None:
    zone, (year, month, day), hours = CHANGES[sentence]
    midnights = [
        datetime(year, month, d, tzinfo=ZoneInfo(zone)).timestamp() for d in (day, day + 1)
    ]
    life = NodeLife(
        node=node(created_at=0.0),
        ready_at=0.0,
        gone_at=None,
        prices=(PriceChange(since=0.0, price=price("2")),),
    )
    made = ledger(History(nodes=(life,)), Span(begin=midnights[0], end=midnights[1]))
    assert made.total.amount == 2 * Decimal(str(hours))
    whole = counted(midnights[0], every(0, hours * HOUR, "2", by=30.0))
    assert round(sum_of(whole.totals), 9) == 2 * Decimal(str(hours))
