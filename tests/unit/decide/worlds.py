"""Builders of small worlds for decisions: one policy, its pods and what the metrics say."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from math import inf
from typing import Any

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory, PolicyMemory, ServiceTimeEstimate
from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.observation import DecisionSettings, PolicyObservation, Snapshot
from inference_cost.model.plan import Plan
from inference_cost.model.policy import (
    LatencyObjective,
    Mode,
    Policy,
    PolicyKey,
    TargetRef,
    Variant,
)
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import (
    GatewaySignals,
    LatencyHistogram,
    LatestGap,
    ModelConfiguration,
    ModelWindow,
    PodSignals,
    Signals,
)
from inference_cost.model.workload import CapacityType, Node, Pod, Workload

NOON = 1_800_000_000.0
TARGET = TargetRef(api_version="apps/v1", kind="Deployment", name="resnet")
OBJECTIVE = LatencyObjective(threshold_seconds=0.3, target_fraction=0.99)
# α 40 ms, β 5 ms, batches of 8: 100 requests/s at most, 87 within the objective.
CONFIGURATION = ModelConfiguration(
    model="resnet",
    max_batch_size=8,
    instances=1,
    decoupled=False,
    dynamic_batching=True,
    queue_delay_seconds=0.0,
    queue_policy=False,
)
ESTIMATE = ServiceTimeEstimate(
    template_hash="v1",
    information=(2000.0, 10000.0, 60000.0),
    vector=(2000.0 * 0.04 + 10000.0 * 0.005, 10000.0 * 0.04 + 60000.0 * 0.005),
    residual=0.01**2,
    executions=5000.0,
    largest_mean_batch=6.0,
    updated_at=NOON - 15.0,
)


def key(name: str = "resnet") -> PolicyKey:
    return PolicyKey(namespace="shop", name=name, uid=f"uid-{name}")


def policy(name: str = "resnet", lowest: int = 1, highest: int = 10, **more: Any) -> Policy:
    fields: dict[str, Any] = {
        "key": key(name),
        "generation": 1,
        "created_at": NOON - 86400.0,
        "mode": Mode.ENFORCE,
        "variants": (Variant(name=name, target=TARGET, min_replicas=lowest, max_replicas=highest),),
        "objective": OBJECTIVE,
    }
    return Policy(**(fields | more))


def pod(name: str, *, ready: bool = True, age: float = 3600.0, **more: Any) -> Pod:
    fields: dict[str, Any] = {
        "name": name,
        "uid": f"uid-{name}",
        "node": "node-1",
        "template_hash": "v1",
        "gpus": 1,
        "created_at": NOON - age,
        "ready_at": NOON - age + 60.0 if ready else None,
    }
    return Pod(**(fields | more))


def workload(replicas: int, pods: tuple[Pod, ...] | None = None, **more: Any) -> Workload:
    fields: dict[str, Any] = {
        "target": TARGET,
        "uid": "w",
        "desired_replicas": replicas,
        "template_hash": "v1",
        "rolling_out": False,
        "pods": tuple(pod(f"p{i}") for i in range(replicas)) if pods is None else pods,
    }
    return Workload(**(fields | more))


def window(rate: float, seconds: float = 60.0, **more: Any) -> ModelWindow:
    """Counters of one greedy replica at `rate`, roughly; enough where the profile is known."""
    mean = min(max(1.0, rate * 0.06), 8.0)
    requests = rate * seconds
    fields: dict[str, Any] = {
        "model": "resnet",
        "seconds": seconds,
        "requests": requests,
        "failures": 0.0,
        "inferences": requests,
        "executions": requests / mean,
        "request_seconds": requests * 0.12,
        "queue_seconds": requests * 0.05,
        "compute_seconds": requests * (0.04 + 0.005 * min(mean + 1, 8)),
        "pending": Sample(value=2.0, at=NOON),
        "pending_change": Sample(value=0.0, at=NOON),
        "latest": LatestGap(
            at=NOON, seconds=seconds / 4, requests=requests / 4, pending_change=0.0
        ),
    }
    return ModelWindow(**(fields | more))


def pod_signals(name: str, rate: float, **more: Any) -> PodSignals:
    gpu = more.pop("gpu", None)
    return PodSignals(
        pod=name,
        models=(window(rate, **more),),
        gpu_utilization=Missing(reason=MissingReason.NOT_EXPORTED)
        if gpu is None
        else Sample(value=gpu, at=NOON),
    )


def signals(total_rate: float, pods: int, **more: Any) -> Signals:
    top = {name: more.pop(name) for name in ("gateway", "partial", "sampled_at") if name in more}
    fields: dict[str, Any] = {
        "sampled_at": NOON,
        "scrape_interval_seconds": 15.0,
        "pods": tuple(pod_signals(f"p{i}", total_rate / max(pods, 1), **more) for i in range(pods)),
        "gateway": Missing(reason=MissingReason.NOT_CONFIGURED),
    }
    return Signals(**(fields | top))


def gateway(
    rate: float, late: float = 0.0, errors: float = 0.0, seconds: float = 60.0
) -> GatewaySignals:
    requests = rate * seconds
    return GatewaySignals(
        seconds=seconds,
        requests=requests,
        responses=requests,
        errors=errors * seconds,
        latency=LatencyHistogram(
            bounds_seconds=(0.1, 0.3, 1.0, inf),
            cumulative=(0.5 * requests, requests * (1 - late), requests, requests),
        ),
    )


def observation(
    rate: float | Missing = 100.0,
    replicas: int = 2,
    *,
    of: Policy | None = None,
    running: Workload | None = None,
    seen: Signals | Missing | None = None,
    configuration: ModelConfiguration | Missing = CONFIGURATION,
    **more: Any,
) -> PolicyObservation:
    if seen is None:
        seen = rate if isinstance(rate, Missing) else signals(rate, replicas)
    known = configuration if isinstance(configuration, Missing) else (configuration,)
    return PolicyObservation(
        policy=of or policy(),
        workloads=(running or workload(replicas),),
        signals=seen,
        configurations=known,
        **more,
    )


def learned(needs: int | None = None, **more: Any) -> PolicyMemory:
    """Memory that knows the profile and, with `needs`, that no more was needed for an hour."""
    memory = PolicyMemory(estimates=(ESTIMATE,), last_sampled_at=NOON - 15.0)
    if needs is not None:
        memory = replace(
            memory,
            needs=((NOON - 3600.0, needs),),
            observed_since=NOON - 3600.0,
            observed_at=NOON - 15.0,
        )
    return replace(memory, **more)


def watched(rates: Sequence[float], replicas: int = 2, **more: Any) -> PolicyMemory:
    """Memory after a look at each of these rates every 15 s, the last one 15 s before noon."""
    remembered = learned(needs=1, **more)
    for i, rate in enumerate(rates):
        at = NOON - 15.0 * (len(rates) - i)
        seen = observation(seen=signals(rate, replicas, sampled_at=at), replicas=replicas)
        shot = replace(snapshot(seen), at=at)
        remembered = decide(shot, memory_of(remembered)).memory.policies[key()]
    return replace(remembered, observed_since=NOON - 3600.0)


def snapshot(*observations: PolicyObservation, **more: Any) -> Snapshot:
    fields: dict[str, Any] = {"at": NOON, "observations": observations}
    return Snapshot(**(fields | more))


def memory_of(remembered: PolicyMemory, name: str = "resnet") -> Memory:
    return Memory(policies={key(name): remembered})


def plan_of(seen: PolicyObservation, remembered: PolicyMemory | None = None, **more: Any) -> Plan:
    """The plan for one policy."""
    remembered = learned(needs=1) if remembered is None else remembered
    decisions = decide(snapshot(seen, **more), memory_of(remembered, seen.policy.key.name))
    return decisions.plans[seen.policy.key]


def priced_node(name: str = "node-1", per_hour: str = "1.20") -> Node:
    return Node(
        name=name,
        pool="g6",
        capacity_type=CapacityType.ON_DEMAND,
        instance_type="g6.xlarge",
        zone="a",
        gpu_product="",
        allocatable_gpus=1,
        created_at=NOON - 86400.0,
        ready=True,
        price=HourlyPrice(
            per_hour=Decimal(per_hour),
            currency="USD",
            source=PriceSource.SHIPPED_TABLE,
            as_of=NOON - 86400.0,
        ),
    )


SETTINGS = DecisionSettings()
