"""What the replicas cost now, by policy and by pool, and this month so far."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from inference_cost.account.accrual import whole_days
from inference_cost.account.month import AccountMemory, MonthToDate, advance, month_to_date
from inference_cost.account.pool_accounts import by_pool, pools_advanced
from inference_cost.account.projection import Projection, project
from inference_cost.account.running import replicas_running
from inference_cost.account.savings.look import Fleet, allowed_late, follow
from inference_cost.account.savings.savings import Savings, savings_of
from inference_cost.account.savings.whole_nodes import sums_of
from inference_cost.account.shares import STEP, NodeSplit, split_node
from inference_cost.account.units import UnitCosts, served_per_hour, unit_costs
from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Attainment, Plan
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType, Pod, Workload

NOT_PROJECTED = Missing(reason=MissingReason.NOT_LEARNED, detail="nothing was counted yet")
GAP_TICKS = 3  # an absence longer than this many ticks is named as a gap


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShare:
    """Replicas of one variant in one pool. `per_hour` is Missing when any of them has no known price."""

    variant: str
    pool: str
    capacity_type: CapacityType
    replicas: int
    nodes: int
    per_hour: Decimal | Missing
    priced_per_hour: Decimal  # the known part
    price: HourlyPrice | Missing  # of a whole node, with its source and age


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCost:
    """Cost of one policy. `priced_per_hour` is the known part of `per_hour`; `unpriced` says what is not in it."""

    per_hour: Decimal | Missing
    priced_per_hour: Decimal
    desired_per_hour: Decimal | Missing  # at the plan's desired replicas, on nodes like today's
    pools: tuple[PoolShare, ...]
    unpriced: tuple[str, ...]
    month_to_date: MonthToDate
    projection: Projection | Missing = NOT_PROJECTED
    units: UnitCosts | Missing = NOT_PROJECTED
    savings: Savings | Missing = NOT_PROJECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCost:
    """All nodes of one pool in use: what replicas were charged, what is kept ready, and the idle rest.

    `warm_per_hour`: of nodes with a placeholder, what no policy's pod there requests. Unpriced nodes are named.
    """

    pool: str
    nodes: int
    per_hour: Decimal
    allocated_per_hour: Decimal
    idle_per_hour: Decimal
    warm_per_hour: Decimal = Decimal(0)
    unpriced_nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Result of one tick. `memory` goes into the next tick and into the checkpoints, `pool_memory` into the former."""

    currency: str
    policies: Mapping[PolicyKey, PolicyCost]
    pools: tuple[PoolCost, ...]
    memory: Mapping[PolicyKey, AccountMemory] = field(default_factory=lambda: MappingProxyType({}))
    pool_memory: Mapping[str, AccountMemory] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class _Replica:
    """A bound pod of a policy; it costs money from binding to removal, ready or not."""

    pod: Pod
    node: str
    variant: str


