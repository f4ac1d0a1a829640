"""The status of CapacityPools as the API objects hold it, from what was seen and learned by all policies. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from inference_cost.act.conditions import Finding, is_false, is_true, is_unknown, to_conditions
from inference_cost.api import pool_status as api
from inference_cost.api.fields import decimal_text, money_text
from inference_cost.api.policy_status import PriceSource
from inference_cost.api.pool_status import PoolConditionType
from inference_cost.decide.lead_time import START_UPS_NEEDED, starts
from inference_cost.decide.mix.hazard import per_hour_of_all
from inference_cost.decide.mix.zones import kept_from
from inference_cost.decide.start_parts import part
from inference_cost.model.memory import Memory, StartParts
from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import Snapshot
from inference_cost.model.placement import PlacedDomain
from inference_cost.model.workload import Node, Pool, Workload

LONGEST_START: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Of one pool: its nodes, and what all policies know of it."""

    nodes: tuple[Node, ...]
    pods: int
    domains: tuple[PlacedDomain, ...]
    start_seconds: tuple[float, ...]
    start_parts: tuple[StartParts, ...] = ()


def learned_by_pool(snapshot: Snapshot, memory: Memory) -> Mapping[str, Learned]:
    """One pass over all nodes and policies."""
    nodes: dict[str, list[Node]] = {}
    for node in snapshot.nodes.values():
        nodes.setdefault(node.pool, []).append(node)
    pods: dict[str, int] = {}
    domains: dict[str, list[PlacedDomain]] = {}
    seconds: dict[str, list[float]] = {}
    parts: dict[str, list[StartParts]] = {}
    for seen in snapshot.observations:
        for workload in seen.workloads:
            for pool in _pools_of(workload, snapshot.nodes):
                pods[pool] = pods.get(pool, 0) + 1
        known = memory.policies.get(seen.policy.key)
        if known is None:
            continue
        pool_of = {variant.name: variant.pool for variant in seen.policy.variants if variant.pool}
        for domain in known.placing.domains:
            if domain.name in pool_of:
                domains.setdefault(pool_of[domain.name], []).append(domain)
        for pool, took in starts(known):
            seconds.setdefault(pool, []).append(took)
        for start in known.start_parts:
            parts.setdefault(start[0], []).append(start)
    return {
        name: Learned(
            nodes=tuple(nodes.get(name, ())),
            pods=pods.get(name, 0),
            domains=tuple(domains.get(name, ())),
            start_seconds=tuple(seconds.get(name, ())),
            start_parts=tuple(parts.get(name, ())),
        )
        for name in {*nodes, *pods, *domains, *seconds}
    }


def _pools_of(workload: object, nodes: Mapping[str, Node]) -> Iterator[str]:
    if isinstance(workload, Workload):
        yield from (nodes[pod.node].pool for pod in workload.pods if pod.node in nodes)


NOTHING: Final = Learned(nodes=(), pods=0, domains=(), start_seconds=())
NO_WARM_NODES: Final = is_unknown("NotAsked", "`spec.warm` asks for nothing.")


def render_pool_status(
    name: str,
    snapshot: Snapshot,
    learned: Learned,
    *,
    problem: str,
    generation: int,
    previous: Mapping[str, Any],
    warm: api.WarmStatus | None = None,
    warm_ready: Finding = NO_WARM_NODES,
) -> dict[str, Any]:
    """`problem`: why its spec is not used; `previous`: the stored status, for the times of what did not change."""
    nodes = learned.nodes
    price, away = _price(name, snapshot, nodes), _away_until(learned, snapshot.at)
    findings = {
        PoolConditionType.AVAILABLE: _available(nodes),
        PoolConditionType.PRICE_KNOWN: _price_known(price, problem, snapshot.pools.get(name)),
        PoolConditionType.SCARCE: _scarce(learned, away, snapshot.at),
        PoolConditionType.WARM_READY: warm_ready,
    }
    conditions = to_conditions(
        findings, previous=previous.get("conditions") or (), generation=generation, at=snapshot.at
    )
    return api.CapacityPoolStatus(
        observed_generation=generation,
        conditions=conditions,
        nodes=len(nodes),
        pods=learned.pods,
        per_node_hour=None if price is None else money_text(price.per_hour),
        price_source=None if price is None else PriceSource(price.source.value),
        price_time=None if price is None else _time(price.as_of),
        losses_per_hour=_losses(learned),
        away_until=None if away is None else _time(away),
        lead_time=_lead_time(learned),
        warm=warm,
    ).to_object()


