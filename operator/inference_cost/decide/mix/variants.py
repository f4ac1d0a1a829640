"""A policy's replicas over its variants: the cheapest mix that the risk allows, and how to get there.

A variant is one domain: nobody but the cluster decides in which of its zones a replica lands. A price that is not
known, or too old, stops all moves for the sake of cost, and none for that of the objective.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Final

from inference_cost.decide.case import Case
from inference_cost.decide.headroom.choice import highest_price
from inference_cost.decide.mix.at_once import at_once
from inference_cost.decide.mix.budget import Cap, Dearest, dearest
from inference_cost.decide.mix.cheapest import MOST, Domain, Risk, cheapest
from inference_cost.decide.mix.cordons import closure, room
from inference_cost.decide.mix.grant import Grant
from inference_cost.decide.mix.hazard import of_others
from inference_cost.decide.mix.losses import is_silent, keeps_away
from inference_cost.decide.mix.place import DomainSeen, Placed, exposure_seconds, seek, settle
from inference_cost.decide.mix.placement import Placement, VariantPlaced
from inference_cost.decide.mix.pods import Patience, VariantPods, pods_of
from inference_cost.decide.mix.prices import ReplicaPrice, price_of
from inference_cost.decide.mix.told import Told, reasons
from inference_cost.decide.mix.zones import ZonePods, zone_pods, zones_of, zones_seen
from inference_cost.decide.plans import mode_in_force
from inference_cost.decide.warm.cover import pool_of
from inference_cost.model.placement import AtOnce, Closure, PlacedDomain, Placing
from inference_cost.model.plan import HeadroomChoice, Profile
from inference_cost.model.policy import LatencyObjective, Mode, Objective, SpotRisk, Variant
from inference_cost.model.reading import Missing
from inference_cost.model.workload import LossesSeen, Pool, Workload

NOTICE_SECONDS: Final = 30.0  # of Google's and Azure's clouds; of Amazon's 120
REACTION_SECONDS: Final = 5.0  # from the watch event of a notice to the write
LATE_ALLOWED: Final = 0.01  # by an objective that names no share
LEAST_LATE_PRICE: Final = 1e-6  # breaks ties, and pays for no start
ANY_PRICE: Final = 1.0  # of each where one is not known: replicas then stay where they are


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """`late_price` None: nothing is moved for the sake of cost. `keep`: nothing that is there goes, here or there.

    `free`: whatever the bounds of the variants are, by a user's order.
    """

    late_price: float | None = None
    keep: bool = False
    free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One variant."""

    variant: Variant
    pool: str  # that it runs on, "" where that is not known
    pods: VariantPods
    price: ReplicaPrice | None
    before: PlacedDomain | None
    can_be_lost: bool
    zones: int  # that its replicas are, or are going to be, spread over
    zones_seen: int  # 0: never yet
    closed: Closure | None
    by_zone: tuple[ZonePods, ...]
    others: LossesSeen
    one_zone: bool  # none of it runs where there are not as many in each


def late_price(
    headroom: HeadroomChoice | Missing,
    profile: Profile | Missing,
    objective: Objective,
    before: float | None,
) -> float:
    """Of a late request in costs of serving one, as the headroom rules found or last found; else the highest."""
    if not (isinstance(headroom, Missing) or isinstance(profile, Missing)):
        return headroom.late_price_replica_seconds * profile.load_per_replica
    if before is not None:
        return before
    if isinstance(objective, LatencyObjective):
        return highest_price(1.0 - objective.target_fraction)
    return highest_price(LATE_ALLOWED)


def place_variants(case: Case, desired: int, how: How) -> Placement:
    """Where `desired` replicas are to run. The case's policy has several variants."""
    placing, policy = case.memory.placing, case.observation.policy
    known = {one.name: one for one in placing.domains}
    seen = [
        _look(case, variant, workload, known.get(variant.name))
        for variant, workload in zip(policy.variants, case.workloads, strict=True)
    ]
    unknown = [one.variant.name for one in seen if one.price is None]
    old = [
        (one.variant.name, one.variant.pool, one.price.old_since)
        for one in seen
        if one.price is not None and one.price.old_since is not None
    ]
    unsure = bool(unknown or old)
    risk = _no_risk(case)
    if how.late_price is not None and not unknown:
        risk = (
            _risk_at_old_prices(case, desired)
            if old
            else _risk(case, seen, desired, how.late_price)
        )
    stay = how.keep and desired >= case.fleet.current
    domains = [_domain(case, one, desired, how, stay=stay) for one in seen]
    if not how.free:
        domains = _with_floor(domains, policy.min_on_demand_replicas, risk)
    if unsure or how.late_price is None:
        domains = [
            replace(one, price_per_hour=ANY_PRICE, capped_per_hour=one.price_per_hour)
            for one in domains
        ]
    cap = None
    if policy.max_hourly_cost is not None and not how.free:
        cap = Cap(most=float(policy.max_hourly_cost), least=case.bounds.lowest)
    holds = None if unknown or how.late_price is None else cap
    sought = seek(desired, domains, risk, placing.domains, case.at, holds)
    closed = [(one.variant.name, one.closed.until) for one in seen if one.closed is not None]
    told = Told(sought, unknown, closed, None if cap is None else cap.most, old)
    return _placement(case, seen, how, told, None)


