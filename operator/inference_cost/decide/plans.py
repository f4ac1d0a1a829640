"""Putting plans together: totals spread over variants, action, and whether /scale must be written."""

from inference_cost.decide.place import bounds, replica_price, spread
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import (
    Action,
    Attainment,
    Demand,
    Evenness,
    HeadroomChoice,
    LimitedBy,
    Plan,
    PoolStarts,
    Prediction,
    Profile,
    Reason,
    VariantPlan,
)
from inference_cost.model.policy import Mode
from inference_cost.model.reading import Missing, MissingReason, Reading
from inference_cost.model.workload import Workload

NOT_DECIDED = Missing(reason=MissingReason.NOT_LEARNED)


def mode_in_force(observation: PolicyObservation, snapshot: Snapshot) -> Mode:
    return observation.policy.mode if snapshot.enforce_enabled else Mode.RECOMMEND


def workloads_of(observation: PolicyObservation) -> list[Workload]:
    return [one for one in observation.workloads if isinstance(one, Workload)]


def held_plan(
    observation: PolicyObservation,
    snapshot: Snapshot,
    limited_by: LimitedBy,
    reasons: tuple[Reason, ...],
) -> Plan:
    """Leave replicas as they are."""
    current = sum(workload.desired_replicas for workload in workloads_of(observation))
    return assemble(observation, snapshot, current, current, limited_by=limited_by, reasons=reasons)


def assemble(
    observation: PolicyObservation,
    snapshot: Snapshot,
    needed: int,
    desired: int,
    *,
    limited_by: LimitedBy,
    reasons: tuple[Reason, ...],
    demand: Demand | Missing = NOT_DECIDED,
    profile: Profile | Missing = NOT_DECIDED,
    prediction: Prediction | Missing = NOT_DECIDED,
    one_fewer: Prediction | Missing = NOT_DECIDED,
    attainment: Attainment | Missing = NOT_DECIDED,
    gpu_utilization: Reading[float] = NOT_DECIDED,
    headroom: HeadroomChoice | Missing = NOT_DECIDED,
    evenness: Evenness | Missing = NOT_DECIDED,
    starts: tuple[PoolStarts, ...] = (),
) -> Plan:
    mode = mode_in_force(observation, snapshot)
    variants = _variants(observation, needed, desired)
    current = sum(variant.current for variant in variants)
    writable = (
        mode is Mode.ENFORCE
        and observation.conflict is None
        and limited_by is not LimitedBy.NO_TARGET
    )
    conflicted = mode is Mode.ENFORCE and observation.conflict is not None
    return Plan(
        policy=observation.policy.key,
        mode=mode,
        at=snapshot.at,
        action=_action(current, desired),
        variants=variants,
        limited_by=LimitedBy.CONFLICT if conflicted else limited_by,
        reasons=(*reasons, Reason(code="conflict")) if conflicted else reasons,
        demand=demand,
        profile=profile,
        prediction=prediction,
        one_fewer=one_fewer,
        attainment=attainment,
        gpu_utilization=gpu_utilization,
        headroom=headroom,
        highest=bounds(observation.policy.variants)[1],
        evenness=evenness,
        starts=starts,
        write=writable and any(variant.desired != variant.current for variant in variants),
        replica_price_per_hour=replica_price(workloads_of(observation), snapshot.nodes),
    )


def _action(current: int, desired: int) -> Action:
    if desired == current:
        return Action.HOLD
    return Action.SCALE_OUT if desired > current else Action.SCALE_IN


def _variants(observation: PolicyObservation, needed: int, desired: int) -> tuple[VariantPlan, ...]:
    policy = observation.policy
    current = [_current(one) for one in observation.workloads]
    asked = tuple(current) if sum(current) == desired else spread(desired, policy.variants)
    return tuple(
        VariantPlan(
            variant=variant.name,
            target=variant.target,
            current=now,
            ready=_ready(workload),
            needed=need,
            desired=wanted,
        )
        for variant, workload, now, need, wanted in zip(
            policy.variants,
            observation.workloads,
            current,
            spread(needed, policy.variants),
            asked,
            strict=True,
        )
    )


def _current(workload: object) -> int:
    return workload.desired_replicas if isinstance(workload, Workload) else 0


def _ready(workload: object) -> int:
    if not isinstance(workload, Workload):
        return 0
    return len([pod for pod in workload.pods if pod.ready])
