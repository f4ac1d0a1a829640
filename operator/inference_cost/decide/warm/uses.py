"""Who took the nodes that were free: replicas of policies, or pods of others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from inference_cost.decide.warm.members import Member
from inference_cost.model.warm import WarmMemory, WarmPool

DAY_SECONDS: Final = 86_400.0
USES_KEPT: Final = 200  # of one policy


def taken(
    pool: WarmPool, members: Sequence[Member], known: WarmMemory, at: float
) -> tuple[list[Member], WarmMemory]:
    """Each node that was free at the last look and is not any more counts for whoever runs there now."""
    gone = known.free.keys() - {one.node for one in pool.holders}
    lost = (known.lost | (gone & pool.others)) & pool.others
    counted = [_counted(member, gone - lost, at) for member in members]
    return counted, replace(known, lost=frozenset(lost))


def _counted(member: Member, gone: frozenset[str] | set[str], at: float) -> Member:
    record = member.memory.warm
    new = len({pod.node for pod in member.pods()} & gone)
    uses = (*(one for one in record.uses if one > at - DAY_SECONDS), *(at,) * new)[-USES_KEPT:]
    if uses == record.uses:
        return member
    return replace(member, memory=replace(member.memory, warm=replace(record, uses=uses)))
