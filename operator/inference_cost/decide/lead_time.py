"""How long it takes until an order of now serves.

A start on a node that is there takes seconds and one that waits for a spot node minutes, so starts are kept by the
pool of the node. Where the next replica lands is not known: the slowest of the pools of late counts.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import DecisionSettings
from inference_cost.model.plan import PoolStarts

START_UPS_KEPT: Final = 20  # of each pool
POOLS_KEPT: Final = 8
START_UPS_NEEDED: Final = 3
OF_LATE: Final = 20  # starts: a pool with none among them counts no more
POLICIES_KEPT: Final = 4096  # they are asked for at every tick and change rarely

Start = TypeVar("Start", bound=tuple[Any, ...])
Starts = tuple[tuple[str, float], ...]  # (pool, seconds), in the order in which they were seen


def starts(memory: PolicyMemory) -> Starts:
    """Of those that an earlier version remembered the pool is not known."""
    return _paired(memory.start_up_pools, memory.start_up_seconds)


def _paired(pools: tuple[str, ...], seconds: tuple[float, ...]) -> Starts:
    unknown = ("",) * (len(seconds) - len(pools))
    return tuple(zip((*unknown, *pools), seconds, strict=False))


def kept(seen: tuple[Start, ...]) -> tuple[Start, ...]:
    """The newest of each pool, which comes first in each, and the pools that were used last."""
    each: Counter[str] = Counter()
    newest_first = []
    for one in reversed(seen):
        pool = one[0]
        if each[pool] < START_UPS_KEPT and (each[pool] or len(+each) < POOLS_KEPT):
            each[pool] += 1
            newest_first.append(one)
    return tuple(reversed(newest_first))


def start_up_seconds(memory: PolicyMemory, prior: float) -> float:
    """95th percentile from pod creation to ready, once some were seen."""
    seen = memory.start_up_seconds
    if len(seen) < START_UPS_NEEDED:
        return max(prior, *seen) if seen else prior
    return by_pool(memory)[0].p95_seconds


def by_pool(memory: PolicyMemory) -> tuple[PoolStarts, ...]:
    """Of the pools of late, the slowest first."""
    return _by_pool(memory.start_up_pools, memory.start_up_seconds)


@lru_cache(maxsize=POLICIES_KEPT)
def _by_pool(pools: tuple[str, ...], seconds: tuple[float, ...]) -> tuple[PoolStarts, ...]:
    seen = _paired(pools, seconds)
    of_late = {pool for pool, _ in seen[-OF_LATE:]}
    found = [_of_pool(pool, [time for one, time in seen if one == pool]) for pool in of_late]
    return tuple(sorted(found, key=lambda one: (-one.p95_seconds, one.pool)))


def _of_pool(pool: str, seen: Sequence[float]) -> PoolStarts:
    return PoolStarts(
        pool=pool,
        count=len(seen),
        p50_seconds=_quantile(seen, 0.5),
        p95_seconds=_quantile(seen, 0.95),
    )


def _quantile(seen: Sequence[float], share: float) -> float:
    return sorted(seen)[min(int(share * len(seen)), len(seen) - 1)]


def tick_seconds(settings: DecisionSettings, scrape_seconds: float) -> float:
    """Between looks that can show something new."""
    return max(settings.tick_seconds, scrape_seconds)
