"""What was spent in a time, from the totals that the operator exported: the difference of what they had come to.

Where a policy went, its last value is still in the period. A line that was not there when the time began counts from
its first value. Where a policy was made anew, a period ends, and its counts begin at zero in the next one.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference_cost.account.calendar import month_end
from inference_cost.account.chargeback import Missed, Spent
from inference_cost.model import recorded as names
from inference_cost.model.reading import Missing
from inference_cost.observe.grown import Counters, CounterStore, Period, never, read_total
from inference_cost.observe.prometheus_client import MetricsReader
from inference_cost.observe.recorded_costs import SECONDS_PER_HOUR, line_of
from inference_cost.observe.recorded_lives import anew_in, cut, missed_of, read_lives
from inference_cost.observe.settings import PrometheusSettings

OF_POLICIES = Counters(family=names.POLICY_COST, labels=(*names.POLICY_LABELS, *names.LINE_LABELS))
OF_POOLS = Counters(family=names.POOL_COST, labels=names.POOL_LINE_LABELS)
POLICY_CHARGED = Counters(
    family=names.POLICY_CHARGED, labels=(*names.POLICY_LABELS, *names.PLACE_LABELS)
)
POOL_CHARGED = Counters(family=names.POOL_CHARGED, labels=names.POOL_PLACE_LABELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """`missed`: what is not in it."""

    spent: tuple[Spent, ...]
    missed: tuple[Missed, ...]


def periods_of(begin: float, end: float) -> list[Period]:
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
    store = CounterStore(reader, prometheus)
    lives = await read_lives(store, begin=begin, end=end)
    if isinstance(lives, Missing):
        return lives
    periods = cut(periods_of(begin, end), lives)
    anew = anew_in(periods, lives)
    spent: list[Spent] = []
    fallen: list[tuple[tuple[str, str], str]] = []
    for counters, charged, of_keys in (
        (OF_POLICIES, POLICY_CHARGED, anew),
        (OF_POOLS, POOL_CHARGED, never),
    ):
        total, seconds = await asyncio.gather(
            read_total(store, counters, periods), read_total(store, charged, periods)
        )
        if isinstance(total, Missing):
            return total
        if isinstance(seconds, Missing):
            return seconds
        known = seconds.grown(of_keys)
        for key, amounts in total.grown(of_keys).items():
            hours = [one / SECONDS_PER_HOUR for one in known.get(key[:-1], ())]  # has no currency
            spent += _spent(_labelled(counters, key), amounts, hours, periods, currency)
        for key in total.fallen(of_keys):
            labels = _labelled(counters, key)
            policy = labels.get("namespace", ""), labels.get("policy", "")
            fallen.append((policy, "" if policy[1] else labels["pool"]))
    missed = missed_of(lives, begin=begin, end=end, fallen=fallen)
    return Spending(spent=tuple(spent), missed=missed)


def _labelled(counters: Counters, key: Sequence[str]) -> dict[str, str]:
    return dict(zip(counters.labels, key, strict=True))


def _spent(
    labels: Mapping[str, str],
    amounts: Sequence[Decimal],
    hours: Sequence[Decimal],
    periods: Sequence[Period],
    currency: str,
) -> Iterator[Spent]:
    """By period; nothing of another currency, or of a line that a newer version may have written."""
    line = line_of(labels)
    if line is None or labels["currency"] != currency:
        return
    of_each: Sequence[Decimal | None] = hours or [None] * len(periods)
    for (begin, end), amount, charged in zip(periods, amounts, of_each, strict=True):
        yield Spent(
            namespace=labels.get("namespace", ""),
            policy=labels.get("policy", ""),
            line=line,
            amount=amount,
            begin=begin,
            end=end,
            hours=charged,
        )
