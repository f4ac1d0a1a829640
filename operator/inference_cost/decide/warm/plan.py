"""What each pool keeps ready, for all its policies together, and what is remembered of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from inference_cost.decide.warm import steps
from inference_cost.decide.warm.cover import free_since, is_full
from inference_cost.decide.warm.limits import room
from inference_cost.decide.warm.members import Member, members_by_pool
from inference_cost.decide.warm.needs import needs, node_shape, unseen_since
from inference_cost.decide.warm.placeholders import to_pull, troubles
from inference_cost.decide.warm.uses import taken
from inference_cost.decide.warm.wish import Place, Wish, refused, wish
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import Snapshot
from inference_cost.model.plan import Plan, Reason
from inference_cost.model.policy import PolicyKey
from inference_cost.model.warm import WarmMemory, WarmPlan, WarmPool, WarmRecord

SIZED_EVERY_SECONDS: Final = 60.0
HELD_SECONDS: Final = 1_800.0  # what was wanted in that time is kept: one that is ordered anew costs a start each time
# Refusals that a node more would end.
NOT_KNOWN_NOW: Final = frozenset({"warm-no-node", "warm-unknown-capacity"})
IN_VAIN_STARTS: Final = 2.0  # cold ones, that a placeholder waits for its node


class Warmed(NamedTuple):
    """Plans and memory by pool; of the policies what changed."""

    plans: Mapping[str, WarmPlan]
    memory: Mapping[str, WarmMemory]
    policies: Mapping[PolicyKey, PolicyMemory]


def plan_warm(
    snapshot: Snapshot,
    plans: Mapping[PolicyKey, Plan],
    memories: Mapping[PolicyKey, PolicyMemory],
    before: Mapping[str, WarmMemory],
) -> Warmed:
    """For each pool that asks for warm nodes, and each that still has some."""
    planned: dict[str, WarmPlan] = {}
    remembered: dict[str, WarmMemory] = {}
    changed: dict[PolicyKey, PolicyMemory] = {}
    sharing = members_by_pool(snapshot, plans, memories) if snapshot.warm else {}
    for name, pool in snapshot.warm.items():
        known = before.get(name) or _first(pool, snapshot.at)
        try:
            there = [_once(member, changed) for member in sharing.get(name, [])]
            members = _watched(there, snapshot.at)
            members, known = taken(pool, members, known, snapshot.at)
            planned[name], remembered[name] = _planned(pool, members, known, snapshot)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on, and this one stays as it is
            planned[name], remembered[name] = _as_it_is(pool, error), known
        else:
            changed |= {member.key: member.memory for member in members}
    return Warmed(planned, remembered, changed)


def _once(member: Member, changed: Mapping[PolicyKey, PolicyMemory]) -> Member:
    """One with variants in several such pools is learned from in the first: a look at the same time tells nothing."""
    return replace(member, memory=changed.get(member.key, member.memory))


def _first(pool: WarmPool, at: float) -> WarmMemory:
    """Of a leader that looks at the pool for the first time."""
    return WarmMemory(inherited_at=None if pool.asked is None else at)


def _as_it_is(pool: WarmPool, error: Exception) -> WarmPlan:
    return WarmPlan(
        pool=pool.name,
        wanted=0 if pool.asked is None else pool.asked.replicas,
        free=len(pool.free),
        lost=0,
        uses=0,
        reasons=(Reason(code="warm-internal-error", values=(("error", type(error).__name__),)),),
        shape=None,
    )


def _watched(members: Sequence[Member], at: float) -> list[Member]:
    """With what this look shows of each, and of how far they grow together."""
    before = [member.memory.warm for member in members]
    after = [_seen(member, at) for member in members]
    found = [
        steps.step(old, at, member.filled, member.cold_seconds)
        if member.filled is not None and new.steps != old.steps
        else None
        for member, old, new in zip(members, before, after, strict=True)
    ]
    looks = (new.looked_at - old.looked_at for old, new in zip(before, after, strict=True))
    seconds = min((one for one in looks if one > 0), default=0.0)
    return [
        replace(member, memory=replace(member.memory, warm=record))
        for member, record in zip(members, steps.compare(after, found, seconds), strict=True)
    ]


def _seen(member: Member, at: float) -> WarmRecord:
    record = member.memory.warm
    if member.filled is None:
        return record
    return steps.see(record, at, member.filled, member.cold_seconds)


def _planned(
    pool: WarmPool, members: Sequence[Member], known: WarmMemory, snapshot: Snapshot
) -> tuple[WarmPlan, WarmMemory]:
    nodes = [node for node in snapshot.nodes.values() if node.pool == pool.name]
    declared = snapshot.pools.get(pool.name)
    like = nodes or list(() if declared is None else declared.examples)
    known = replace(
        known,
        needs=needs(members, known.needs, snapshot.at),
        tolerations=pool.tolerations if nodes else known.tolerations,
        inherited_at=unseen_since(known.inherited_at, members, nodes, snapshot.at),
    )
    shape = node_shape(like, known.needs.values())
    found, known = _sized(Place(pool, declared, tuple(like), shape), members, known, snapshot.at)
    wanted, more = _held(pool, found, known, snapshot.at)
    left = room(declared, pool, nodes)
    if left is not None and left < wanted:
        wanted, more = left, (*more, Reason(code="warm-limit", values=(("nodes", left),)))
    memory = replace(
        known,
        wanted=wanted,
        cold_seconds=max(
            (member.cold_seconds for member in members),
            default=snapshot.settings.start_up_seconds_prior,
        ),
        full_at=snapshot.at if is_full(pool, wanted) else known.full_at,
        relied=pool.covered,
        free={one.node: free_since(one, pool, known, snapshot.at) for one in pool.free},
    )
    images, left_out = to_pull(pool, known.needs.values())
    plan = WarmPlan(
        pool=pool.name,
        wanted=wanted,
        free=len(pool.free),
        lost=len(known.lost),
        uses=sum(len(member.memory.warm.uses) for member in members),
        reasons=(*found.reasons, *more, *left_out, *troubles(pool)),
        shape=shape,
        images=images,
        tolerations=known.tolerations,
        template_stays=known.inherited_at is not None,
    )
    return plan, memory


def _sized(
    place: Place, members: Sequence[Member], known: WarmMemory, at: float
) -> tuple[Wish, WarmMemory]:
    """Anew once a minute. A new leader begins with what is there."""
    refusal = refused(place)
    asked = place.pool.asked
    if refusal is not None and refusal.code in NOT_KNOWN_NOW and asked is not None:
        # Its last node may have gone: what is asked for brings the next one.
        return Wish(nodes=asked.replicas, reasons=(refusal,)), replace(
            known, sizes=((at, asked.replicas),)
        )
    if refusal is not None:
        return Wish(nodes=0, reasons=(refusal,)), replace(known, sizes=())
    if known.sizes and 0 <= at - known.sizes[-1][0] < SIZED_EVERY_SECONDS:
        return Wish(nodes=known.sizes[-1][1], reasons=known.reasons), known
    before = known.sizes or (() if asked is None else ((at, asked.replicas),))
    found = wish(place, members)
    recent = (one for one in before if at - HELD_SECONDS < one[0] <= at)
    return found, replace(known, sizes=(*recent, (at, found.nodes)), reasons=found.reasons)


def _held(
    pool: WarmPool, found: Wish, known: WarmMemory, at: float
) -> tuple[int, tuple[Reason, ...]]:
    """What was wanted lately, within what the pool allows; one probe where nodes do not come."""
    if pool.spec is None or not known.sizes:
        return 0, ()
    highest = max(nodes for _, nodes in known.sizes)
    wanted = min(max(highest, pool.spec.least), pool.spec.most)
    reasons: tuple[Reason, ...] = ()
    if wanted > max(found.nodes, pool.spec.least):
        reasons = (Reason(code="warm-held", values=(("nodes", wanted),)),)
    waiting = [one for one in pool.holders if not one.node]
    in_vain = IN_VAIN_STARTS * max(known.cold_seconds, SIZED_EVERY_SECONDS)
    if waiting and at - min(one.created_at for one in waiting) > in_vain:
        reasons = (*reasons, Reason(code="warm-scarce", values=(("waiting", len(waiting)),)))
        wanted = min(wanted, len(pool.holders) - len(waiting) + 1)
    return wanted, reasons
