"""Observations and plans with one thing changed, for the tables of conditions."""

from dataclasses import replace
from typing import Any

from inference_cost.account.costs import PolicyCost, account
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import (
    Attainment,
    Demand,
    LimitedBy,
    Plan,
    Prediction,
    Profile,
    ProfileSource,
)
from inference_cost.model.policy import Mode
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import LatencyHistogram, PodSignals, Signals
from inference_cost.model.workload import NoWorkload, TargetProblem, Workload
from tests.unit.account import worlds
from tests.unit.account.worlds import DEPLOYMENT, NOON, node, observation, pod, snapshot

PREDICTED = Prediction(replicas=3, seconds=0.08, meets_objective=True)
HISTOGRAM = LatencyHistogram(bounds_seconds=(0.1, float("inf")), cumulative=(99.0, 100.0))


def signals(**changes: Any) -> Signals:
    fields: dict[str, Any] = {
        "sampled_at": NOON,
        "scrape_interval_seconds": 15,
        "pods": (
            PodSignals(pod="p1", models=(), gpu_utilization=Missing(reason=MissingReason.STALE)),
        ),
        "gateway": Missing(reason=MissingReason.NOT_CONFIGURED),
    }
    return Signals(**(fields | changes))


def missing(reason: MissingReason, detail: str = "") -> Missing:
    return Missing(reason=reason, detail=detail)


def seen(**changes: Any) -> PolicyObservation:
    base = replace(observation(pod("p1")), signals=signals(), configurations=())
    return replace(base, **changes)


def with_pod(**changes: Any) -> PolicyObservation:
    base = seen()
    workload = base.workloads[0]
    assert isinstance(workload, Workload)
    return replace(base, workloads=(replace(workload, pods=(pod("p1", **changes),)),))


def refused_by_quota(message: str) -> PolicyObservation:
    workload = seen().workloads[0]
    assert isinstance(workload, Workload)
    return seen(workloads=(replace(workload, quota_refusal=message),))


def with_policy(base: PolicyObservation | None = None, **changes: Any) -> PolicyObservation:
    base = base or seen()
    return replace(base, policy=replace(base.policy, **changes))


def asleep(replicas: int) -> PolicyObservation:
    """No pod is ready, and a gateway reports."""
    workload = seen().workloads[0]
    assert isinstance(workload, Workload)
    none = replace(workload, desired_replicas=replicas, pods=())
    return seen(workloads=(none,), signals=signals(pods=()))


def refused(problem: TargetProblem, message: str = "") -> PolicyObservation:
    return seen(workloads=(NoWorkload(target=DEPLOYMENT, problem=problem, message=message),))


def plan(desired: int = 3, **changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "demand": Demand(now=120.4, forecast=150, backlog=0),
        "profile": Profile(
            template_hash="abc",
            alpha_seconds=0.04,
            beta_seconds=0.005,
            max_batch_size=8,
            instances=1,
            load_per_replica=60.2,
            capacity_per_replica=100,
            error_fraction=0.031,
            source=ProfileSource.COUNTERS,
        ),
        "prediction": PREDICTED,
        "one_fewer": Prediction(replicas=2, seconds=0.412, meets_objective=False),
        "attainment": missing(MissingReason.NOT_CONFIGURED),
        "gpu_utilization": Sample(value=0.42, at=NOON),
    }
    return replace(worlds.plan(desired), **(fields | changes))


def limited(by: LimitedBy, needed: int = 5, desired: int = 3) -> Plan:
    base = plan(desired, limited_by=by)
    return replace(base, variants=(replace(base.variants[0], needed=needed),))


def enforced(base: Plan | None = None) -> Plan:
    return replace(base or plan(), mode=Mode.ENFORCE)


def attained(fraction: float, at: str = "Gateway") -> Attainment:
    return Attainment(fraction=fraction, requests=4000, measured_at=at)


def cost(price: str | None = "4.00", desired: int = 3) -> PolicyCost:
    world = snapshot(observation(pod("p1")), nodes=(node(per_hour=price),))
    key = worlds.key()
    return account(world, {key: worlds.plan(desired)}, {}).policies[key]
