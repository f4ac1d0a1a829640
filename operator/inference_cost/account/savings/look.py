"""Both sides of the comparison at one look, from what is seen, decided and paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import isfinite

from inference_cost.account.savings import baselines
from inference_cost.account.savings.baselines import (
    Counterfactual,
    Demand,
    Shadows,
    late_fraction,
)
from inference_cost.account.savings.hpa import Bounds
from inference_cost.account.savings.savings import Look, SavingsMemory, Side, advanced
from inference_cost.account.savings.whole_nodes import (
    Free,
    PoolPart,
    Replica,
    bought,
    emptied,
    replica_of,
    total_of,
)
from inference_cost.account.shares import NodeSplit
from inference_cost.model.observation import DecisionSettings
from inference_cost.model.plan import LimitedBy, Plan, Prediction
from inference_cost.model.policy import Baseline, DrainObjective, LatencyObjective, Mode, Policy
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Pod

ALLOWED_LATE = 0.01  # where the objective names no share of the requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """A policy's bound pods by variant, on the nodes of the pools in use.

    `parts`: what it bears of them; `left`: names of those that it left and bears. `prices`: of a node, by pool.
    `free`: of these nodes.
    """

    pods: Mapping[str, Sequence[Pod]]
    splits: Mapping[str, NodeSplit]
    prices: Mapping[str, Decimal]
    parts: tuple[PoolPart, ...] | Missing
    free: Free
    left: frozenset[str] = frozenset()

    @property
    def all_pods(self) -> list[Pod]:
        return [pod for pods in self.pods.values() for pod in pods]


def follow(
    memory: SavingsMemory | None,
    policy: Policy,
    plan: Plan | None,
    fleet: Fleet,
    *,
    at: float,
    settings: DecisionSettings,
    gap_after_seconds: float,
) -> SavingsMemory:
    """The savings with one more look."""
    kind = policy.baseline
    potential = plan is None or plan.mode is Mode.RECOMMEND or plan.limited_by is LimitedBy.CONFLICT
    shadows = _priced(memory.shadows if memory is not None else Shadows(), fleet)
    since = at - memory.last_at if memory is not None else 0.0
    look: Look | Missing
    demand, parts = _demand(policy, plan), fleet.parts
    if plan is None or isinstance(demand, Missing):
        look = demand if isinstance(demand, Missing) else NOT_DECIDED
    elif isinstance(parts, Missing):
        look = parts
    else:
        now = _Now(policy, plan, fleet, demand, parts, at)
        elapsed = since if 0 < since <= gap_after_seconds else 0.0
        shadows = _shadows(shadows, now, potential=potential, seconds=elapsed, settings=settings)
        look = _look(now, shadows, kind, potential=potential)
    return advanced(
        memory,
        look,
        baseline=kind,
        potential=potential,
        at=at,
        shadows=shadows,
        gap_after_seconds=gap_after_seconds,
    )


NOT_DECIDED = Missing(reason=MissingReason.NOT_LEARNED, detail="nothing was decided yet")


def allowed_late(policy: Policy) -> float:
    objective = policy.objective
    return (
        1 - objective.target_fraction if isinstance(objective, LatencyObjective) else ALLOWED_LATE
    )


@dataclass(frozen=True, slots=True)
class _Now:
    policy: Policy
    plan: Plan
    fleet: Fleet
    demand: Demand
    parts: tuple[PoolPart, ...]
    at: float

    @property
    def bounds(self) -> Bounds:
        variants = self.policy.variants
        return Bounds(
            low=max(self.policy.fewest, sum(v.min_replicas for v in variants)),
            high=min(self.policy.most, sum(v.max_replicas for v in variants)),
        )

    @property
    def late(self) -> tuple[float, bool]:
        """Of the fleet that runs, and whether that is measured."""
        measured = self.plan.attainment
        if isinstance(measured, Missing):
            return late_fraction(self.demand, self.plan.ready), False
        return min(1.0, max(0.0, 1 - measured.fraction)), True


def _demand(policy: Policy, plan: Plan | None) -> Demand | Missing:
    if isinstance(policy.objective, DrainObjective):
        return Missing(
            reason=MissingReason.NOT_COMPARABLE,
            detail="requests may wait for a deadline, which no baseline lets them",
        )
    if plan is None:
        return NOT_DECIDED
    if isinstance(plan.demand, Missing):
        return plan.demand
    if isinstance(plan.profile, Missing):
        return plan.profile
    return _sound(plan.demand.now, plan.profile.load_per_replica)


def _sound(per_second: float, load_per_replica: float) -> Demand | Missing:
    if not (isfinite(per_second) and isfinite(load_per_replica) and per_second >= 0):
        return Missing(reason=MissingReason.NOT_FINITE, detail="the demand is no number")
    if load_per_replica <= 0:
        return Missing(reason=MissingReason.NOT_LEARNED, detail="no replica can meet the objective")
    return Demand(per_second=per_second, load_per_replica=load_per_replica)


def _priced(shadows: Shadows, fleet: Fleet) -> Shadows:
    """At the prices of now, as far as they are known."""
    replica = replica_of(fleet.all_pods, fleet.splits)
    return replace(
        shadows,
        observed=baselines.repriced(shadows.observed, fleet.prices),
        replica=shadows.replica if isinstance(replica, Missing) else replica,
    )


def _shadows(
    shadows: Shadows, now: _Now, *, potential: bool, seconds: float, settings: DecisionSettings
) -> Shadows:
    starts = [one.p50_seconds for one in now.plan.starts]
    late, measured = now.late
    observed = shadows.observed
    if potential and seconds > 0:
        observed = baselines.observe(
            observed,
            seconds=seconds,
            demand=now.demand,
            replicas=len(now.fleet.all_pods),
            parts=now.parts,
            late=late,
            measured=measured,
        )
    return baselines.followed(
        replace(shadows, observed=observed),
        at=now.at,
        demand=now.demand,
        replicas=now.plan.current,
        start_up_seconds=max(starts) if starts else settings.start_up_seconds_prior,
        bounds=now.bounds,
    )


def _look(now: _Now, shadows: Shadows, kind: Baseline, *, potential: bool) -> Look | Missing:
    late, measured = now.late
    runs = Side(per_hour=total_of(now.parts), late_fraction=late, measured=measured)
    theirs: Counterfactual | Missing
    if kind is Baseline.OBSERVED and potential:
        theirs = Counterfactual(
            replicas=float(len(now.fleet.all_pods)),
            per_hour=runs.per_hour,
            late_fraction=late,
            measured=measured,
        )
    else:
        theirs = baselines.counterfactual(
            kind, shadows, at=now.at, demand=now.demand, bounds=now.bounds
        )
        if not isinstance(theirs, Missing) and kind is not Baseline.OBSERVED:
            theirs = _on_the_same_nodes(theirs, now, runs, shadows)
    ours = _planned(now, runs, shadows) if potential else runs
    if isinstance(theirs, Missing):
        return theirs
    if isinstance(ours, Missing):
        return ours
    return Look(
        baseline=kind,
        potential=potential,
        requests_per_second=now.demand.per_second,
        ours=ours,
        theirs=theirs,
    )


def _on_the_same_nodes(
    theirs: Counterfactual, now: _Now, runs: Side, shadows: Shadows
) -> Counterfactual | Missing:
    """On the nodes that are there: what it runs more goes where there is room, then on new ones; what empties goes."""
    pods, splits = now.fleet.all_pods, now.fleet.splits
    more = round(theirs.replicas) - len(pods)
    gone = emptied([(pods, max(-more, 0))], splits)
    new = bought(pods, max(more, 0), splits, now.fleet.left, shadows.replica, free=now.fleet.free)
    if isinstance(gone, Missing):
        return gone
    if isinstance(new, Missing):
        return new
    return replace(theirs, per_hour=max(runs.per_hour + new - gone, Decimal(0)))


def _planned(now: _Now, runs: Side, shadows: Shadows) -> Side | Missing:
    """The fleet with the replicas decided."""
    moved = planned_change(now.plan, now.fleet, shadows.replica)
    if isinstance(moved, Missing):
        return moved
    per_hour = runs.per_hour + moved
    predicted = now.plan.prediction
    if isinstance(predicted, Prediction) and not isinstance(predicted.late_fraction, Missing):
        late = predicted.late_fraction
    else:
        late = late_fraction(now.demand, now.plan.desired)
    return Side(per_hour=max(per_hour, Decimal(0)), late_fraction=late, measured=False)


def planned_change(plan: Plan, fleet: Fleet, known: Replica | None) -> Decimal | Missing:
    """What nodes cost more per hour with the replicas decided: what empties goes, what finds no room is bought.

    `known`: what a replica needs, where none runs.
    """
    left = fleet.left if len(plan.variants) == 1 else ()  # which variant may run there is not known
    pods = {one.variant: fleet.pods.get(one.variant, ()) for one in plan.variants}
    more = {one.variant: one.desired - len(pods[one.variant]) for one in plan.variants}
    gone = emptied(
        [(pods[name], -count) for name, count in more.items() if count < 0], fleet.splits
    )
    if isinstance(gone, Missing):
        return gone
    moved = -gone
    for name, count in more.items():
        new = bought(pods[name], max(count, 0), fleet.splits, left, known, free=fleet.free)
        if isinstance(new, Missing):
            return new
        moved += new
    return moved
