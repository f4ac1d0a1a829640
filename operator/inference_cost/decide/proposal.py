"""What is decided for one policy by itself, and what becomes of it where pools that it shares have no room for all."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from inference_cost.decide.case import Case
from inference_cost.decide.limits.stabilize import Choice
from inference_cost.decide.mix.budget import Dearest, dearest, most_affordable
from inference_cost.decide.mix.grant import Grant
from inference_cost.decide.mix.placement import Placement
from inference_cost.decide.mix.told import full_reason
from inference_cost.decide.mix.variants import How, place_variants
from inference_cost.decide.place import replica_price
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.plan import LimitedBy, Plan, Reason
from inference_cost.model.reading import Missing

Decided = tuple[Plan, PolicyMemory]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """`chosen`: replicas before they are placed; `choice`, `placement`: after. `conclude`: makes a plan of these.

    `case` None: there is nothing to decide on.
    """

    case: Case | None
    chosen: Choice
    choice: Choice
    placement: Placement | None
    conclude: Callable[[Choice, Placement | None], Decided]

    @property
    def decided(self) -> Decided:
        return self.conclude(self.choice, self.placement)


def proposed(
    case: Case,
    chosen: Choice,
    how: How,
    conclude: Callable[[Choice, Placement | None], Decided],
) -> Proposed:
    choice, placement = _placed(case, chosen, how)
    return Proposed(case=case, chosen=chosen, choice=choice, placement=placement, conclude=conclude)


def held(plan: Plan, memory: PolicyMemory) -> Proposed:
    """Of a policy that nothing is decided for."""
    choice = Choice(desired=plan.desired, limited_by=plan.limited_by)
    return Proposed(
        case=None,
        chosen=choice,
        choice=choice,
        placement=None,
        conclude=lambda _choice, _placement: (plan, memory),
    )


def with_grant(made: Proposed, grant: Grant) -> Proposed:
    """What is left of it when it gets no more than this of the pools that it shares."""
    if made.placement is not None:
        placement = made.placement.within(grant)
        return replace(made, choice=_with(made.chosen, placement), placement=placement)
    missing = made.choice.desired - grant.now[0]
    if missing <= 0:
        return made
    told = (
        *map(full_reason, grant.full),
        Reason(code="pool-short", values=(("replicas", missing),)),
    )
    choice = replace(
        made.choice,
        desired=grant.now[0],
        limited_by=LimitedBy.POOL_LIMIT,
        reasons=(*made.choice.reasons, *told),
    )
    return replace(made, choice=choice)


def _placed(case: Case, choice: Choice, how: How) -> tuple[Choice, Placement | None]:
    """Where the chosen replicas are to run, unless there is one place only, or a pause keeps them where they are."""
    pause = case.observation.policy.pause
    if not case.has_variants:
        return (choice if pause is not None else _paid(case, choice, how)), None
    if pause is not None and pause.replicas is None:
        return choice, None
    if pause is not None:
        how = How(free=True)
    placement = place_variants(case, choice.desired, how)
    if pause is not None:
        return replace(choice, reasons=(*choice.reasons, *placement.reasons)), placement
    return _with(choice, placement), placement


def _with(choice: Choice, placement: Placement) -> Choice:
    reasons = (*choice.reasons, *placement.reasons)
    return replace(choice, reasons=reasons, limited_by=_limited_by(choice, placement))


def _limited_by(choice: Choice, placement: Placement) -> LimitedBy:
    if placement.short:
        return LimitedBy.CAPACITY
    if placement.limited:
        return LimitedBy.POOL_LIMIT
    return LimitedBy.MAX_HOURLY_COST if placement.unpaid else choice.limited_by


def _paid(case: Case, choice: Choice, how: How) -> Choice:
    """Of one workload, as many as its policy's cap on the cost allows."""
    cap = case.observation.policy.max_hourly_cost
    if cap is None or choice.desired <= case.bounds.lowest:
        return choice
    price = replica_price(case.workloads, case.snapshot.nodes)
    if isinstance(price, Missing):
        unknown = Reason(code="cap-unpriced", values=(("cap", float(cap)),))
        return replace(choice, reasons=(*choice.reasons, unknown))
    there = sum(workload.desired_replicas for workload in case.workloads)
    dear = _dear(case, float(price))
    most = most_affordable(float(cap), float(price), dear.per_hour, there)
    most = max(most, case.bounds.lowest, there if how.keep else 0)
    if choice.desired <= most:
        return choice
    missing = choice.desired - most
    told = Reason(code="cap-reached", values=(("cap", float(cap)), ("replicas", missing)))
    return replace(
        choice,
        desired=most,
        limited_by=LimitedBy.MAX_HOURLY_COST,
        reasons=(*choice.reasons, told),
    )


def _dear(case: Case, price: float) -> Dearest:
    memory = case.memory
    return dearest(Dearest(per_hour=memory.dear_per_hour, at=memory.dear_at), price, case.at)


def remember_price(case: Case, memory: PolicyMemory) -> PolicyMemory:
    """The highest of late, where a cap is to hold and one workload alone tells of prices."""
    if case.has_variants or case.observation.policy.max_hourly_cost is None:
        return memory
    price = replica_price(case.workloads, case.snapshot.nodes)
    if isinstance(price, Missing):
        return memory
    dear = _dear(case, float(price))
    return replace(memory, dear_per_hour=dear.per_hour, dear_at=dear.at)
