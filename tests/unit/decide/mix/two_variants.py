"""A policy with a spot and an on-demand variant, asked for and there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from inference_cost.decide.engine import decide
from inference_cost.decide.mix.losses import NOTHING_KNOWN
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.placement import LossRecord, PlacedDomain, Placing
from inference_cost.model.plan import Plan
from inference_cost.model.policy import Headroom, HeadroomMode, Policy, TargetRef, Variant
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType, Node, Pod, Pool, Workload
from tests.unit.decide.worlds import (
    ESTIMATE,
    NOON,
    key,
    learned,
    observation,
    pod,
    policy,
    priced_node,
    signals,
    snapshot,
)

ON_DEMAND = priced_node("on-demand", "1.20")
SPOT = replace(priced_node("spot", "0.30"), pool="spot", capacity_type=CapacityType.SPOT, zone="b")
TAKEN = replace(SPOT, leaving="spot interruption", reclaimed=True)
SPOT_POOL = Pool(name="spot", capacity_type=CapacityType.SPOT, examples=(SPOT,))
THREE_ZONES = replace(SPOT_POOL, zones=frozenset({"a", "b", "c"}))
QUIET = replace(NOTHING_KNOWN, hours=400.0)  # one loss in two weeks


def variants(*, spot_most: int = 10, safe_most: int = 10, **spot: Any) -> tuple[Variant, ...]:
    return (
        Variant(
            name="spot",
            target=target("spot"),
            min_replicas=0,
            max_replicas=spot_most,
            **({"pool": "spot"} | spot),
        ),
        Variant(name="safe", target=target("safe"), min_replicas=0, max_replicas=safe_most),
    )


def target(name: str) -> TargetRef:
    return TargetRef(api_version="apps/v1", kind="Deployment", name=name)


def two(of: tuple[Variant, ...] | None = None, **more: Any) -> Policy:
    fields: dict[str, Any] = {
        "variants": of or variants(),
        "headroom": Headroom(mode=HeadroomMode.DISABLED),
        "fewest": 1,
        "most": 10,
    }
    return policy(**(fields | more))


def running(
    name: str, replicas: int, pods: Sequence[Pod], *, rolling_out: bool = False
) -> Workload:
    return Workload(
        target=target(name),
        uid=name,
        desired_replicas=replicas,
        template_hash=f"{name}-1",
        rolling_out=rolling_out,
        pods=tuple(pods),
    )


def ready(name: str, count: int, **more: Any) -> list[Pod]:
    node = {"spot": "spot", "safe": "on-demand"}[name]
    fields = {"node": node, "template_hash": f"{name}-1"} | more
    return [pod(f"{name}-{i}", **fields) for i in range(count)]


TWO = two()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Replicas of each variant, asked for and there. 330 requests/s need four."""

    spot: tuple[int, Sequence[Pod]] = (0, ())
    safe: tuple[int, Sequence[Pod]] = (0, ())
    rate: float = 330.0
    of: Policy = TWO
    spot_node: Node = SPOT
    pools: tuple[Pool, ...] = (SPOT_POOL,)
    rolling_out: bool = False
    spreads_over_zones: bool = False

    def observed(self) -> PolicyObservation:
        serving = [one for one in (*self.spot[1], *self.safe[1]) if one.ready]
        told = signals(self.rate, len(serving))
        pods = (replace(said, pod=one.name) for said, one in zip(told.pods, serving, strict=True))
        seen = observation(of=self.of, seen=replace(told, pods=tuple(pods)))
        spot = replace(running("spot", *self.spot), spreads_over_zones=self.spreads_over_zones)
        safe = running("safe", *self.safe, rolling_out=self.rolling_out)
        return replace(seen, workloads=(spot, safe))

    def seen(self, at: float = NOON) -> Snapshot:
        shot = snapshot(self.observed(), nodes={"spot": self.spot_node, "on-demand": ON_DEMAND})
        return replace(shot, at=at, pools={pool.name: pool for pool in self.pools})


def remembering(
    spot: int, safe: int, record: LossRecord = QUIET, total: int | None = None
) -> PolicyMemory:
    """After a look at which so many were asked for and there."""
    domains = (
        PlacedDomain(name="spot", asked=spot, alive=spot, record=record, can_be_lost=True),
        PlacedDomain(name="safe", asked=safe, alive=safe, record=NOTHING_KNOWN),
    )
    placing = Placing(
        domains=domains,
        total=spot + safe if total is None else total,
        before=(spot, safe),
        ordered=(spot, safe),
    )
    known = (
        replace(ESTIMATE, template_hash="safe-1"),
        replace(ESTIMATE, template_hash="spot-1"),
    )
    return learned(needs=4, estimates=known, placing=placing)


def unseen(zones: int = 0) -> PolicyMemory:
    """Four on demand; on spot there were none, or some in `zones` once."""
    known = remembering(0, 4)
    spot, safe = known.placing.domains
    domains = (replace(spot, zones=zones), safe)
    return replace(known, placing=replace(known.placing, domains=domains))


def planned(world: World, remembered: PolicyMemory) -> tuple[Plan, PolicyMemory]:
    decisions = decide(world.seen(), Memory(policies={key(): remembered}))
    return decisions.plans[key()], decisions.memory.policies[key()]


def orders(plan: Plan) -> tuple[int, ...]:
    return tuple(one.desired for one in plan.variants)


FULL_SAFE = World(safe=(4, ready("safe", 4)))
FULL_SPOT = World(spot=(4, ready("spot", 4)))
BOTH = World(spot=(4, ready("spot", 4)), safe=(4, ready("safe", 4)))
NO_PRICE = replace(SPOT, price=Missing(reason=MissingReason.PRICE_UNKNOWN))
WAITING = [pod(f"spot-{i}", ready=False, age=400.0, node="", unschedulable=True) for i in range(4)]
ASKED_FOR = [pod(f"spot-{i}", ready=False, age=5.0, node="", unschedulable=True) for i in range(4)]
REFUSED = [replace(one, refused=True) for one in ASKED_FOR]
MADE_AGAIN = [pod(f"spot-{i}", ready=False, age=5.0, node="") for i in range(4)]
CRASHING = [
    pod(f"spot-{i}", ready=False, age=30.0, node="spot", waiting_reason="CrashLoopBackOff")
    for i in range(4)
]
AWAY = replace(QUIET, away_until=NOON + 500.0, away_seconds=1200.0, proven=False)
