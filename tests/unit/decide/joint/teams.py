"""Several policies whose replicas may run in a pool with limits, and beside it on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Decisions, Memory, PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Plan
from inference_cost.model.policy import Policy, TargetRef, Variant
from inference_cost.model.workload import (
    CapacityType,
    Node,
    Pod,
    Pool,
    PoolLimits,
    UsedByOthers,
    Workload,
)
from tests.unit.decide.mix.two_variants import QUIET, SPOT, remembering, two
from tests.unit.decide.worlds import NOON, key, observation, pod, policy, priced_node, signals

ON_DEMAND = priced_node("on-demand", "1.20")
ON_DEMAND_POOL = Pool(name="g6", capacity_type=CapacityType.ON_DEMAND, examples=(ON_DEMAND,))
NODES: Mapping[str, Node] = {"spot": SPOT, "on-demand": ON_DEMAND}


def limited(
    nodes: int | None = None, per_hour: str | None = None, others: float = 0.0, node: Node = SPOT
) -> Pool:
    return Pool(
        name=node.pool,
        capacity_type=node.capacity_type,
        examples=(node,),
        limits=PoolLimits(nodes=nodes, per_hour=None if per_hour is None else Decimal(per_hour)),
        others=UsedByOthers(nodes=others, per_hour=others * 0.3),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A policy that needs so many replicas whatever its load; `spot`, `safe`: ready and asked for."""

    name: str
    needs: int
    spot: int = 0
    safe: int = 0
    safe_most: int = 10
    starting: int = 0  # of those on spot
    fields: Mapping[str, Any] | None = None
    priority: int = 0  # of its pods

    @property
    def policy(self) -> Policy:
        variants = (
            Variant(
                name="spot",
                target=_target(f"{self.name}-spot"),
                min_replicas=0,
                max_replicas=20,
                pool="spot",
            ),
            Variant(
                name="safe",
                target=_target(f"{self.name}-safe"),
                min_replicas=0,
                max_replicas=self.safe_most,
                pool="g6",
            ),
        )
        more = {"fewest": self.needs, "most": 20, "key": key(self.name)} | dict(self.fields or {})
        return two(variants, **more)

    def observed(self, at: float = NOON) -> PolicyObservation:
        spot = self._pods("spot", self.spot, starting=self.starting)
        safe = self._pods("safe", self.safe, node="on-demand")
        serving = [one for one in (*spot, *safe) if one.ready]
        told = signals(0.0, len(serving), sampled_at=at)
        pods = (replace(said, pod=one.name) for said, one in zip(told.pods, serving, strict=True))
        seen = observation(of=self.policy, seen=replace(told, pods=tuple(pods)))
        return replace(seen, workloads=(self._work("spot", spot), self._work("safe", safe)))

    def _pods(
        self, place: str, count: int, *, node: str = "spot", starting: int = 0
    ) -> Sequence[Pod]:
        return [
            pod(
                f"{self.name}-{place}-{i}",
                node=node,
                template_hash=f"{place}-1",
                priority=self.priority,
                ready=i < count - starting,
                age=3600.0 if i < count - starting else 20.0,
            )
            for i in range(count)
        ]

    def _work(self, place: str, pods: Sequence[Pod]) -> Workload:
        return Workload(
            target=_target(f"{self.name}-{place}"),
            uid=f"{self.name}-{place}",
            desired_replicas=len(pods),
            template_hash=f"{place}-1",
            rolling_out=False,
            pods=tuple(pods),
        )

    @property
    def memory(self) -> PolicyMemory:
        before = remembering(self.spot, self.safe, record=QUIET)
        return replace(before, needs=((NOON - 3600.0, self.needs),))


def _target(name: str) -> TargetRef:
    return TargetRef(api_version="apps/v1", kind="Deployment", name=name)


def seen(teams: Sequence[Team], *pools: Pool, at: float = NOON) -> Snapshot:
    return Snapshot(
        at=at,
        observations=tuple(team.observed(at) for team in teams),
        nodes=NODES,
        pools={pool.name: pool for pool in (ON_DEMAND_POOL, *pools)},
    )


def memory_of(teams: Sequence[Team]) -> Memory:
    return Memory(policies={key(team.name): team.memory for team in teams})


def decided(teams: Sequence[Team], *pools: Pool) -> Decisions:
    return decide(seen(teams, *pools), memory_of(teams))


def orders(decisions: Decisions) -> dict[str, tuple[int, ...]]:
    """By name: of spot and on demand."""
    return {
        name.name: tuple(one.desired for one in plan.variants)
        for name, plan in decisions.plans.items()
    }


def codes(plan: Plan) -> list[str]:
    return [reason.code for reason in plan.reasons]


def alone(
    name: str, needs: int, running: int, *, pool: str = "g6", priority: int = 0
) -> PolicyObservation:
    """A policy of one workload, which its pod template keeps to the pool."""
    pods = tuple(pod(f"{name}-{i}", node="on-demand", priority=priority) for i in range(running))
    work = Workload(
        target=_target(name),
        uid=name,
        desired_replicas=running,
        template_hash="v1",
        rolling_out=False,
        pods=pods,
        pool=pool,
    )
    told = signals(0.0, running)
    said = (replace(one, pod=pod.name) for one, pod in zip(told.pods, pods, strict=True))
    variant = Variant(name=name, target=_target(name), min_replicas=needs, max_replicas=20)
    of = policy(name, variants=(variant,))
    return replace(
        observation(of=of, seen=replace(told, pods=tuple(said))),
        workloads=(work,),
    )
