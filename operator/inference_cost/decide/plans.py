"""Putting plans together: totals spread over variants, action, and whether /scale must be written."""

from collections.abc import Mapping
from dataclasses import replace

from inference_cost.decide.mix.placement import Placement, VariantPlaced
from inference_cost.decide.place import bounds, replica_price, spread
from inference_cost.decide.removal import removal
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
    Removal,
    VariantPlan,
)
from inference_cost.model.policy import Mode, Variant
from inference_cost.model.reading import Missing, MissingReason, Reading
from inference_cost.model.workload import Node, NoWorkload, Workload

NOT_DECIDED = Missing(reason=MissingReason.NOT_LEARNED)


def mode_in_force(observation: PolicyObservation, snapshot: Snapshot) -> Mode:
    return observation.policy.mode if snapshot.enforce_enabled else Mode.RECOMMEND


def workloads_of(observation: PolicyObservation) -> list[Workload]:
    return [one for one in observation.workloads if isinstance(one, Workload)]


def with_targets(observation: PolicyObservation) -> PolicyObservation:
    """With the variants alone whose workload is there: the others must not keep these from serving."""
    pairs = zip(observation.policy.variants, observation.workloads, strict=True)
    there = [(variant, one) for variant, one in pairs if isinstance(one, Workload)]
    if len(there) == len(observation.workloads):
        return observation
    policy = replace(observation.policy, variants=tuple(variant for variant, _ in there))
    return replace(observation, policy=policy, workloads=tuple(one for _, one in there))


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
    placement: Placement | None = None,
) -> Plan:
    """`placement`: over several variants; else what is too much or too little is the last one's."""
    mode = mode_in_force(observation, snapshot)
    writable = (
        mode is Mode.ENFORCE
        and observation.conflict is None
        and limited_by is not LimitedBy.NO_TARGET
    )
    ordered = writable and snapshot.settings.scale_in_order
    variants = _variants(observation, snapshot, needed, desired, placement, ordered=ordered)
    desired = sum(variant.desired for variant in variants)
    current = sum(variant.current for variant in variants)
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
        highest=bounds(observation.policy)[1],
        evenness=evenness,
        starts=starts,
        surplus=0 if placement is None else placement.surplus,
        write=writable and any(variant.desired != variant.current for variant in variants),
        replica_price_per_hour=replica_price(workloads_of(observation), snapshot.nodes),
    )


def _action(current: int, desired: int) -> Action:
    if desired == current:
        return Action.HOLD
    return Action.SCALE_OUT if desired > current else Action.SCALE_IN


def _variants(
    observation: PolicyObservation,
    snapshot: Snapshot,
    needed: int,
    desired: int,
    placement: Placement | None,
    *,
    ordered: bool,
) -> tuple[VariantPlan, ...]:
    """`ordered`: pods are marked that are to go."""
    policy = observation.policy
    current = tuple(_current(one) for one in observation.workloads)
    asked = current if sum(current) == desired else spread(desired, policy.variants)
    placed = [_unpriced(order) for order in asked] if placement is None else placement.variants
    return tuple(
        _of_variant(variant, workload, need, where, snapshot, ordered=ordered)
        for variant, workload, need, where in zip(
            policy.variants,
            observation.workloads,
            spread(needed, policy.variants),
            placed,
            strict=True,
        )
    )


def _unpriced(order: int) -> VariantPlaced:
    return VariantPlaced(order=order, price_per_hour=None, losses_per_hour=0.0, away_until=None)


def _of_variant(
    variant: Variant,
    workload: Workload | NoWorkload,
    needed: int,
    where: VariantPlaced,
    snapshot: Snapshot,
    *,
    ordered: bool,
) -> VariantPlan:
    return VariantPlan(
        variant=variant.name,
        target=variant.target,
        current=_current(workload),
        ready=_ready(workload),
        needed=needed,
        desired=where.order,
        price_per_hour=where.price_per_hour,
        losses_per_hour=where.losses_per_hour,
        away_until=where.away_until,
        removal=_removal(workload, where.order, snapshot.nodes, ordered=ordered),
    )


def _removal(
    workload: Workload | NoWorkload, order: int, nodes: Mapping[str, Node], *, ordered: bool
) -> Removal | None:
    if isinstance(workload, NoWorkload) or order >= workload.desired_replicas:
        return None
    return removal(workload, order, nodes, ordered=ordered)


def _current(workload: object) -> int:
    return workload.desired_replicas if isinstance(workload, Workload) else 0


def _ready(workload: object) -> int:
    if not isinstance(workload, Workload):
        return 0
    return len([pod for pod in workload.pods if pod.ready])
