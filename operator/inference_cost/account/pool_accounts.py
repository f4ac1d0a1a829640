"""What is paid for nodes and requested by no replica, pool by pool."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from inference_cost.account.month import AccountMemory, advance
from inference_cost.account.running import rest_running
from inference_cost.account.shares import NodeSplit
from inference_cost.model.reading import Missing


def by_pool(splits: Mapping[str, NodeSplit]) -> dict[str, list[NodeSplit]]:
    found: dict[str, list[NodeSplit]] = defaultdict(list)
    for split in splits.values():
        found[split.node.pool].append(split)
    return found


def pools_advanced(
    splits: Mapping[str, NodeSplit],
    memory: Mapping[str, AccountMemory],
    *,
    at: float,
    gap_after_seconds: float,
) -> dict[str, AccountMemory]:
    """What is no policy's, pool by pool; one without nodes in use keeps what it counted."""
    found = by_pool(splits)
    return {
        pool: advance(
            memory.get(pool),
            at=at,
            per_hour=_all_priced(found.get(pool, ())),
            running=list(rest_running(found.get(pool, ()))),
            gap_after_seconds=gap_after_seconds,
        )
        for pool in sorted({*memory, *found})
    }


def _all_priced(splits: Sequence[NodeSplit]) -> Decimal | Missing:
    """Of the idle rests; Missing where one is not known."""
    unknown = [split.idle for split in splits if isinstance(split.idle, Missing)]
    known = (split.idle for split in splits if isinstance(split.idle, Decimal))
    return unknown[0] if unknown else sum(known, Decimal(0))
