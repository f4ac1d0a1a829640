"""Two variants in a small cluster: spot that comes and goes, on demand behind it, and the operator's own decisions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.workload import Node, Pod
from tests.unit.decide.mix.two_variants import (
    ON_DEMAND,
    SPOT,
    SPOT_POOL,
    TAKEN,
    TWO,
    remembering,
    running,
)
from tests.unit.decide.worlds import NOON, key, observation, pod, signals, snapshot

TICK = 15.0
NEEDED = 4
RATE = 330.0
START = 120.0  # from a free node to ready, and from nothing to a node
NOTICE = 30.0
Available = Callable[[float], bool]  # whether spot nodes are to be had, seconds after the start


@dataclass(slots=True)
class Replica:
    name: str
    created: float
    bound: float | None = None

    def ready(self, now: float) -> bool:
        return self.bound is not None and now - self.bound >= START


@dataclass(slots=True)
class Place:
    """One Deployment and its pool. `available`: whether a pod finds a node; what runs is lost when it ends."""

    name: str
    price: float
    available: Available
    asked: int = 0
    pods: list[Replica] = field(default_factory=list)
    made: int = 0
    taken_at: float | None = None  # the notice

    def step(self, now: float) -> None:
        self._lose(now)
        while len(self.pods) > self.asked:  # pods that are not ready go first, the newest before
            self.pods.remove(max(self.pods, key=lambda p: (not p.ready(now), p.created)))
        while len(self.pods) < self.asked:
            self.made += 1
            self.pods.append(Replica(f"{self.name}-{self.made}", now))
        for one in self.pods:
            if one.bound is None and self.available(now) and self.taken_at is None:
                one.bound = now

    def _lose(self, now: float) -> None:
        if (
            self.taken_at is None
            and not self.available(now)
            and any(p.bound is not None for p in self.pods)
        ):
            self.taken_at = now
        if self.taken_at is not None and now - self.taken_at >= NOTICE:
            self.pods = [one for one in self.pods if one.bound is None]
            self.taken_at = None

    def seen(self, now: float) -> list[Pod]:
        return [
            replace(
                pod(one.name, node="" if one.bound is None else self.name),
                created_at=NOON + one.created,
                ready_at=NOON + one.bound + START
                if one.bound is not None and one.ready(now)
                else None,
                unschedulable=one.bound is None,
                template_hash=f"{self.name}-1",
            )
            for one in self.pods
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """After one tick: ready replicas, and those asked for, of spot and on demand."""

    at: float
    ready: tuple[int, int]
    asked: tuple[int, int]
    plan: Plan


def play(available: Available, hours: float, *, safe_room: int = 10) -> Iterator[Look]:
    """From a fleet on demand; one look per tick."""
    spot = Place("spot", 0.3, available)
    safe = Place("safe", 1.2, lambda _: True, asked=NEEDED)
    safe.pods = [Replica(f"safe-old-{i}", -3600.0, -3600.0) for i in range(NEEDED)]
    memory = Memory(policies={key(): remembering(0, NEEDED)})
    now = 0.0
    while now < hours * 3600:
        for place in (spot, safe):
            place.step(now)
        decisions = decide(_seen(spot, safe, now), memory)
        memory, plan = decisions.memory, decisions.plans[key()]
        assert plan.limited_by is not LimitedBy.INTERNAL_ERROR, plan.reasons
        spot.asked, safe.asked = (one.desired for one in plan.variants)
        safe.asked = min(safe.asked, safe_room)
        for place in (spot, safe):
            place.step(now)
        ready = (_ready(spot, now), _ready(safe, now))
        yield Look(at=now, ready=ready, asked=(spot.asked, safe.asked), plan=plan)
        now += TICK


def _ready(place: Place, now: float) -> int:
    return sum(one.ready(now) for one in place.pods)


def _seen(spot: Place, safe: Place, now: float) -> Snapshot:
    shown = (spot.seen(now), safe.seen(now))
    serving = [one for pods in shown for one in pods if one.ready]
    told = signals(RATE, len(serving), sampled_at=NOON + now)
    pods = (replace(said, pod=one.name) for said, one in zip(told.pods, serving, strict=True))
    seen: PolicyObservation = replace(
        observation(of=TWO, seen=replace(told, pods=tuple(pods))),
        workloads=(
            running("spot", spot.asked, shown[0]),
            running("safe", safe.asked, shown[1]),
        ),
    )
    node: Node = TAKEN if spot.taken_at is not None else SPOT
    shot = snapshot(seen, nodes={"spot": node, "safe": replace(ON_DEMAND, name="safe")})
    return replace(shot, at=NOON + now, pools={"spot": SPOT_POOL})