def account(
    snapshot: Snapshot,
    plans: Mapping[PolicyKey, Plan],
    memory: Mapping[PolicyKey, AccountMemory],
    *,
    currency: str = "USD",
    pool_memory: Mapping[str, AccountMemory] | None = None,
) -> Costs:
    """Price what runs. Policies not in `snapshot` are forgotten; a pod is charged once, to its first owner."""
    gap_after_seconds = GAP_TICKS * snapshot.settings.tick_seconds
    owners = _owners(snapshot)
    splits = _split_nodes(snapshot, owners, currency)
    sums = sums_of(splits.values())
    policies: dict[PolicyKey, PolicyCost] = {}
    remembered: dict[PolicyKey, AccountMemory] = {}
    for seen in snapshot.observations:
        key = seen.policy.key
        pools, unpriced = _policy_pools(owners.get(key, ()), splits)
        priced = sum((p.priced_per_hour for p in pools), Decimal(0))
        per_hour = _total(priced, unpriced)
        before = memory.get(key)
        advanced = advance(
            before,
            at=snapshot.at,
            per_hour=per_hour,
            running=list(
                replicas_running(
                    ((r.variant, r.pod) for r in owners.get(key, ())),
                    splits,
                    seen.policy.cost_center,
                )
            ),
            gap_after_seconds=gap_after_seconds,
        )
        savings = follow(
            None if before is None else before.savings,
            seen.policy,
            plans.get(key),
            Fleet(pods=_by_variant(owners.get(key, ())), splits=splits, pools=sums),
            at=snapshot.at,
            settings=snapshot.settings,
            gap_after_seconds=gap_after_seconds,
        )
        remembered[key] = replace(advanced, savings=savings)
        policies[key] = PolicyCost(
            per_hour=per_hour,
            priced_per_hour=priced,
            desired_per_hour=_desired(plans.get(key), per_hour, len(owners.get(key, ()))),
            pools=pools,
            unpriced=unpriced,
            month_to_date=month_to_date(
                remembered[key],
                created_at=seen.policy.created_at,
                gap_after_seconds=gap_after_seconds,
            ),
            projection=project(
                remembered[key].amount,
                at=snapshot.at,
                per_hour=per_hour,
                whole_days=whole_days(remembered[key].days, snapshot.at),
            ),
            units=unit_costs(per_hour, served_per_hour(seen.signals, _attainment(plans.get(key)))),
            savings=savings_of(savings, allowed_late(seen.policy)),
        )
    return Costs(
        currency=currency,
        policies=policies,
        pools=_pool_costs(splits, _held(snapshot)),
        memory=remembered,
        pool_memory=pools_advanced(
            splits,
            pool_memory or {},
            held=_held(snapshot),
            at=snapshot.at,
            gap_after_seconds=gap_after_seconds,
        ),
    )


def _held(snapshot: Snapshot) -> frozenset[str]:
    """Nodes with a placeholder."""
    return frozenset(
        one.node for pool in snapshot.warm.values() for one in pool.holders if one.node
    )


def _by_variant(replicas: Sequence[_Replica]) -> dict[str, list[Pod]]:
    found: dict[str, list[Pod]] = defaultdict(list)
    for replica in replicas:
        found[replica.variant].append(replica.pod)
    return found


def _attainment(plan: Plan | None) -> Attainment | Missing:
    return NOT_PROJECTED if plan is None else plan.attainment


def _owners(snapshot: Snapshot) -> dict[PolicyKey, tuple[_Replica, ...]]:
    """Bound pods by policy. Where two policies claim a pod, the one without a conflict, then the older, has it."""
    ordered = sorted(
        snapshot.observations,
        key=lambda o: (o.conflict is not None, o.policy.created_at, o.policy.key),
    )
    taken: set[str] = set()
    owners: dict[PolicyKey, tuple[_Replica, ...]] = {}
    for seen in ordered:
        replicas = [r for r in _replicas(seen) if r.pod.uid not in taken]
        taken.update(r.pod.uid for r in replicas)
        owners[seen.policy.key] = tuple(replicas)
    return owners


def _replicas(seen: PolicyObservation) -> list[_Replica]:
    return [
        _Replica(pod, pod.node, variant.name)
        for variant, workload in zip(seen.policy.variants, seen.workloads, strict=True)
        if isinstance(workload, Workload)
        for pod in workload.pods
        if pod.node
    ]


def _split_nodes(
    snapshot: Snapshot, owners: Mapping[PolicyKey, tuple[_Replica, ...]], currency: str
) -> dict[str, NodeSplit]:
    """Splits of every node of every pool in use: empty nodes of these pools are paid for too."""
    by_node: dict[str, list[Pod]] = defaultdict(list)
    for replica in (r for replicas in owners.values() for r in replicas):
        by_node[replica.node].append(replica.pod)
    paid = (*by_node, *_held(snapshot))
    in_use = {snapshot.nodes[name].pool for name in paid if name in snapshot.nodes}
    return {
        name: split_node(node, by_node.get(name, []), currency)
        for name, node in snapshot.nodes.items()
        if node.pool in in_use
    }


