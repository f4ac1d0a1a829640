"""Money that adds up from look to look, by line.

What ran at the last look is charged at its rate until this one. After an absence that does not hold: then only what is
known from lifetimes is charged, a pod that is still there for the time since it was bound, and that only where the same
line had the same price at both ends. Whether that is all that ran is told, too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inference_cost.account.calendar import DAY_SECONDS, date_of
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.milliseconds import hours_between
from inference_cost.model.workload import CapacityType

DAYS_KEPT = 29  # four weeks and today
LONGEST_WHOLE_SECONDS = 900.0  # in a longer absence pods may have come and gone
WHOLE = (
    0.999  # of a day, or month: what a change of leaders leaves out is no reason to do without it
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """What an amount is for. `variant` and `cost_center` are empty for lines of a pool."""

    kind: Kind
    pool: str
    capacity_type: CapacityType
    variant: str = ""
    cost_center: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A replica, or the rest of a node, as seen now. `since`: it has been there; `ready_at`: it has served."""

    line: CostLine
    per_hour: Decimal
    since: float
    ready_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """As many at the same price in the same line."""

    line: CostLine
    per_hour: Decimal  # of one
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """`per_hour`: of all `count` replicas, or nodes."""

    line: CostLine
    per_hour: Decimal
    begin: float
    end: float
    count: int = 1

    @property
    def amount(self) -> Decimal:
        return self.per_hour * hours_between(self.begin, self.end)

    @property
    def hours(self) -> Decimal:
        """Of replicas or nodes: two for an hour are two."""
        return self.count * hours_between(self.begin, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Amount of one day (UTC, "2026-11-27"), and of how many seconds of it."""

    date: str
    amount: Decimal
    seconds: float


Totals = tuple[tuple[CostLine, Decimal], ...]


def rates_of(running: Iterable[Running]) -> tuple[Rate, ...]:
    counted = Counter((one.line, one.per_hour) for one in running)
    return tuple(
        Rate(line=line, per_hour=per_hour, count=count)
        for (line, per_hour), count in counted.items()
    )


def steady(rates: Iterable[Rate], begin: float, end: float) -> list[Charge]:
    """The last look holds until this one."""
    return [
        Charge(line=r.line, per_hour=r.per_hour * r.count, begin=begin, end=end, count=r.count)
        for r in rates
    ]


def survived(
    rates: Sequence[Rate], running: Iterable[Running], begin: float, end: float
) -> tuple[list[Charge], bool]:
    """What is known of an absence by lifetimes; True: that is all that ran, but for what came and went in minutes."""
    left = Counter({_place(r.line, r.per_hour): r.count for r in _merged(rates)})
    priced = set(left)
    charges: list[Charge] = []
    whole = True
    for one in running:
        place = _place(one.line, one.per_hour)
        if place not in priced:
            whole = False
            continue
        charges += _of(one, begin, end)
        if one.since <= begin:
            left[place] -= 1
    short = end - begin <= LONGEST_WHOLE_SECONDS
    return charges, whole and short and all(count <= 0 for count in left.values())


def _of(one: Running, begin: float, end: float) -> Iterator[Charge]:
    """From its coming on; a replica that serves now has booted until it was ready."""
    since = max(one.since, begin)
    ready = since
    if one.line.kind is Kind.SERVING and one.ready_at is not None:
        ready = min(max(one.ready_at, since), end)
        boot = replace(one.line, kind=Kind.BOOT)
        if ready > since:
            yield Charge(line=boot, per_hour=one.per_hour, begin=since, end=ready)
    if end > ready:
        yield Charge(line=one.line, per_hour=one.per_hour, begin=ready, end=end)


def _place(line: CostLine, per_hour: Decimal) -> tuple[CostLine, Decimal]:
    """Whether it has served yet is no difference of price."""
    kind = Kind.SERVING if line.kind is Kind.BOOT else line.kind
    return replace(line, kind=kind), per_hour


def _merged(rates: Iterable[Rate]) -> Iterator[Rate]:
    counted: Counter[tuple[CostLine, Decimal]] = Counter()
    for rate in rates:
        counted[_place(rate.line, rate.per_hour)] += rate.count
    for (line, per_hour), count in counted.items():
        yield Rate(line=line, per_hour=per_hour, count=count)


def added(totals: Totals, charges: Iterable[Charge]) -> Totals:
    found = dict(totals)
    for charge in charges:
        found[charge.line] = found.get(charge.line, Decimal(0)) + charge.amount
    return tuple(found.items())


def with_hours(hours: Totals, charges: Iterable[Charge]) -> Totals:
    found = dict(hours)
    for charge in charges:
        found[charge.line] = found.get(charge.line, Decimal(0)) + charge.hours
    return tuple(found.items())


def from_zero(totals: Totals, running: Iterable[Running]) -> Totals:
    """Lines that are new begin at zero: `increase()` sees nothing of a series before its first sample."""
    known = {line for line, _ in totals}
    new = dict.fromkeys(one.line for one in running if one.line not in known)
    return (*totals, *((line, Decimal(0)) for line in new))


def with_days(
    days: tuple[Day, ...], charges: Sequence[Charge], known: tuple[float, float]
) -> tuple[Day, ...]:
    """The days with what was charged. `known`: the time of which all is known; empty where it is not."""
    found = {day.date: day for day in days}
    pieces = [(begin, end, c.per_hour) for c in charges for begin, end in by_day(c.begin, c.end)]
    for begin, end, per_hour in pieces:
        _add(found, begin, per_hour * hours_between(begin, end), 0.0)
    for begin, end in by_day(*known):
        _add(found, begin, Decimal(0), end - begin)
    return tuple(sorted(found.values(), key=lambda day: day.date))[-DAYS_KEPT:]


def _add(days: dict[str, Day], at: float, amount: Decimal, seconds: float) -> None:
    date = date_of(at)
    day = days.get(date) or Day(date=date, amount=Decimal(0), seconds=0.0)
    days[date] = replace(day, amount=day.amount + amount, seconds=day.seconds + seconds)


def whole_days(days: Iterable[Day], at: float) -> list[Decimal]:
    """Amounts of the days before that of `at` that are known from midnight to midnight, the newest last."""
    today = date_of(at)
    return [day.amount for day in days if day.date < today and day.seconds >= WHOLE * DAY_SECONDS]


def by_day(begin: float, end: float) -> Iterator[tuple[float, float]]:
    """The time cut at each midnight (UTC); nothing where it ends before it begins."""
    while begin < end:
        midnight = (begin // DAY_SECONDS + 1) * DAY_SECONDS
        yield begin, min(midnight, end)
        begin = midnight


def sum_of(totals: Mapping[CostLine, Decimal] | Totals) -> Decimal:
    amounts = totals.values() if isinstance(totals, Mapping) else (amount for _, amount in totals)
    return sum(amounts, Decimal(0))
