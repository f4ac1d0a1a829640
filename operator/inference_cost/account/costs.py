"""What the replicas cost now, by policy and by pool, and this month so far."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from inference_cost.account.accrual import whole_days
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.month import AccountMemory, MonthToDate, advance, month_to_date
from inference_cost.account.occupancy import (
    Replica,
    held_nodes,
    not_followed,
    owners_of,
    split_nodes,
)
from inference_cost.account.occupants import nobodys
from inference_cost.account.pool_accounts import by_pool, pools_advanced
from inference_cost.account.projection import Projection, project
from inference_cost.account.running import replicas_running
from inference_cost.account.savings.bearers import last_uses, left_nodes, parts_by_policy
from inference_cost.account.savings.look import (
    NOT_DECIDED,
    Fleet,
    allowed_late,
    follow,
    planned_change,
)
from inference_cost.account.savings.savings import Savings, SavingsMemory, savings_of
from inference_cost.account.savings.whole_nodes import free_of, node_prices
from inference_cost.account.shares import STEP, NodeSplit
from inference_cost.account.units import UnitCosts, served_per_hour, unit_costs
from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import Snapshot
from inference_cost.model.plan import Attainment, Plan
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType, Pod

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
    """Cost of one policy. `priced_per_hour` is the known part of `per_hour`; `unpriced` says what is not in it.

    Of a target that is not followed nothing is known, and the month is not projected.
    """

    per_hour: Decimal | Missing
    priced_per_hour: Decimal
    desired_per_hour: Decimal | Missing  # at the plan's desired replicas, on nodes like today's
    would_save_per_hour: Decimal | Missing = NOT_PROJECTED  # of nodes, with these; negative: more
    pools: tuple[PoolShare, ...]
    unpriced: tuple[str, ...]
    month_to_date: MonthToDate
    projection: Projection | Missing = NOT_PROJECTED
    units: UnitCosts | Missing = NOT_PROJECTED
    savings: Savings | Missing = NOT_PROJECTED
    monthly_budget: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCost:
    """All nodes of one pool in use: what replicas are charged, and what placeholders, system pods and others request.

    `idle_per_hour` is what nobody requests. Unpriced nodes are named.
    """

    pool: str
    nodes: int
    per_hour: Decimal
    allocated_per_hour: Decimal
    idle_per_hour: Decimal
    warm_per_hour: Decimal = Decimal(0)
    overhead_per_hour: Decimal = Decimal(0)
    other_per_hour: Decimal = Decimal(0)
    unpriced_nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Result of one tick. `memory` goes into the next tick and into the checkpoints, `pool_memory` into the former."""

    currency: str
    policies: Mapping[PolicyKey, PolicyCost]
    pools: tuple[PoolCost, ...]
    memory: Mapping[PolicyKey, AccountMemory] = field(default_factory=lambda: MappingProxyType({}))
    pool_memory: Mapping[str, AccountMemory] = field(default_factory=lambda: MappingProxyType({}))


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
    owners, held = owners_of(snapshot), held_nodes(snapshot)
    replicas = {key: [r.pod for r in some] for key, some in owners.items()}
    before_last = {key: memory[key].last_uses for key in owners if key in memory}
    left = left_nodes(before_last, replicas, snapshot.nodes, held)
    splits = split_nodes(
        snapshot,
        owners,
        currency,
        held=held,
        left=(one.node for uses in left.values() for one in uses),
        counted=pool_memory or {},
    )
    uses = last_uses(replicas, splits, left)
    parts = parts_by_policy(replicas, splits, left, held)
    prices, free = node_prices(splits.values()), free_of(splits.values())
    policies: dict[PolicyKey, PolicyCost] = {}
    remembered: dict[PolicyKey, AccountMemory] = {}
    for seen in snapshot.observations:
        key, unseen = seen.policy.key, not_followed(seen)
        fleet = Fleet(
            pods=_by_variant(owners[key]),
            splits=splits,
            prices=prices,
            parts=unseen or parts[key],
            free=free,
            left=frozenset(one.node for one in left[key]),
        )
        pools, unpriced = _policy_pools(owners[key], splits, unseen)
        priced = sum((p.priced_per_hour for p in pools), Decimal(0))
        per_hour = _total(priced, unpriced)
        before = memory.get(key)
        advanced = advance(
            before,
            at=snapshot.at,
            per_hour=per_hour,
            running=list(
                replicas_running(
                    ((r.variant, r.pod) for r in owners[key]),
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
            fleet,
            at=snapshot.at,
            settings=snapshot.settings,
            gap_after_seconds=gap_after_seconds,
        )
        remembered[key] = replace(advanced, savings=savings, last_uses=uses[key])
        policies[key] = PolicyCost(
            per_hour=per_hour,
            priced_per_hour=priced,
            desired_per_hour=_desired(plans.get(key), per_hour, len(owners[key])),
            would_save_per_hour=unseen or _would_save(plans.get(key), fleet, savings),
            pools=pools,
            unpriced=unpriced,
            month_to_date=month_to_date(
                remembered[key],
                created_at=seen.policy.created_at,
                gap_after_seconds=gap_after_seconds,
            ),
            projection=unseen
            or project(
                remembered[key].amount,
                at=snapshot.at,
                per_hour=per_hour,
                whole_days=whole_days(remembered[key].days, snapshot.at),
            ),
            units=unit_costs(per_hour, served_per_hour(seen.signals, _attainment(plans.get(key)))),
            savings=savings_of(savings, allowed_late(seen.policy)),
            monthly_budget=seen.policy.monthly_budget,
        )
    return Costs(
        currency=currency,
        policies=policies,
        pools=_pool_costs(splits),
        memory=remembered,
        pool_memory=pools_advanced(
            splits,
            pool_memory or {},
            at=snapshot.at,
            gap_after_seconds=gap_after_seconds,
        ),
    )


def _by_variant(replicas: Sequence[Replica]) -> dict[str, list[Pod]]:
    found: dict[str, list[Pod]] = defaultdict(list)
    for replica in replicas:
        found[replica.variant].append(replica.pod)
    return found


def _attainment(plan: Plan | None) -> Attainment | Missing:
    return NOT_PROJECTED if plan is None else plan.attainment


def _policy_pools(
    replicas: tuple[Replica, ...], splits: Mapping[str, NodeSplit], unseen: Missing | None
) -> tuple[tuple[PoolShare, ...], tuple[str, ...]]:
    grouped: dict[tuple[str, str], list[Replica]] = defaultdict(list)
    unpriced = [] if unseen is None else [unseen.detail]
    for replica in replicas:
        if replica.node in splits:
            grouped[replica.variant, splits[replica.node].node.pool].append(replica)
        else:
            unpriced.append(f"node {replica.node} is not known")
    pools = tuple(_pool_share(grouped[key], splits, unpriced) for key in sorted(grouped))
    return pools, tuple(dict.fromkeys(unpriced))


def _pool_share(
    replicas: list[Replica], splits: Mapping[str, NodeSplit], unpriced: list[str]
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
        return NOT_DECIDED
    if plan.desired == 0:
        return Decimal(0)
    if len(plan.variants) > 1 and all(v.price_per_hour is not None for v in plan.variants):
        prices = (Decimal(str(v.price_per_hour)) * v.desired for v in plan.variants)
        return sum(prices, Decimal(0)).quantize(STEP, ROUND_HALF_UP)
    if replicas == 0:
        return _from_price(plan)
    return (per_hour * plan.desired / replicas).quantize(STEP, ROUND_HALF_UP)


def _would_save(plan: Plan | None, fleet: Fleet, savings: SavingsMemory) -> Decimal | Missing:
    """Only nodes that empty save something, and only replicas that find no room cost more."""
    if plan is None:
        return NOT_DECIDED
    change = planned_change(plan, fleet, savings.shadows.replica)
    return change if isinstance(change, Missing) else -change


def _from_price(plan: Plan) -> Decimal | Missing:
    if isinstance(plan.replica_price_per_hour, Missing):
        return plan.replica_price_per_hour
    return (plan.replica_price_per_hour * plan.desired).quantize(STEP, ROUND_HALF_UP)


def _pool_costs(splits: Mapping[str, NodeSplit]) -> tuple[PoolCost, ...]:
    found = by_pool(splits)
    return tuple(_pool_cost(pool, found[pool]) for pool in sorted(found))


def _pool_cost(pool: str, splits: list[NodeSplit]) -> PoolCost:
    per_hour = sum((s.per_hour for s in splits if isinstance(s.per_hour, Decimal)), Decimal(0))
    lines: dict[Kind, Decimal] = defaultdict(Decimal)
    for split in splits:
        for kind, amount in nobodys(split, boots=False).items():
            lines[kind] += amount
    return PoolCost(
        pool=pool,
        nodes=len(splits),
        per_hour=per_hour,
        allocated_per_hour=per_hour - sum(lines.values(), Decimal(0)),
        idle_per_hour=lines[Kind.IDLE],
        warm_per_hour=lines[Kind.WARM],
        overhead_per_hour=lines[Kind.OVERHEAD],
        other_per_hour=lines[Kind.OTHER],
        unpriced_nodes=tuple(
            sorted(s.node.name for s in splits if isinstance(s.per_hour, Missing))
        ),
    )
