"""Two policies on one on-demand pool that keeps nodes ready for both."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from inference_cost.decide.engine import decide
from inference_cost.decide.warm.steps import ENDS
from inference_cost.model.memory import Decisions, Memory, PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Plan
from inference_cost.model.warm import Asked, Holder, WarmMemory, WarmPool, WarmRecord, WarmSpec
from inference_cost.model.workload import CapacityType, Node, Pod, Pool
from tests.unit.decide.worlds import (
    NOON,
    key,
    learned,
    observation,
    pod,
    policy,
    priced_node,
    signals,
    snapshot,
    workload,
)

NODE = replace(priced_node("gpu-0"), pool="safe")
SPEC = WarmSpec(least=0, most=10)
SAFE = Pool(name="safe", capacity_type=CapacityType.ON_DEMAND, examples=(NODE,))
HOUR = 3600.0
RATE = 80.0  # requests/s: nearly what one replica carries


def steps(**seconds: float) -> tuple[float, ...]:
    """Seconds seen by the upper end of a class, written as `up_1_0` for 1.0."""
    counts = dict.fromkeys(ENDS, 0.0)
    for name, value in seconds.items():
        counts[float(name.removeprefix("up_").replace("_", "."))] = value
    return tuple(counts.values())


BURSTY = steps(up_0_0=9 * HOUR, up_1_0=1.0 * HOUR)  # one minute in ten 2.7 times as much
STEADY = steps(up_0_0=10 * HOUR)


def record(of: tuple[float, ...] = BURSTY, **more: Any) -> WarmRecord:
    fields: dict[str, Any] = {"steps": of, "squares": 1800.0, "looked_at": NOON - 15.0}
    return WarmRecord(**(fields | {"recent": ((NOON - 15.0, 0.9),)} | more))


def holder(number: int, *, free_for: float | None = HOUR, node: str | None = None) -> Holder:
    return Holder(
        uid=f"holder-{number}",
        node=f"free-{number}" if node is None else node,
        created_at=NOON - 2 * HOUR,
        ready_at=None if free_for is None else NOON - free_for,
    )


def asked(replicas: int) -> Asked:
    return Asked(name="warm-safe", uid="u", replicas=replicas, template="t")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Policies a and b on one pool; `records` are what each was seen to do."""

    spec: WarmSpec | None = SPEC
    records: Sequence[WarmRecord] = (record(), record())
    holders: tuple[Holder, ...] = ()
    asked: Asked | None = None
    others: frozenset[str] = frozenset()
    declared: Pool = SAFE
    nodes: tuple[Node, ...] = (NODE,)
    memory: WarmMemory | None = None
    policy: dict[str, Any] = field(default_factory=dict)
    remembered: dict[str, Any] = field(default_factory=dict)
    extra: tuple[Pod, ...] = ()  # of policy a
    running: dict[str, Any] = field(default_factory=dict)

    def observed(self, name: str) -> PolicyObservation:
        more = self.extra if name == "a" else ()
        pods = (pod(f"p0-{name}", node="gpu-0"), *more)
        told = signals(RATE, 1)
        named = (replace(told.pods[0], pod=pods[0].name),)
        return observation(
            of=policy(name, **self.policy),
            running=workload(len(pods), pods, **self.running),
            seen=replace(told, pods=named),
        )

    def names(self) -> list[str]:
        return [chr(ord("a") + i) for i in range(len(self.records))]

    def pool(self) -> WarmPool:
        return WarmPool(
            name="safe",
            spec=self.spec,
            match_labels={"karpenter.sh/capacity-type": "on-demand"},
            asked=self.asked,
            holders=self.holders,
            others=self.others,
        )

    def seen(self) -> Snapshot:
        free = [replace(NODE, name=one.node) for one in self.holders if one.node]
        nodes = {node.name: node for node in (*self.nodes, *free)}
        shot = snapshot(*(self.observed(name) for name in self.names()), nodes=nodes)
        return replace(shot, pools={"safe": self.declared}, warm={"safe": self.pool()})

    def decided(self) -> Decisions:
        known = {
            key(name): replace(remembering(one), **self.remembered)
            for name, one in zip(self.names(), self.records, strict=True)
        }
        warm = {} if self.memory is None else {"safe": self.memory}
        return decide(self.seen(), Memory(policies=known, warm=warm))


def remembering(warm: WarmRecord) -> PolicyMemory:
    """Of a policy whose starts take 180 s where they wait for a node, and 20 s where not."""
    return learned(
        needs=1, warm=replace(warm, starts=warm.starts or (20.0, 20.0, 20.0)),
        start_up_seconds=(180.0, 180.0, 180.0), start_up_pools=("safe", "safe", "safe"),
    )  # fmt: skip


def codes(decisions: Decisions) -> list[str]:
    return [reason.code for reason in decisions.warm["safe"].reasons]


def wanted(world: World) -> int:
    return world.decided().warm["safe"].wanted


def plan(decisions: Decisions, name: str = "a") -> Plan:
    return decisions.plans[key(name)]
