"""How often zones of a pool are lost, as all policies with a variant there learned it together.

Policies on one pool see the same losses in the same hours, so the ratio is that of one of them, and a policy that is
new there begins with what the others know. How long to keep away each finds by itself: it is about what it asked for.
"""

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from inference_cost.decide.mix.losses import NOTHING_KNOWN, PRIOR_HOURS, PRIOR_LOSSES
from inference_cost.model.memory import Memory
from inference_cost.model.observation import Snapshot
from inference_cost.model.placement import LossRecord, PlacedDomain
from inference_cost.model.workload import LossesSeen, Pool

NOBODY: Final = LossesSeen()


def seen_in(records: Iterable[LossRecord]) -> LossesSeen:
    """Beyond what is taken for granted where nothing is known."""
    known = list(records)
    return LossesSeen(
        losses=sum(one.losses - PRIOR_LOSSES for one in known),
        hours=sum(one.hours - PRIOR_HOURS for one in known),
    )


def per_hour(record: LossRecord, others: LossesSeen) -> float:
    """Of one policy that knows what others saw."""
    return max(record.losses + others.losses, 0.0) / (record.hours + max(others.hours, 0.0))


def per_hour_of_all(records: Iterable[LossRecord]) -> float:
    return per_hour(NOTHING_KNOWN, seen_in(records))


def with_hazards(snapshot: Snapshot, memory: Memory) -> Snapshot:
    """The snapshot with what all policies remember of each pool."""
    records: dict[str, list[LossRecord]] = {}
    for observation in snapshot.observations:
        known = memory.policies.get(observation.policy.key)
        if known is None or not known.placing.domains:
            continue
        pools = {one.name: one.pool for one in observation.policy.variants if one.pool}
        for domain in known.placing.domains:
            if domain.can_be_lost and pools.get(domain.name) in snapshot.pools:
                records.setdefault(pools[domain.name], []).append(domain.record)
    if not records:
        return snapshot
    hazards = {
        name: replace(snapshot.pools[name], seen=seen_in(of)) for name, of in records.items()
    }
    return replace(snapshot, pools=MappingProxyType({**snapshot.pools, **hazards}))


def of_others(pool: Pool | None, before: PlacedDomain | None) -> LossesSeen:
    """`before`: what the policy itself remembers of it."""
    if pool is None:
        return NOBODY
    own = seen_in([before.record] if before is not None and before.can_be_lost else [])
    return LossesSeen(
        losses=pool.seen.losses - own.losses, hours=max(pool.seen.hours - own.hours, 0.0)
    )
