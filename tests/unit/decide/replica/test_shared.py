"""Several models on one pod: sized on the time that executions take, whichever models they are of."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.replica.shared import weight
from inference_cost.model.memory import MixPart, PolicyMemory, ServiceTimeEstimate
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Plan, ProfileSource
from inference_cost.model.policy import LatencyObjective, QueueTimeObjective
from inference_cost.model.profile_key import SEVERAL
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import GatewaySignals, LatestGap, ModelWindow, PodSignals
from tests.unit.decide.worlds import (
    CONFIGURATION,
    ESTIMATE,
    NOON,
    gateway,
    key,
    learned,
    memory_of,
    observation,
    policy,
    signals,
    snapshot,
    window,
)

SECONDS = {"resnet": 0.01, "bert": 0.04}  # of execution per request, one at a time
OBJECTIVE = LatencyObjective(threshold_seconds=0.3, target_fraction=0.99)


def model(name: str, rate: float, latency: float = 0.08, **more: Any) -> ModelWindow:
    requests = rate * 60.0
    fields: dict[str, Any] = {
        "model": name,
        "executions": requests,
        "compute_seconds": requests * SECONDS.get(name, 0.01),
        "request_seconds": requests * latency,
        "queue_seconds": requests * latency / 2,
        "latest": LatestGap(at=NOON, seconds=15.0, requests=rate * 15.0, pending_change=0.0),
    }
    return window(rate, **(fields | more))


def world(
    rates: Mapping[str, float],
    replicas: int = 4,
    *,
    unnamed: Mapping[str, float] | None = None,
    latencies: Mapping[str, float] | None = None,
    seen_at_gateway: GatewaySignals | Missing | None = None,
    **more: Any,
) -> PolicyObservation:
    """`rates`: requests/s per pod by model; `unnamed`: of models that the policy does not name."""
    late = latencies or {}
    named = tuple(model(name, rate, late.get(name, 0.08)) for name, rate in rates.items())
    others = tuple(model(name, rate) for name, rate in (unnamed or {}).items())
    pods = tuple(
        PodSignals(
            pod=f"p{i}",
            models=named,
            gpu_utilization=Missing(reason=MissingReason.NOT_EXPORTED),
            others=others,
        )
        for i in range(replicas)
    )
    given = replace(signals(0.0, 0), pods=pods)
    if seen_at_gateway is not None:
        given = replace(given, gateway=seen_at_gateway)
    fields = {"of": policy(highest=50, objective=OBJECTIVE)}
    return observation(seen=given, replicas=replicas, **(fields | more))


def part(name: str, rate: float) -> MixPart:
    return MixPart(model=name, per_second=rate, seconds=SECONDS[name])


def knowing(*held: MixPart, **more: Any) -> PolicyMemory:
    estimate = ServiceTimeEstimate(template_hash="v1", held_mix=held)
    return learned(needs=1, estimates=(estimate,), **more)


def decided(seen: PolicyObservation, memory: PolicyMemory) -> tuple[Plan, PolicyMemory]:
    decisions = decide(snapshot(seen), memory_of(memory))
    return decisions.plans[key()], decisions.memory.policies[key()]


# A pod held with 20 requests/s of each: 20 × 10 ms + 20 × 40 ms, all of its time.
HELD = (part("resnet", 20.0), part("bert", 20.0))


def per_replica(plan: Plan) -> float:
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.source is ProfileSource.LARGEST_SEEN
    return plan.profile.load_per_replica


MIXES: dict[str, tuple[Mapping[str, float], float]] = {
    "the same mix, half of it": ({"resnet": 10.0, "bert": 10.0}, 40.0),
    "only a little of the heavy one": ({"resnet": 18.0, "bert": 2.0}, 20 / (0.18 + 0.08)),
    "mostly the heavy one": ({"resnet": 2.0, "bert": 8.0}, 10 / (0.02 + 0.32)),
    "with one that was not there": ({"resnet": 10.0, "bert": 5.0, "new": 10.0}, 25 / 0.4),
}


@pytest.mark.parametrize(("rates", "load"), MIXES.values(), ids=MIXES)
def test_a_replica_carries_what_takes_as_long_as_what_held(
    rates: Mapping[str, float], load: float
) -> None:
    plan, _ = decided(world(rates), knowing(*HELD))
    assert per_replica(plan) == pytest.approx(load)


def test_a_mix_that_becomes_heavier_adds_replicas_at_the_same_rate_of_requests() -> None:
    light, _ = decided(world({"resnet": 19.0, "bert": 1.0}, 8), knowing(*HELD))
    heavy, _ = decided(world({"resnet": 1.0, "bert": 19.0}, 8), knowing(*HELD))
    assert light.desired < 4
    assert heavy.desired > 2 * light.desired


def test_larger_batches_under_load_make_no_mix_lighter() -> None:
    """Times of when it held are used: at little load each request takes longer."""
    held = (replace(part("resnet", 40.0), seconds=0.005),)
    assert weight((part("resnet", 10.0),), held) == pytest.approx(0.25)


def test_a_new_version_takes_its_own_time() -> None:
    held = (MixPart(model="bert/1", per_second=10.0, seconds=0.01),)
    now = (MixPart(model="bert/2", per_second=10.0, seconds=0.04),)
    assert weight(now, held) == pytest.approx(4.0)
    seen = world({"resnet": 10.0, "bert": 10.0})
    assert not isinstance(seen.signals, Missing)
    pods = tuple(
        replace(one, models=tuple(replace(w, version="2") for w in one.models))
        for one in seen.signals.pods
    )
    seen = replace(seen, signals=replace(seen.signals, pods=pods))
    _, memory = decided(seen, learned(needs=1, estimates=()))
    assert {one.model for one in memory.estimates[0].held_mix} == {"resnet/2", "bert/2"}


def test_versions_of_one_model_that_answer_beside_each_other_are_as_two_models() -> None:
    seen = world({"resnet": 10.0})
    assert not isinstance(seen.signals, Missing)
    pods = tuple(
        replace(one, models=tuple(replace(w, version=SEVERAL) for w in one.models))
        for one in seen.signals.pods
    )
    seen = replace(seen, signals=replace(seen.signals, pods=pods))
    plan, _ = decided(seen, knowing(*HELD))
    assert "several versions of the model share the pods" in explain(plan, seen).findings


def test_nothing_is_removed_before_a_load_was_seen_to_hold() -> None:
    failing = world({"resnet": 5.0, "bert": 5.0}, latencies={"bert": 0.25})
    plan, memory = decided(failing, learned(needs=1, estimates=()))
    assert plan.desired == 4
    assert isinstance(plan.profile, Missing)
    assert not memory.estimates
    _, memory = decided(world({"resnet": 5.0, "bert": 5.0}), learned(needs=1, estimates=()))
    assert {one.model for one in memory.estimates[0].held_mix} == {"resnet", "bert"}


def held_now(memory: PolicyMemory) -> float:
    return sum(one.busy for one in memory.estimates[0].held_mix)


TAUGHT: dict[str, tuple[PolicyObservation, float]] = {
    "more than ever held": (world({"resnet": 30.0, "bert": 30.0}), 1.5),
    "less than has held": (world({"resnet": 10.0, "bert": 10.0}), 1.0),
    "one model is late, the others are not": (
        world({"resnet": 15.0, "bert": 15.0}, latencies={"bert": 0.5}),
        0.9 * 0.75,
    ),
    "one model is late, and the gateway sees few late requests in all": (
        world(
            {"resnet": 15.0, "bert": 1.0},
            latencies={"bert": 0.5},
            seen_at_gateway=gateway(64.0, late=0.005),
        ),
        0.9 * 0.19,
    ),
    "a model that is late is hardly asked": (
        world({"resnet": 30.0, "bert": 29.93, "rare": 0.07}, latencies={"rare": 5.0}),
        30 * 0.05 - 0.07 * 0.03,
    ),
}


@pytest.mark.parametrize(("seen", "busy"), TAUGHT.values(), ids=TAUGHT)
def test_the_objective_that_holds_is_that_of_each_model(
    seen: PolicyObservation, busy: float
) -> None:
    _, memory = decided(seen, knowing(*HELD))
    assert held_now(memory) == pytest.approx(busy, rel=0.002)


def test_a_queue_time_is_that_of_the_model_that_waits_longest() -> None:
    of = policy(highest=50, objective=QueueTimeObjective(mean_seconds=0.06))
    seen = world({"resnet": 30.0, "bert": 30.0}, latencies={"bert": 0.2}, of=of)
    plan, memory = decided(seen, knowing(*HELD))
    assert held_now(memory) == pytest.approx(1.0)
    assert not isinstance(plan.attainment, Missing)
    assert plan.attainment.fraction < 1.0


def test_models_that_the_policy_does_not_name_take_their_time_too() -> None:
    """Named: 10 requests/s, of which a pod carries as many as beside half of all time taken by another model."""
    plan, _ = decided(world({"resnet": 10.0}, unnamed={"bert": 10.0}), knowing(*HELD))
    assert per_replica(plan) == pytest.approx(20.0)
    more, _ = decided(world({"resnet": 10.0}, unnamed={"bert": 22.5}), knowing(*HELD))
    assert per_replica(more) == pytest.approx(10.0)
    assert not isinstance(more.demand, Missing)
    assert more.demand.now == pytest.approx(40.0)


def test_replicas_stay_while_only_models_are_asked_that_are_not_named() -> None:
    idle, used = world({"resnet": 0.0}), world({"resnet": 0.0}, unnamed={"bert": 10.0})
    timed = replace(ESTIMATE, held_mix=HELD)
    memory = learned(needs=1, estimates=(timed,))
    assert decided(idle, memory)[0].desired == 1
    plan, _ = decided(used, memory)
    assert plan.desired == 4
    assert "only a model that the policy does not name" in explain(plan, used).findings


def test_a_gateway_that_counts_all_models_is_compared_with_what_it_counts() -> None:
    """40 named and 40 other requests/s at half of what held: 8 replicas carry twice the 80 that the gateway sees."""
    seen = world({"resnet": 10.0}, unnamed={"bert": 10.0}, seen_at_gateway=gateway(80.0))
    plan, _ = decided(seen, knowing(*HELD))
    assert per_replica(plan) == pytest.approx(40.0)
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.now == pytest.approx(80.0)


def test_a_model_that_takes_next_to_no_time_leaves_the_latency_model_in_place() -> None:
    seen = world({"resnet": 10.0, "tiny": 0.05})
    assert not isinstance(seen.signals, Missing)
    pods = tuple(
        replace(one, models=tuple(replace(w, version="1") for w in one.models))
        for one in seen.signals.pods
    )
    seen = replace(seen, signals=replace(seen.signals, pods=pods))
    known = replace(ESTIMATE, model_version="1")
    plan, _ = decided(seen, learned(needs=1, estimates=(known,)))
    assert "shared-pods" not in {reason.code for reason in plan.reasons}
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.key == known.key


WHY = {
    "models": ({}, "2 models share the pods"),
    "an ensemble": ({"ensemble": True}, "an ensemble and the models it calls share the pods"),
}


@pytest.mark.parametrize(("more", "why"), WHY.values(), ids=WHY)
def test_it_is_said_with_the_time_that_executions_take(more: dict[str, Any], why: str) -> None:
    seen = world({"resnet": 10.0, "bert": 10.0}, configuration=replace(CONFIGURATION, **more))
    plan, _ = decided(seen, knowing(*HELD))
    told = explain(plan, seen).findings
    assert why in told
    own = 40 if more else 50  # an ensemble's time is that of its parts
    assert f"executions take {own} % of a pod's time" in told
    assert "took 100 % at the largest load" in told
    plan, _ = decided(seen, knowing())
    assert "yet to be seen" not in explain(plan, seen).findings  # this window held
