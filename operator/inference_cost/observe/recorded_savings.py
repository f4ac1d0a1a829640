"""Both sides of savings in a time, from the counters that the operator exported."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from inference_cost.account.chargeback import Missed
from inference_cost.model import recorded as names
from inference_cost.model.reading import Missing
from inference_cost.observe.grown import Counters, CounterStore, Key, Total, read_total
from inference_cost.observe.recorded_lives import anew_in, cut, missed_of, read_lives

_WHAT = (*names.POLICY_LABELS, *names.COMPARED_LABELS)
COST = Counters(family=names.COMPARED_COST, labels=(*_WHAT, names.SIDE, "currency"))
REQUESTS = Counters(family=names.COMPARED_REQUESTS, labels=_WHAT)
LATE = Counters(family=names.COMPARED_LATE, labels=(*_WHAT, names.SIDE))
SECONDS = Counters(family=names.COMPARED_SECONDS, labels=_WHAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTotals:
    """By the labels of the counters, those of the policy first. `missed`: what is not in them."""

    cost: Mapping[Key, float]
    requests: Mapping[Key, float]
    late: Mapping[Key, float]
    seconds: Mapping[Key, float]
    missed: tuple[Missed, ...] = ()


async def read_compared(
    store: CounterStore, *, begin: float, end: float
) -> ComparedTotals | Missing:
    """Missing where the store does not answer in full."""
    lives = await read_lives(store, begin=begin, end=end)
    if isinstance(lives, Missing):
        return lives
    periods = cut([(begin, end)], lives)
    anew = anew_in(periods, lives)
    totals: list[Total] = []
    asked = (read_total(store, one, periods) for one in (COST, REQUESTS, LATE, SECONDS))
    for answer in await asyncio.gather(*asked):
        if isinstance(answer, Missing):
            return answer
        totals.append(answer)
    cost, requests, late, seconds = (
        {key: float(sum(amounts)) for key, amounts in total.grown(anew).items()} for total in totals
    )
    fallen = [((key[0], key[1]), "") for key in totals[0].fallen(anew)]
    # Time that the cost lacks is not what savings lack: they count while both sides are known.
    missed = missed_of(replace(lives, unknown={}), begin=begin, end=end, fallen=fallen)
    return ComparedTotals(cost=cost, requests=requests, late=late, seconds=seconds, missed=missed)