def _placement(
    case: Case, seen: Sequence[_Seen], how: How, told: Told, grant: Grant | None
) -> Placement:
    placed = settle(told.sought, grant)
    going = placed.asked if _acts(case) else placed.wanted
    orders = tuple(n + one.pods.leaving for n, one in zip(going, seen, strict=True))
    counts = tuple(workload.desired_replicas for workload in case.workloads)
    sudden = _at_once(case, seen, how, placed, told)
    return Placement(
        variants=tuple(map(_of_variant, seen, placed.domains, orders, placed.remembered)),
        placing=Placing(
            domains=tuple(
                replace(_remembered(case, one, after, asked), at_once=more)
                for one, after, asked, more in zip(
                    seen, placed.remembered, going, sudden, strict=True
                )
            ),
            total=max(told.sought.needed - placed.limited - placed.unpaid, 0),
            before=counts,
            late_price=case.memory.placing.late_price if how.late_price is None else how.late_price,
        ),
        reasons=reasons(case, placed, told, () if grant is None else grant.full),
        short=placed.short,
        surplus=max(sum(counts) - case.fleet.current, 0),
        limited=placed.limited,
        unpaid=placed.unpaid,
        sought=told.sought,
        leaving=tuple(one.pods.leaving for one in seen),
        within=partial(_placement, case, seen, how, told),
    )


def _at_once(
    case: Case, seen: Sequence[_Seen], how: How, placed: Placed, told: Told
) -> tuple[AtOnce, ...]:
    """Where nothing is placed by cost, as it was."""
    if not any(one.pool in case.snapshot.warm for one in seen):
        return (AtOnce(),) * len(seen)
    if how.late_price is None:
        return tuple(AtOnce() if one.before is None else one.before.at_once for one in seen)
    return at_once(told.sought, placed, [one.pool or one.variant.name for one in seen])


def _acts(case: Case) -> bool:
    """Else the goal is shown rather than the way: what is not written makes nothing ready."""
    observation = case.observation
    enforced = mode_in_force(observation, case.snapshot) is Mode.ENFORCE
    return enforced and observation.conflict is None


def _look(case: Case, variant: Variant, workload: Workload, before: PlacedDomain | None) -> _Seen:
    snapshot, prior = case.snapshot, case.settings.start_up_seconds_prior
    pool = snapshot.pools.get(variant.pool)
    # How long a node of this pool takes may not be known yet: that one elsewhere came sooner says nothing.
    patience = Patience(
        start_up=case.start_up_seconds, for_a_node=max(case.start_up_seconds, prior)
    )
    pods = pods_of(workload, case.memory.leaving_nodes, snapshot.nodes, patience, case.at)
    return _Seen(
        variant=variant,
        pool=pool_of(variant, workload, snapshot.nodes),
        # Beyond what is asked for they are about to be taken away, and stand in for nobody.
        pods=replace(pods, ready=min(pods.ready, workload.desired_replicas)),
        price=price_of(workload, case.workloads, snapshot.nodes, pool, before, case.at),
        before=before,
        can_be_lost=_can_be_lost(case, workload, pool, before),
        zones=zones_of(workload, pods, before, pool),
        zones_seen=zones_seen(pods, before),
        closed=closure(
            pool,
            None if before is None else before.closed,
            case.at,
            vain=bool(pods.vain),
            newest=pods.newest,
        ),
        by_zone=zone_pods(pods, snapshot.nodes, before),
        others=of_others(pool, before),
        one_zone=workload.strict_zones,
    )


def _can_be_lost(
    case: Case, workload: Workload, pool: Pool | None, before: PlacedDomain | None
) -> bool:
    """By the nodes of its replicas, else by its pool, else as it was."""
    nodes = case.snapshot.nodes
    under = [nodes[pod.node] for pod in workload.pods if pod.node in nodes]
    if under:
        return any(node.can_be_lost for node in under)
    if pool is not None:
        return pool.can_be_lost
    return before is None or before.can_be_lost


def _domain(case: Case, seen: _Seen, desired: int, how: How, *, stay: bool) -> DomainSeen:
    """`stay`: all that is there."""
    variant, pods = seen.variant, seen.pods
    part = variant.max_traffic_fraction
    share = ceil(part * desired - 1e-9) if part < 1 else MOST
    lowest = 0 if how.free else variant.min_replicas
    highest = MOST if how.free else max(min(variant.max_replicas, share), lowest)
    alive = pods.ready + pods.starting
    away = seen.before is not None and keeps_away(seen.before.record, case.at)
    return DomainSeen(
        name=variant.name,
        price_per_hour=ANY_PRICE if seen.price is None else seen.price.per_hour,
        can_be_lost=seen.can_be_lost,
        ready=pods.ready,
        starting=pods.starting,
        waiting=pods.waiting,
        vain=pods.vain,
        lost=_lost(seen),
        silent=_silent(seen),
        refused=pods.refused and not away and seen.closed is None,
        lowest=max(lowest, alive) if stay else lowest,
        highest=max(highest, alive) if stay else highest,
        parts=seen.zones,
        dear_per_hour=0.0 if seen.before is None else _dearest(seen, case.at).per_hour,
        more=room(seen.closed, case.at, MOST),
        zones=seen.by_zone if seen.can_be_lost else (),
        one_zone=seen.one_zone,
        others=seen.others,
    )


