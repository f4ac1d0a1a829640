"""The policies that share the warm nodes of one pool, and the node that they need."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from inference_cost.decide.lead_time import start_up_seconds
from inference_cost.decide.mix.variants import late_price
from inference_cost.decide.place import bounds
from inference_cost.decide.warm.cover import shares, warm_start_seconds
from inference_cost.decide.warm.shortfall import NEGLIGIBLE, Lost, Surge
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.placement import AtOnce, Loss
from inference_cost.model.plan import Plan
from inference_cost.model.policy import DrainObjective, HeadroomMode, Mode, Policy, PolicyKey
from inference_cost.model.reading import Missing
from inference_cost.model.warm import NodeShape
from inference_cost.model.workload import Pod, Workload

SHORTEST_SECONDS: Final = 1.0  # of a cold start: times of pods are whole seconds

UNKNOWN_WARM_START = 0.5  # of a cold one, until one on a free node was seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One policy of a pool. `there`: its workloads in the pool, and what it would ask of each at once.

    `filled`: replicas that its demand fills now; None where that is not known.
    """

    observation: PolicyObservation
    there: tuple[tuple[Workload, AtOnce], ...]
    plan: Plan
    memory: PolicyMemory
    cold_seconds: float
    warm_seconds: float
    filled: float | None

    @property
    def key(self) -> PolicyKey:
        return self.observation.policy.key

    @property
    def enforced(self) -> bool:
        return self.plan.mode is Mode.ENFORCE

    @property
    def saved_fraction(self) -> float:
        """Of a cold start, what a free node takes away."""
        return max(1.0 - self.warm_seconds / max(self.cold_seconds, SHORTEST_SECONDS), 0.0)

    @property
    def late_price(self) -> float:
        """Of being a replica short, in costs of serving with one."""
        objective = self.observation.policy.objective
        return late_price(self.plan.headroom, self.plan.profile, objective, None)

    @property
    def has_variants(self) -> bool:
        return len(self.observation.workloads) > 1

    @property
    def growth(self) -> float:
        """The part of further replicas that would be asked for in this pool."""
        return sum(one.growth for _, one in self.there)

    @property
    def losses(self) -> list[Loss]:
        return [loss for _, one in self.there for loss in one.losses]

    def pods(self) -> list[Pod]:
        """In the pool; where it has none there, all: a replica there is taken to be like those elsewhere."""
        elsewhere = (one for one in self.observation.workloads if isinstance(one, Workload))
        return _pods(one for one, _ in self.there) or _pods(elsewhere)


def _pods(workloads: Iterable[Workload]) -> list[Pod]:
    return [pod for one in workloads for pod in one.pods if not pod.terminating]


def members_by_pool(
    snapshot: Snapshot,
    plans: Mapping[PolicyKey, Plan],
    memories: Mapping[PolicyKey, PolicyMemory],
) -> Mapping[str, list[Member]]:
    """In the order of their keys: those that find out themselves how much room they need.

    Requests of a drain objective wait anyway, and who fixes the room has settled what a late one is worth.
    """
    found: dict[str, list[Member]] = {}
    for seen in sorted(snapshot.observations, key=lambda one: one.policy.key):
        key = seen.policy.key
        if not _finds_out(seen.policy) or key not in plans or key not in memories:
            continue
        for pool, there in shares(seen, memories[key], snapshot).items():
            if pool in snapshot.warm:
                member = _member(seen, there, plans[key], memories[key], snapshot)
                found.setdefault(pool, []).append(member)
    return found


def _finds_out(policy: Policy) -> bool:
    drains = isinstance(policy.objective, DrainObjective)
    return not drains and policy.headroom.mode is HeadroomMode.AUTO and policy.gpu_signal is None


def _member(
    seen: PolicyObservation,
    there: tuple[tuple[Workload, AtOnce], ...],
    plan: Plan,
    memory: PolicyMemory,
    snapshot: Snapshot,
) -> Member:
    cold = start_up_seconds(memory, snapshot.settings.start_up_seconds_prior)
    warm = warm_start_seconds(memory)
    filled = None
    if not (isinstance(plan.demand, Missing) or isinstance(plan.profile, Missing)):
        filled = plan.demand.now / plan.profile.load_per_replica
    return Member(
        observation=seen,
        there=there,
        plan=plan,
        memory=memory,
        cold_seconds=cold,
        warm_seconds=UNKNOWN_WARM_START * cold if warm is None else warm,
        filled=filled,
    )


def surge_of(member: Member, filled: float, shape: NodeShape) -> Surge:
    """Against what its load of now needs, not what it keeps: that shrinks with warm nodes, and would end them."""
    size = max(ceil(filled - NEGLIGIBLE), bounds(member.observation.policy)[0])
    return Surge(
        filled=filled,
        size=size,
        most=member.plan.highest,
        steps=member.memory.warm.steps,
        nodes_each=nodes_each(member.pods(), shape),
        growth=member.growth,
        lost=tuple(_lost(one, size) for one in member.losses),
    )


def _lost(loss: Loss, size: int) -> Lost:
    replicas = ceil(loss.part * size - NEGLIGIBLE)
    return Lost(domain=loss.domain, zones=loss.zones, chance=loss.chance, replicas=replicas)


def nodes_each(pods: Sequence[Pod], shape: NodeShape) -> float:
    """The part of a node that a replica takes; all of it where none runs that would tell."""
    gpus = max((pod.gpus for pod in pods), default=0)
    return min(gpus / shape.gpus, 1.0) if gpus else 1.0
