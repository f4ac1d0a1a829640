"""From a case to the scenario that is run: the servers, the objective, and by how much both are stretched."""

from dataclasses import replace
from decimal import Decimal

from benchmarks.replay.faults import with_fault
from benchmarks.replay.plan import LOAD_TIMES, Case
from benchmarks.traces.variants import DAY_SECONDS
from inference_cost.model.policy import (
    LatencyObjective,
    Mode,
    Policy,
    PolicyKey,
    TargetRef,
    Variant,
)
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.service import Service
from inference_cost.simulate.steady_state import largest_load
from inference_cost.simulate.traffic import Traffic

# BERT-large in TensorRT (FP16) on one A30.
SERVICE = Service(fixed_seconds=0.0016, per_item_seconds=0.0038, max_batch=16)
OBJECTIVE = LatencyObjective(threshold_seconds=0.1, target_fraction=0.99)
MEAN_REPLICAS, MEAN_REPLICAS_OF_SHORT = 16.0, 8.0
SHORT_SECONDS = 2 * DAY_SECONDS
# High enough for the highest peak of the traces (31 × the mean), so that no policy is held down by it;
# Knative's concurrency metric, which counts the backlog, runs up to it.
HIGHEST_PER_MEAN_REPLICA = 40
PRICE_PER_HOUR = Decimal("1.00")


def mean_replicas(traffic: Traffic) -> float:
    """Of the traffic as recorded: 16, or 8 for traces under two days."""
    return MEAN_REPLICAS_OF_SHORT if traffic.seconds < SHORT_SECONDS else MEAN_REPLICAS


def service_of(case: Case) -> Service:
    """One replica before stretching."""
    return replace(SERVICE, queue_delay_seconds=case.queue_delay_milliseconds / 1000.0)


def largest_load_of(case: Case) -> float:
    """Requests/s at which one replica, before stretching, just meets the objective."""
    return largest_load(
        service_of(case), OBJECTIVE.threshold_seconds, OBJECTIVE.target_fraction, seed=0
    )


def stretch_of(case: Case, traffic: Traffic, largest_load_per_second: float) -> float:
    """Factor on service times and objective at which the mean rate needs the mean replicas.

    Three times the traffic goes to the same servers, so it needs three times the replicas.
    """
    rate = traffic.mean_rate / case.variant.factor
    return largest_load_per_second * mean_replicas(traffic) / rate


def scenario_of(
    case: Case,
    traffic: Traffic,
    largest_load_per_second: float,
    load_seconds: tuple[float, ...] = (),
) -> Scenario:
    """`largest_load_per_second` of one replica before stretching; `load_seconds` for cases that start from a file.

    Raises:
        ValueError: the case starts from a file and there are no load times.
    """
    stretch = stretch_of(case, traffic, largest_load_per_second)
    from_file = case.start == LOAD_TIMES
    if from_file and not load_seconds:
        raise ValueError("no load times to draw start-up from")
    highest = mean_replicas(traffic) * case.variant.factor * HIGHEST_PER_MEAN_REPLICA
    scenario = Scenario(
        policy=_policy(case.trace, stretch, round(highest)),
        traffic=traffic,
        service=service_of(case).stretched(stretch),
        price_per_hour=PRICE_PER_HOUR,
        price_source="assumed",
        start_seconds=0.0 if from_file else float(case.start),
        start_samples=load_seconds if from_file else (),
        metric_lag_seconds=case.metric_lag_seconds,
        missing_fraction=case.missing_percent / 100.0,
        seed=case.seed,
        fidelity=case.fidelity,
        stretch=stretch,
    )
    return with_fault(scenario, case.fault)


def _policy(name: str, stretch: float, highest: int) -> Policy:
    target = TargetRef(api_version="apps/v1", kind="Deployment", name=name)
    return Policy(
        key=PolicyKey(namespace="benchmark", name=name, uid=f"benchmark-{name}"),
        generation=1,
        created_at=0.0,
        mode=Mode.ENFORCE,
        variants=(Variant(name=name, target=target, min_replicas=1, max_replicas=highest),),
        objective=replace(OBJECTIVE, threshold_seconds=OBJECTIVE.threshold_seconds * stretch),
    )
