"""How much counters of the operator grew in a time, whoever exported them.

They go on over changes of leaders and never fall: the highest value in the time counts, less what it had come to
before.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference_cost.model import recorded as names
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.prometheus_client import MetricsReader
from inference_cost.observe.recorded_costs import REACH_SECONDS, label_of, number_of
from inference_cost.observe.settings import PrometheusSettings

Key = tuple[str, ...]  # values of the labels asked for
Values = Mapping[Key, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """One family, without prefix and `_total`, and the labels that tell its series apart."""

    family: str
    labels: Sequence[str]


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
        name = f"{names.PREFIX}{counters.family}_total"
        promql = f"{how}_over_time({name}{{{matchers}}}[{seconds}s])"
        answer = await self.reader.query(promql, at=at)
        if isinstance(answer, Missing):
            return answer
        if answer.partial:
            return Missing(reason=MissingReason.PARTIAL, detail="Prometheus: a partial answer")
        choose = min if how == "min" else max
        found: dict[Key, float] = {}
        for entry in answer.result:
            value = number_of(entry.get("value"))
            if value is not None:
                key = tuple(label_of(entry["metric"], label) for label in counters.labels)
                found[key] = choose(found[key], value) if key in found else value
        return found


async def read_grown(
    store: CounterStore, counters: Counters, *, begin: float, end: float
) -> Values | Missing:
    """By labels. A series that began in the time counts from its first value on."""
    answers = await asyncio.gather(
        store.last(counters, begin),
        store.lowest(counters, begin, end),
        store.highest(counters, begin, end),
    )
    found = [answer for answer in answers if not isinstance(answer, Missing)]
    if len(found) < len(answers):
        return next(answer for answer in answers if isinstance(answer, Missing))
    before, lowest, highest = found
    return {
        key: max(value - before.get(key, lowest.get(key, value)), 0.0)
        for key, value in highest.items()
    }


def _seconds(begin: float, end: float) -> int:
    """As PromQL has them."""
    return max(round(end - begin), 1)
