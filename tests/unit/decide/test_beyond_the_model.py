"""What is measured counts for more than what is modelled: late requests, errors, and a GPU that others use."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.model.memory import PolicyMemory, ServiceTimeEstimate
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import GpuSignal
from tests.unit.decide.worlds import (
    CONFIGURATION,
    ESTIMATE,
    NOON,
    gateway,
    key,
    learned,
    memory_of,
    observation,
    plan_of,
    policy,
    signals,
    snapshot,
)

DECOUPLED = replace(CONFIGURATION, decoupled=True)
# 200 requests/s per replica were in time once.
HELD_ONCE = PolicyMemory(
    estimates=(ServiceTimeEstimate(template_hash="v1", largest_load_seen=200.0),),
    last_sampled_at=NOON - 60.0,
    observed_at=NOON - 15.0,
    observed_since=NOON - 3600.0,
)


def decoupled(rate: float, replicas: int, late: float, **more: Any) -> PolicyObservation:
    seen = signals(rate, replicas, gateway=gateway(rate, late=late), **more)
    return observation(seen=seen, replicas=replicas, of=policy(highest=50), configuration=DECOUPLED)


def test_late_requests_of_a_model_that_is_not_modelled_add_replicas() -> None:
    plan = plan_of(decoupled(300.0, 2, late=0.5), HELD_ONCE)
    assert plan.desired > 2


def test_and_none_are_added_while_it_holds() -> None:
    plan = plan_of(decoupled(300.0, 2, late=0.0), HELD_ONCE)
    assert plan.desired == 2


def test_what_was_too_much_is_too_much_until_it_is_seen_to_hold_again() -> None:
    shown = snapshot(decoupled(300.0, 2, late=0.5))
    [memory] = decide(shown, memory_of(HELD_ONCE)).memory.policies.values()
    assert memory.estimates[0].largest_load_seen == pytest.approx(0.9 * 150.0)
    later = replace(memory, last_sampled_at=NOON - 60.0)
    [memory] = decide(
        snapshot(decoupled(300.0, 2, late=0.0)), memory_of(later)
    ).memory.policies.values()
    assert memory.estimates[0].largest_load_seen == pytest.approx(150.0)


def test_what_several_instances_reached_is_forgotten_where_it_is_too_much() -> None:
    known = learned(needs=1, estimates=(replace(ESTIMATE, largest_load_seen=150.0),))
    seen = signals(280.0, 2, gateway=gateway(280.0, late=0.5))
    two = replace(CONFIGURATION, instances=2)
    shown = observation(seen=seen, of=policy(highest=50), configuration=two)
    [memory] = decide(snapshot(shown), memory_of(known)).memory.policies.values()
    assert memory.estimates[0].largest_load_seen == pytest.approx(0.9 * 140.0)


@pytest.mark.parametrize(("late", "grows"), [(0.4, True), (0.0, False)])
def test_late_requests_add_replicas_where_nothing_is_known_yet(late: float, *, grows: bool) -> None:
    seen = decoupled(300.0, 4, late=late, failures=1.0)  # such a window teaches nothing
    plan = plan_of(seen, learned(needs=1, estimates=()))
    assert (plan.desired > 4) is grows


def after_an_hour(errors: float) -> Plan:
    memory = learned(needs=1)
    for tick in range(240):
        at = NOON + 15.0 * tick
        seen = signals(100.0, 10, gateway=gateway(100.0, errors=errors), sampled_at=at)
        shown = replace(snapshot(observation(seen=seen, replicas=10, of=policy(highest=20))), at=at)
        decisions = decide(shown, memory_of(memory))
        memory = decisions.memory.policies[key()]
    return decisions.plans[key()]


@pytest.mark.parametrize("errors", [0.0, 0.2, 0.9])
def test_errors_of_a_fleet_that_is_far_from_full_keep_no_replicas(errors: float) -> None:
    """Of 100 requests/s so many are answered 5xx, and the gateway sees what is offered."""
    assert after_an_hour(errors).desired < 6


@pytest.mark.parametrize(
    ("why", "gpu", "executions", "forbidden"),
    [
        ("a batching server is busy at half its load", 0.97, None, False),
        ("the GPU is busy and Triton is not", 0.97, 60.0, True),
        ("neither is", 0.30, 60.0, False),
    ],
)
def test_a_gpu_that_others_use_forbids_removals(
    why: str, gpu: float, executions: float | None, *, forbidden: bool
) -> None:
    more = {} if executions is None else {"executions": executions}
    seen = signals(200.0, 4, gpu=gpu, **more)
    plan = plan_of(observation(seen=seen, replicas=4), learned(needs=3))
    assert (plan.limited_by is LimitedBy.GPU_GUARD) is forbidden, why


def test_a_model_that_is_loaded_and_not_asked_takes_no_time() -> None:
    seen = signals(200.0, 4, gpu=0.97)
    idle = replace(seen.pods[0].models[0], model="idle", requests=0.0, executions=0.0)
    idle = replace(idle, inferences=0.0, request_seconds=0.0, queue_seconds=0.0)
    idle = replace(idle, compute_seconds=0.0, latest=replace(idle.latest, requests=0.0))
    beside = tuple(replace(pod, models=(*pod.models, idle)) for pod in seen.pods)
    plan = plan_of(observation(seen=replace(seen, pods=beside), replicas=4), learned(needs=3))
    assert plan.limited_by is not LimitedBy.GPU_GUARD


def test_the_gpu_signal_goes_in_although_the_model_cannot_be_learned() -> None:
    of = policy(gpu_signal=GpuSignal(target_fraction=0.7))
    seen = signals(300.0, 6, gpu=0.1)
    memory = learned(needs=1, estimates=(), wanted=((NOON - 3600.0, 1),))
    plan = plan_of(observation(seen=seen, replicas=6, of=of, configuration=DECOUPLED), memory)
    assert plan.desired == 1
    assert plan.limited_by is not LimitedBy.LEARNING
