"""What was spent in a time, from the totals that the operator exported: the difference of what they had come to.

Totals never fall, so in each period the highest value counts less the highest of the period before. Where a policy
went, its last value is still in the period. A line that was not there when the time began counts from its first value.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference_cost.account.accrual import CostLine
from inference_cost.account.calendar import month_end
from inference_cost.account.chargeback import Spent
from inference_cost.model import recorded as names
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.prometheus_client import MetricsReader
from inference_cost.observe.recorded_costs import (
    REACH_SECONDS,
    Labels,
    label_of,
    line_of,
    number_of,
)
from inference_cost.observe.settings import PrometheusSettings

FAMILIES = (names.POLICY_COST, names.POOL_COST)
LEAST_FALL = Decimal("0.01")  # floats are not exact

Key = tuple[str, str, CostLine]  # namespace, policy ("" for a pool's own line), line
Values = Mapping[Key, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """`notes`: what is not in it, in words."""

    spent: tuple[Spent, ...]
    notes: tuple[str, ...]


def periods_of(begin: float, end: float) -> list[tuple[float, float]]:
    """Cut at the ends of months."""
    cuts = [begin]
    while month_end(cuts[-1]) < end:
        cuts.append(month_end(cuts[-1]))
    return list(zip(cuts, [*cuts[1:], end], strict=True))


async def read_spending(
    reader: MetricsReader,
    prometheus: PrometheusSettings,
    *,
    begin: float,
    end: float,
    currency: str,
) -> Spending | Missing:
    """Missing where the store does not answer in full."""
    periods = periods_of(begin, end)
    asked = [
        ("last", REACH_SECONDS, begin),
        ("min", _whole(periods[0]), periods[0][1]),
        ("last", REACH_SECONDS, end),
        *(("max", _whole(period), period[1]) for period in periods),
    ]
    store = _Store(reader, prometheus, currency)
    answers = await asyncio.gather(*(store.values(*one) for one in asked))
    found: list[Values] = []
    for answer in answers:
        if isinstance(answer, Missing):
            return answer
        found.append(answer)
    before, first, last, *highest = found
    return _spending(periods, {**first, **before}, highest, last)


def _whole(period: tuple[float, float]) -> int:
    """Seconds, as PromQL has them."""
    return max(round(period[1] - period[0]), 1)


def _spending(
    periods: Sequence[tuple[float, float]],
    begun: Values,
    highest: Sequence[Values],
    last: Values,
) -> Spending:
    spent, reached = [], dict(begun)
    for (begin, end), values in zip(periods, highest, strict=True):
        for key, value in values.items():
            namespace, policy, line = key
            amount = max(value - reached.get(key, Decimal(0)), Decimal(0))
            reached[key] = max(value, reached.get(key, Decimal(0)))
            spent.append(
                Spent(
                    namespace=namespace,
                    policy=policy,
                    line=line,
                    amount=amount,
                    begin=begin,
                    end=end,
                )
            )
    return Spending(spent=tuple(spent), notes=tuple(_fallen(reached, last)))


def _fallen(reached: Values, last: Values) -> list[str]:
    """Totals of a leader that knew nothing of the one before."""
    fallen = {
        f"{namespace}/{policy}" if policy else f"pool {line.pool}"
        for (namespace, policy, line), value in last.items()
        if reached.get((namespace, policy, line), Decimal(0)) - value > LEAST_FALL
    }
    return [
        f"the count of {whose} began anew in this time: what it cost since is not in these amounts"
        for whose in sorted(fallen)
    ]


@dataclass(frozen=True, slots=True)
class _Store:
    reader: MetricsReader
    prometheus: PrometheusSettings
    currency: str

    async def values(self, how: str, seconds: int, at: float) -> Values | Missing:
        """By line, the highest of the processes that exported it; the lowest for `min`."""
        choose = min if how == "min" else max
        found: dict[Key, Decimal] = {}
        matchers = self.prometheus.matchers.strip(" ,")
        for family in FAMILIES:
            query = f"{how}_over_time({names.PREFIX}{family}_total{{{matchers}}}[{seconds}s])"
            answer = await self.reader.query(query, at=at)
            if isinstance(answer, Missing):
                return answer
            if answer.partial:
                return Missing(reason=MissingReason.PARTIAL, detail="Prometheus: a partial answer")
            for entry in answer.result:
                key, value = self._key(entry["metric"], family), number_of(entry.get("value"))
                if key is not None and value is not None:
                    number = Decimal(str(value))
                    found[key] = choose(found[key], number) if key in found else number
        return found

    def _key(self, labels: Labels, family: str) -> Key | None:
        line = line_of(labels)
        if line is None or label_of(labels, "currency") != self.currency:
            return None
        if family == names.POOL_COST:
            return "", "", line
        return label_of(labels, "namespace"), label_of(labels, "policy"), line