def _dearest(seen: _Seen, at: float) -> Dearest:
    before, price = seen.before, seen.price
    known = None if before is None else Dearest(per_hour=before.dear_per_hour, at=before.dear_at)
    return dearest(known, 0.0 if price is None else price.per_hour, at)


def _lost(seen: _Seen) -> int:
    """Each node counts once."""
    counted = () if seen.before is None else seen.before.taken
    return sum(pods for node, pods in seen.pods.taken if node not in counted)


def _silent(seen: _Seen) -> int:
    """Replicas, where they are many."""
    pods, count = seen.pods, sum(n for _, n in seen.pods.silent)
    return count if is_silent(count, pods.ready + pods.starting - pods.waiting) else 0


def _with_floor(domains: list[DomainSeen], floor: int, risk: Risk) -> list[DomainSeen]:
    """With `minOnDemandReplicas` in those that cannot be lost, the cheapest first."""
    safe = [i for i, one in enumerate(domains) if not one.can_be_lost]
    if not floor or not safe:
        return domains
    counts = cheapest(floor, [_plain(domains[i]) for i in safe], replace(risk, survivors=0))
    for i, count in zip(safe, counts, strict=True):
        domains[i] = replace(domains[i], lowest=count)
    return domains


def _plain(seen: DomainSeen) -> Domain:
    return Domain(
        price_per_hour=seen.price_per_hour,
        held=seen.alive,
        lowest=seen.lowest,
        highest=seen.highest,
    )


def _risk(case: Case, seen: Sequence[_Seen], desired: int, price_of_late: float) -> Risk:
    """A late request counts in costs of serving one on what cannot be lost, where there is such."""
    prices = [(one.can_be_lost, one.price.per_hour) for one in seen if one.price is not None]
    safe = [price for lossy, price in prices if not lossy]
    return Risk(
        late_price=price_of_late,
        served_price_per_hour=max(safe or [price for _, price in prices]),
        exposure_seconds=exposure_seconds(case.start_up_seconds, NOTICE_SECONDS, REACTION_SECONDS),
        start_seconds=case.start_up_seconds,
        survivors=_survivors(case, desired),
        most=case.bounds.highest,
    )


def _survivors(case: Case, desired: int) -> int:
    surviving = case.observation.policy.spot_risk is SpotRisk.SURVIVE_LARGEST_ZONE
    return desired if surviving else 0


def _risk_at_old_prices(case: Case, desired: int) -> Risk:
    """To survive a loss needs no price. Of places taken to cost the same, the one that is lost less often is kept."""
    return replace(
        _no_risk(case),
        late_price=LEAST_LATE_PRICE,
        exposure_seconds=3600.0,
        survivors=_survivors(case, desired),
        most=case.bounds.highest,
    )


def _no_risk(case: Case) -> Risk:
    return Risk(
        late_price=0.0,
        served_price_per_hour=ANY_PRICE,
        exposure_seconds=0.0,
        start_seconds=case.start_up_seconds,
    )


def _of_variant(seen: _Seen, domain: Domain, order: int, after: PlacedDomain) -> VariantPlaced:
    record = after.record
    away = record.looked_at is not None and keeps_away(record, record.looked_at)
    return VariantPlaced(
        order=order,
        price_per_hour=None if seen.price is None else seen.price.per_hour,
        losses_per_hour=domain.losses_per_hour,
        away_until=record.away_until if away else None,
    )


def _remembered(case: Case, seen: _Seen, after: PlacedDomain, asked: int) -> PlacedDomain:
    price, dear = seen.price, _dearest(seen, case.at)
    return replace(
        after,
        asked=asked,
        price_per_hour=None if price is None else price.per_hour,
        priced_at=0.0 if price is None else price.at,
        price_old_since=None if price is None else price.old_since,
        offered_per_hour=None if price is None else price.offered,
        can_be_lost=seen.can_be_lost,
        zones=seen.zones_seen,
        closed=seen.closed,
        taken=_counted(case, seen),
        dear_per_hour=dear.per_hour,
        dear_at=dear.at,
    )


def _counted(case: Case, seen: _Seen) -> tuple[str, ...]:
    """Nodes whose loss is counted, as long as they are there: one of the same name may be lost anew."""
    nodes, before = case.snapshot.nodes, () if seen.before is None else seen.before.taken
    still = (name for name in before if name in nodes and nodes[name].reclaimed)
    return tuple(sorted({*still, *(name for name, _ in seen.pods.taken)}))
