"""Pools whose nodes somebody cordons, as for an upgrade: what does not come there is neither a loss nor a shortage.

Whether new nodes come nobody tells: a fixed pool has none until somebody uncordons, a provisioner brings some. So one
replica is asked for now and then, the more rarely the more often it did not come.
"""

from typing import Final

from inference_cost.decide.mix.losses import FIRST_AWAY_SECONDS, LONGEST_AWAY_SECONDS
from inference_cost.model.placement import Closure
from inference_cost.model.workload import Pool

PROBE: Final = 1  # replica


def closure(
    pool: Pool | None, before: Closure | None, at: float, *, vain: bool, newest: float | None
) -> Closure | None:
    """What keeps new replicas out; None where nothing does. `before`: at the last look; `vain`: pods wait in vain.

    `newest`: when the last of those that are ready got so. It begins when all nodes are cordoned, or some are and the
    others have no room, and ends when none is, or one that was tried came on a node that is not.
    """
    if pool is None or not pool.cordoned:
        return None
    all_cordoned = pool.cordoned == pool.nodes
    if before is None:
        if not (all_cordoned or vain):
            return None
        return Closure(since=at, until=at + FIRST_AWAY_SECONDS, seconds=FIRST_AWAY_SECONDS)
    if at < before.until:
        return before
    if vain:
        longer = min(2 * before.seconds, LONGEST_AWAY_SECONDS)
        return Closure(since=before.since, until=at + longer, seconds=longer)
    came = newest is not None and newest > before.since
    return None if came and not all_cordoned else before


def room(closed: Closure | None, at: float, most: int) -> int:
    """Replicas that may be asked for beyond those that need no further node; `most` where nothing keeps them out."""
    if closed is None:
        return most
    return 0 if at < closed.until else PROBE