def _policy_pools(
    replicas: tuple[_Replica, ...], splits: Mapping[str, NodeSplit]
) -> tuple[tuple[PoolShare, ...], tuple[str, ...]]:
    grouped: dict[tuple[str, str], list[_Replica]] = defaultdict(list)
    unpriced: list[str] = []
    for replica in replicas:
        if replica.node in splits:
            grouped[replica.variant, splits[replica.node].node.pool].append(replica)
        else:
            unpriced.append(f"node {replica.node} is not known")
    pools = tuple(_pool_share(grouped[key], splits, unpriced) for key in sorted(grouped))
    return pools, tuple(dict.fromkeys(unpriced))


def _pool_share(
    replicas: list[_Replica], splits: Mapping[str, NodeSplit], unpriced: list[str]
) -> PoolShare:
    shares = [splits[r.node].shares[r.pod.uid] for r in replicas]
    missing = [s for s in shares if isinstance(s, Missing)]
    priced = sum((s for s in shares if isinstance(s, Decimal)), Decimal(0))
    node = splits[replicas[0].node].node
    unpriced += [m.detail or f"pool {node.pool} has no price" for m in missing]
    return PoolShare(
        variant=replicas[0].variant,
        pool=node.pool,
        capacity_type=node.capacity_type,
        replicas=len(replicas),
        nodes=len({r.node for r in replicas}),
        per_hour=missing[0] if missing else priced,
        priced_per_hour=priced,
        price=node.price,
    )


def _total(priced: Decimal, unpriced: tuple[str, ...]) -> Decimal | Missing:
    if unpriced:
        return Missing(reason=MissingReason.PRICE_UNKNOWN, detail="; ".join(unpriced[:3]))
    return priced


def _desired(plan: Plan | None, per_hour: Decimal | Missing, replicas: int) -> Decimal | Missing:
    """Cost at the desired replicas: the mean price of a running replica, times as many."""
    if isinstance(per_hour, Missing):
        return per_hour
    if plan is None:
        return Missing(reason=MissingReason.NOT_LEARNED, detail="nothing was decided yet")
    if plan.desired == 0:
        return Decimal(0)
    if len(plan.variants) > 1 and all(v.price_per_hour is not None for v in plan.variants):
        prices = (Decimal(str(v.price_per_hour)) * v.desired for v in plan.variants)
        return sum(prices, Decimal(0)).quantize(STEP, ROUND_HALF_UP)
    if replicas == 0:
        return _from_price(plan)
    return (per_hour * plan.desired / replicas).quantize(STEP, ROUND_HALF_UP)


def _from_price(plan: Plan) -> Decimal | Missing:
    if isinstance(plan.replica_price_per_hour, Missing):
        return plan.replica_price_per_hour
    return (plan.replica_price_per_hour * plan.desired).quantize(STEP, ROUND_HALF_UP)


def _pool_costs(splits: Mapping[str, NodeSplit], held: frozenset[str]) -> tuple[PoolCost, ...]:
    found = by_pool(splits)
    return tuple(_pool_cost(pool, found[pool], held) for pool in sorted(found))


def _pool_cost(pool: str, splits: list[NodeSplit], held: frozenset[str]) -> PoolCost:
    per_hour = sum((s.per_hour for s in splits if isinstance(s.per_hour, Decimal)), Decimal(0))
    free = [(s.node.name, s.idle) for s in splits if isinstance(s.idle, Decimal)]
    warm = sum((idle for name, idle in free if name in held), Decimal(0))
    idle = sum((idle for name, idle in free if name not in held), Decimal(0))
    return PoolCost(
        pool=pool,
        nodes=len(splits),
        per_hour=per_hour,
        allocated_per_hour=per_hour - idle - warm,
        idle_per_hour=idle,
        warm_per_hour=warm,
        unpriced_nodes=tuple(
            sorted(s.node.name for s in splits if isinstance(s.per_hour, Missing))
        ),
    )