def _price(name: str, snapshot: Snapshot, nodes: Sequence[Node]) -> HourlyPrice | None:
    """Of its nodes, else of those that it might have."""
    pool = snapshot.pools.get(name)
    for some in (nodes, () if pool is None else pool.examples):
        known = [node.price for node in some if isinstance(node.price, HourlyPrice)]
        if known:
            return min(known, key=lambda price: price.per_hour)
    return None


def _available(nodes: Sequence[Node]) -> Finding:
    staying = [node for node in nodes if node.ready and not node.leaving]
    if staying and all(node.cordoned for node in staying):
        return is_false("Cordoned", "All nodes that stay are cordoned: nothing new lands on them.")
    if staying:
        return is_true("NodesReady", f"{len(staying)} of {len(nodes)} nodes are ready and stay.")
    if nodes:
        return is_false("NoNodeStays", f"None of {len(nodes)} nodes is ready and stays.")
    return is_unknown("NoNode", "No node has the labels of nodeSelector; it may begin without one.")


def _price_known(price: HourlyPrice | None, problem: str, pool: Pool | None) -> Finding:
    if problem:
        return is_false("NotUsed", f"The pool is not used: {problem}")
    if price is None:
        message = "No node tells a price and `spec.offerings` has none: nothing is moved here to save money."
        if pool is not None and pool.limits is not None and pool.limits.per_hour is not None:
            message += " Nor does `spec.limits.hourlyCost` limit anything."
        return is_false("PriceUnknown", message)
    source = price.origin or price.source.value
    if price.unconfirmed is not None:
        return is_true(
            "JumpHeld",
            f"From {source}, which tells {money_text(price.unconfirmed)} now: held until some looks in a row agree.",
        )
    return is_true("PriceKnown", f"From {source}.")


def _scarce(learned: Learned, away: float | None, at: float) -> Finding:
    if not learned.domains:
        return is_unknown("NotAsked", "No policy has a variant with this poolRef.")
    if away is not None:
        return is_true(
            "KeptAway", "Nodes were taken back, did not come or do not answer: see `awayUntil`."
        )
    closed = max((domain.closed.until for domain in learned.domains if domain.closed), default=at)
    if closed > at:
        return is_true(
            "Cordoned", f"Nodes are cordoned: no more are asked for, and one at {_clock(closed)}."
        )
    zones = _zones_away(learned, at)
    if zones:
        told = ", ".join(f"{name} until {_clock(until)}" for name, until in sorted(zones.items()))
        return is_true("ZoneLost", f"Zones that were taken back, or do not answer: {told}.")
    return is_false("NotScarce", "What is asked for comes, as far as it was asked for.")


def _zones_away(learned: Learned, at: float) -> Mapping[str, float]:
    """Zones that the last policy keeps away from until then."""
    zones: dict[str, float] = {}
    for domain in learned.domains:
        for zone in kept_from(domain.by_zone, at):
            zones[zone.name] = max(zone.record.away_until or at, zones.get(zone.name, at))
    return zones


def _away_until(learned: Learned, at: float) -> float | None:
    known = (domain.record.away_until for domain in learned.domains)
    return max((until for until in known if until is not None and until > at), default=None)


def _losses(learned: Learned) -> str | None:
    lossy = [domain.record for domain in learned.domains if domain.can_be_lost]
    if not lossy:
        return None
    return decimal_text(per_hour_of_all(lossy), places=2)


def _lead_time(learned: Learned) -> api.LeadTime | None:
    known = sorted(min(max(one, 0.0), LONGEST_START) for one in learned.start_seconds)
    if len(known) < START_UPS_NEEDED:
        return None
    return api.LeadTime(
        starts=len(known),
        p50_seconds=round(known[len(known) // 2]),
        p95_seconds=round(known[min(int(0.95 * len(known)), len(known) - 1)]),
        node=_part(learned, "node"),
        image=_part(learned, "image"),
        pod=_part(learned, "pod"),
    )


def _part(learned: Learned, name: str) -> api.LeadTimePart | None:
    seen = part(learned.start_parts, name)
    if seen is None:
        return None
    return api.LeadTimePart(
        starts=seen.starts,
        p50_seconds=round(min(seen.p50_seconds, LONGEST_START)),
        p95_seconds=round(min(seen.p95_seconds, LONGEST_START)),
    )


def _clock(at: float) -> str:
    return _time(at).isoformat(timespec="minutes").replace("+00:00", "Z")


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(int(at), UTC)
