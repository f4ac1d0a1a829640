"""How much counters of the operator grew in a time, whoever exported them.

They go on over changes of leaders. In each period the highest value counts, less what it had come to before. A fall is
a leader that knew less than the one before: until it has come so far again, what it counts is counted already. A fall
by more than half is a count that began anew, and counts from zero, as in the recording rules.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from inference_cost.model import recorded as names
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.prometheus_client import MetricsReader
from inference_cost.observe.recorded_costs import REACH_SECONDS, label_of, number_of
from inference_cost.observe.settings import PrometheusSettings

LEAST_FALL = Decimal("0.01")  # floats are not exact
ANEW = Decimal("0.5")  # of what it had come to: less is another count
NOTHING = Decimal(0)

Key = tuple[str, ...]  # values of the labels asked for
Values = Mapping[Key, Decimal]
Period = tuple[float, float]  # epoch seconds
Anew = Callable[[Any], frozenset[int]]  # periods that a key's count begins anew with


def never(_key: Any) -> frozenset[int]:
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """One family, without prefix, and the labels that tell its series apart. `suffix`: none for a gauge."""

    family: str
    labels: Sequence[str]
    suffix: str = "_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """By key: what it had come to when the time began, and by period its lowest and highest. `last`: at the end."""

    before: Mapping[Any, Decimal]
    lowest: Mapping[Any, Sequence[Decimal | None]]
    highest: Mapping[Any, Sequence[Decimal | None]]
    last: Mapping[Any, Decimal] = field(default_factory=dict)

    def grown(self, anew: Anew = never) -> dict[Any, tuple[Decimal, ...]]:
        """By period. A key that is not there when the time begins counts from its first value on."""
        return {
            key: grown_by(values, self.begun(key), anew(key))
            for key, values in self.highest.items()
        }

    def begun(self, key: Any) -> Decimal:
        if key in self.before:
            return self.before[key]
        return next((value for value in self.lowest.get(key, ()) if value is not None), NOTHING)

    def fallen(self, anew: Anew = never) -> list[Any]:
        """Keys whose total fell: a leader did not know all of what the one before had counted."""
        return [
            key
            for key, values in self.highest.items()
            if _falls((*values, self.last.get(key)), anew(key))
        ]


def grown_by(
    values: Sequence[Decimal | None], begun: Decimal, anew: frozenset[int] = frozenset()
) -> tuple[Decimal, ...]:
    """How much a total rose in each period, from the highest value of each. `anew`: periods that begin at zero."""
    grown = []
    for reached, value in _reached(values, begun, anew):
        grown.append(NOTHING if value is None else max(value - reached, NOTHING))
    return tuple(grown)


def _reached(
    values: Sequence[Decimal | None], begun: Decimal, anew: frozenset[int]
) -> Iterator[tuple[Decimal, Decimal | None]]:
    """What it had come to before each value."""
    reached = begun
    for period, value in enumerate(values):
        if period in anew or (value is not None and value < ANEW * reached):
            reached = NOTHING
        yield reached, value
        reached = reached if value is None else max(reached, value)


def _falls(values: Sequence[Decimal | None], anew: frozenset[int]) -> bool:
    before: Decimal | None = None
    for period, value in enumerate(values):
        known = None if period in anew else before
        if known is not None and value is not None and known - value > LEAST_FALL:
            return True
        before = known if value is None else value
    return False


@dataclass(frozen=True, slots=True)
class CounterStore:
    """A Prometheus that scraped the operator."""

    reader: MetricsReader
    prometheus: PrometheusSettings

    async def last(self, counters: Counters, at: float) -> Values | Missing:
        return await self._over_time(counters, "last", REACH_SECONDS, at)

    async def lowest(self, counters: Counters, begin: float, end: float) -> Values | Missing:
        return await self._over_time(counters, "min", _seconds(begin, end), end)

    async def highest(self, counters: Counters, begin: float, end: float) -> Values | Missing:
        return await self._over_time(counters, "max", _seconds(begin, end), end)

    async def _over_time(
        self, counters: Counters, how: str, seconds: int, at: float
    ) -> Values | Missing:
        """The highest of the processes that exported a series; the lowest for `min`."""
        matchers = self.prometheus.matchers.strip(" ,")
        name = f"{names.PREFIX}{counters.family}{counters.suffix}"
        promql = f"{how}_over_time({name}{{{matchers}}}[{seconds}s])"
        answer = await self.reader.query(promql, at=at)
        if isinstance(answer, Missing):
            return answer
        if answer.partial:
            return Missing(reason=MissingReason.PARTIAL, detail="Prometheus: a partial answer")
        choose = min if how == "min" else max
        found: dict[Key, Decimal] = {}
        for entry in answer.result:
            number = number_of(entry.get("value"))
            if number is not None:
                value = Decimal(str(number))
                key = tuple(label_of(entry["metric"], label) for label in counters.labels)
                found[key] = choose(found[key], value) if key in found else value
        return found


async def read_total(
    store: CounterStore, counters: Counters, periods: Sequence[Period]
) -> Total | Missing:
    """Of periods that follow each other; Missing where the store does not answer in full."""
    answers = await asyncio.gather(
        store.last(counters, periods[0][0]),
        store.last(counters, periods[-1][1]),
        *(store.lowest(counters, *period) for period in periods),
        *(store.highest(counters, *period) for period in periods),
    )
    found: list[Values] = []
    for answer in answers:
        if isinstance(answer, Missing):
            return answer
        found.append(answer)
    before, last, *more = found
    lowest, highest = more[: len(periods)], more[len(periods) :]
    return Total(before=before, last=last, lowest=_by_key(lowest), highest=_by_key(highest))


def _by_key(periods: Sequence[Values]) -> dict[Key, list[Decimal | None]]:
    keys = dict.fromkeys(key for values in periods for key in values)
    return {key: [values.get(key) for values in periods] for key in keys}


def _seconds(begin: float, end: float) -> int:
    """As PromQL has them."""
    return max(round(end - begin), 1)
