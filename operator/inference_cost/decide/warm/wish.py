"""How many warm nodes pay on one pool, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference_cost.decide.warm import steps
from inference_cost.decide.warm.members import Member, surge_of
from inference_cost.decide.warm.shortfall import alone, shortfalls
from inference_cost.decide.warm.sizing import Bounds, enough, shared_penalty
from inference_cost.model.money import HourlyPrice
from inference_cost.model.plan import Reason
from inference_cost.model.warm import NodeShape, WarmPool, WarmSpec
from inference_cost.model.workload import Node, Pool

LEARNED_SECONDS = 3_600.0  # a policy that was seen for less has shown no burst yet


@dataclass(frozen=True, slots=True)
class Place:
    """`like`: the nodes of the pool, or what they would be like."""

    pool: WarmPool
    declared: Pool | None
    like: tuple[Node, ...]
    shape: NodeShape | None

    @property
    def price(self) -> Decimal | None:
        """Of the cheapest node per hour."""
        prices = (node.price for node in self.like)
        known = [price.per_hour for price in prices if isinstance(price, HourlyPrice)]
        return min(known, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Nodes that pay, whatever is asked for at the least."""

    nodes: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """Sizes for all together, and the sum of what each would need alone."""

    together: int
    separate: int
    correlation: float

    @property
    def saves(self) -> bool:
        """A replica that serves costs as much as a node that waits: only fewer of these are worth it."""
        return self.together < self.separate


def refused(place: Place) -> Reason | None:
    """Why nothing can be kept there at all."""
    if place.pool.spec is None:
        return Reason(code="warm-not-asked")
    lossy = place.declared is None or place.declared.can_be_lost
    if lossy or any(node.can_be_lost for node in place.like):
        known = place.declared is not None and place.declared.capacity_type is not None
        return Reason(code="warm-spot" if known else "warm-unknown-capacity")
    if place.shape is None:
        return Reason(code="warm-no-node")
    return None


def wish(place: Place, members: Sequence[Member]) -> Wish:
    """Of a place that was not refused."""
    spec, shape = place.pool.spec, place.shape
    if spec is None or shape is None:
        raise ValueError("a place that was refused has no size")
    known = [one for one in members if _is_known(one)]
    why = _not_sized(place, members, known)
    if why is not None:
        return Wish(nodes=0, reasons=(why,))
    enforced = [one for one in known if one.enforced]
    counted = enforced or known
    shared = _shared(place, counted, spec, shape)
    told = (
        ("policies", len(counted)),
        ("nodes", shared.together),
        ("separate", shared.separate),
        ("correlation", round(shared.correlation, 2)),
    )
    if not shared.saves:
        why = Reason(code="warm-not-shared", values=told)
        return Wish(nodes=0, reasons=(why, *_of_variants(counted)))
    if not enforced:
        why = Reason(code="warm-recommend", values=told)
        return Wish(nodes=0, reasons=(why, *_of_variants(counted)))
    why = Reason(code="warm-sized", values=told)
    reasons = (why, *_of_variants(counted), *_bounded(shared, spec))
    return Wish(nodes=shared.together, reasons=reasons)


def _is_known(member: Member) -> bool:
    seen = steps.seconds_seen(member.memory.warm)
    return member.filled is not None and seen >= LEARNED_SECONDS


def _not_sized(place: Place, members: Sequence[Member], known: Sequence[Member]) -> Reason | None:
    if not members:
        return Reason(code="warm-no-policy")
    if place.price is None:
        return Reason(code="warm-no-price")
    if not known:
        return Reason(code="warm-learning", values=(("policies", len(members)),))
    return None


def _shared(place: Place, members: Sequence[Member], spec: WarmSpec, shape: NodeShape) -> _Shared:
    price = float(place.price or 0)
    surges = [surge_of(one, one.filled or 0.0, shape) for one in members]
    correlation = steps.correlation([one.memory.warm for one in members])
    short = shortfalls(surges, correlation)
    penalties = [price * one.late_price * one.saved_fraction for one in members]
    separate = sum(
        enough(alone(surge), price, penalty, Bounds(0, spec.most))
        for surge, penalty in zip(surges, penalties, strict=True)
    )
    return _Shared(
        together=enough(
            short.sum(axis=1), price, shared_penalty(penalties, short), Bounds(0, spec.most)
        ),
        separate=separate,
        correlation=correlation,
    )


def _of_variants(members: Sequence[Member]) -> tuple[Reason, ...]:
    several = sum(one.has_variants for one in members)
    if not several:
        return ()
    growing = sum(one.has_variants and one.growth > 0 for one in members)
    losing = sum(bool(one.losses) for one in members)
    values = (("policies", several), ("growing", growing), ("losing", losing))
    return (Reason(code="warm-variants", values=values),)


def _bounded(shared: _Shared, spec: WarmSpec) -> tuple[Reason, ...]:
    if shared.together >= spec.most:
        return (Reason(code="warm-max"),)
    if shared.together < spec.least:
        return (Reason(code="warm-min"),)
    return ()
