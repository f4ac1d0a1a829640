"""What was spent in a time, from the totals that the operator exported: the difference of what they had come to.

Totals never fall, so in each period the highest value counts less the highest of the period before. Where a policy
went, its last value is still in the period. A line that was not there when the time began counts from its first value.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from inference_cost.account.accrual import CostLine
from inference_cost.account.calendar import month_end
from inference_cost.account.chargeback import Spent
from inference_cost.model import recorded as names
from inference_cost.model.reading import Missing
from inference_cost.observe import grown
from inference_cost.observe.grown import Counters, CounterStore
from inference_cost.observe.prometheus_client import MetricsReader
from inference_cost.observe.recorded_costs import line_of
from inference_cost.observe.settings import PrometheusSettings

OF_POLICIES = Counters(family=names.POLICY_COST, labels=(*names.POLICY_LABELS, *names.LINE_LABELS))
OF_POOLS = Counters(family=names.POOL_COST, labels=names.POOL_LINE_LABELS)
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
    store = CounterStore(reader, prometheus)
    answers = await asyncio.gather(
        _all(lambda c: store.last(c, begin), currency),
        _all(lambda c: store.lowest(c, *periods[0]), currency),
        _all(lambda c: store.last(c, end), currency),
        *(
            _all(partial(store.highest, begin=since, end=until), currency)
            for since, until in periods
        ),
    )
    found: list[Values] = []
    for answer in answers:
        if isinstance(answer, Missing):
            return answer
        found.append(answer)
    before, first, last, *highest = found
    return _spending(periods, {**first, **before}, highest, last)


async def _all(
    ask: Callable[[Counters], Awaitable[grown.Values | Missing]], currency: str
) -> Values | Missing:
    """Of policies and pools, in the currency."""
    found: dict[Key, Decimal] = {}
    for counters in (OF_POLICIES, OF_POOLS):
        answer = await ask(counters)
        if isinstance(answer, Missing):
            return answer
        for values, amount in answer.items():
            labels = dict(zip(counters.labels, values, strict=True))
            line = line_of(labels)
            if line is not None and labels["currency"] == currency:
                key = labels.get("namespace", ""), labels.get("policy", ""), line
                found[key] = Decimal(str(amount))
    return found


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
