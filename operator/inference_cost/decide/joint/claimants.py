"""Who asks for room in pools with limits, for what, and what is used there by those who do not ask."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from inference_cost.decide.case import Case
from inference_cost.decide.joint.limits import HOURLY_COST, Limits, pool_of
from inference_cost.decide.mix.cheapest import Domain, Risk
from inference_cost.decide.mix.claims import Budget, Claim, Place
from inference_cost.decide.mix.placement import Placement
from inference_cost.decide.mix.variants import ANY_PRICE
from inference_cost.decide.place import share_of
from inference_cost.decide.plans import mode_in_force
from inference_cost.decide.proposal import Proposed, priority_of
from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.policy import Mode, PolicyKey
from inference_cost.model.workload import Node, Workload

Used = dict[int, float]  # by bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """By place: `pools`, "" where nothing limits it; replicas asked for `now`; `leaving` ones.

    `mix`: in the end, and `order` next, were there no limits. `acts`: its orders are written.
    """

    key: PolicyKey
    acts: bool
    priority: int
    claim: Claim
    pools: tuple[str, ...]
    now: tuple[int, ...]
    leaving: tuple[int, ...]
    mix: tuple[int, ...]
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`fixed`: what is used by those who do not ask; `holders`: their names, by pool."""

    claimants: tuple[Claimant, ...]
    fixed: Used
    holders: Mapping[str, tuple[str, ...]]


def look(proposals: Mapping[PolicyKey, Proposed], limits: Limits) -> Asked:
    claimants: list[Claimant] = []
    fixed: Used = {i: bound.others for i, bound in enumerate(limits.bounds)}
    holders: dict[str, list[str]] = {}
    for seen in limits.snapshot.observations:
        made = proposals.get(seen.policy.key)
        found = None if made is None else _claimant(made, limits)
        if found is not None:
            claimants.append(found)
        for pool, uses in _fixed(seen, limits, claims=found is not None):
            for bound, amount in uses:
                fixed[bound] += amount
            if found is None and str(seen.policy.key) not in holders.setdefault(pool, []):
                holders[pool].append(str(seen.policy.key))
    return Asked(
        claimants=tuple(claimants),
        fixed=fixed,
        holders={pool: tuple(names) for pool, names in holders.items()},
    )


def _claimant(made: Proposed, limits: Limits) -> Claimant | None:
    """None of who runs in no such pool, and of who asks for nothing: a pause is a user's order."""
    case = made.case
    if case is None or case.observation.policy.pause is not None:
        return None
    pools = tuple(pool_of(case.observation, i, limits.snapshot) for i in range(len(case.workloads)))
    if not any(pools):
        return None
    seen, found = case.observation, made.placement
    desired = made.choice.desired
    mix: tuple[int, ...] = (desired,) if found is None else found.sought.mix
    return Claimant(
        key=seen.policy.key,
        acts=mode_in_force(seen, case.snapshot) is Mode.ENFORCE and seen.conflict is None,
        priority=priority_of(case),
        claim=_alone(case, pools[0], limits, desired)
        if found is None
        else _placed(case, pools, limits, found),
        pools=pools,
        now=tuple(workload.desired_replicas for workload in case.workloads),
        leaving=(0,) if found is None else found.leaving,
        mix=mix,
        order=mix if found is None else tuple(variant.order for variant in found.variants),
    )


def _placed(case: Case, pools: Sequence[str], limits: Limits, found: Placement) -> Claim:
    """What is to survive a loss is asked for as the mix found it; and what is paid for now can be paid for."""
    sought = found.sought
    places = tuple(
        Place(
            domain=domain,
            uses=limits.uses(pool, workload, case.workloads, variant.price_per_hour)
            if pool
            else (),
        )
        for domain, pool, workload, variant in zip(
            sought.domains, pools, case.workloads, found.variants, strict=True
        )
    )
    budget = None
    if sought.cap is not None:
        spent = sum(n * price for n, price in zip(sought.mix, sought.dear, strict=True))
        budget = Budget(prices=sought.dear, most=max(sought.cap.most, spent))
    total = sum(sought.mix) if sought.risk.survivors else min(sought.needed, sum(sought.mix))
    return Claim(
        needed=sought.needed,
        total=max(total, sum(place.domain.lowest for place in places)),
        places=places,
        risk=sought.risk,
        budget=budget,
    )


def _alone(case: Case, pool: str, limits: Limits, desired: int) -> Claim:
    """Of one workload in one place."""
    workload = case.workloads[0]
    price = limits.price(pool, workload)
    domain = Domain(
        price_per_hour=price or ANY_PRICE,
        held=workload.desired_replicas,
        lowest=min(case.bounds.lowest, desired),
        highest=desired,
    )
    risk = Risk(
        late_price=0.0,
        served_price_per_hour=domain.price_per_hour,
        exposure_seconds=0.0,
        start_seconds=case.start_up_seconds,
    )
    place = Place(domain=domain, uses=limits.uses(pool, workload, (), price))
    return Claim(needed=desired, total=desired, places=(place,), risk=risk)


def _fixed(
    seen: PolicyObservation, limits: Limits, *, claims: bool
) -> Iterator[tuple[str, tuple[tuple[int, float], ...]]]:
    """Pool and uses of each replica that is there whatever is shared out."""
    workloads = [one for one in seen.workloads if isinstance(one, Workload)]
    for i, workload in enumerate(seen.workloads):
        if not isinstance(workload, Workload):
            continue
        pool = pool_of(seen, i, limits.snapshot)
        if not pool:
            yield from _bound_pods(workload, limits)
        elif not claims and workload.desired_replicas:
            uses = limits.uses(pool, workload, workloads, limits.price(pool, workload))
            yield pool, tuple((i, n * workload.desired_replicas) for i, n in uses)


def _bound_pods(
    workload: Workload, limits: Limits
) -> Iterator[tuple[str, tuple[tuple[int, float], ...]]]:
    """Of one that may run anywhere, what is on such nodes now."""
    nodes = limits.snapshot.nodes
    for pod in workload.pods:
        node = nodes.get(pod.node)
        if node is None or node.pool not in limits.pools:
            continue
        share = float(share_of(node, pod.gpus, pod.cpu_millicores, pod.memory_bytes)) or 1.0
        yield node.pool, _uses_of(node, share, limits)


def _uses_of(node: Node, share: float, limits: Limits) -> tuple[tuple[int, float], ...]:
    price = float(node.price.per_hour) if isinstance(node.price, HourlyPrice) else 0.0
    return tuple(
        (i, share * (price if bound.limit == HOURLY_COST else 1.0))
        for i, bound in limits.pools[node.pool]
    )
