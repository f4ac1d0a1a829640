"""What one replica can carry: learned, timed by Triton, or outside the model."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.replica.domain import outside_domain
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.plan import LimitedBy, ProfileSource
from inference_cost.model.policy import LatencyObjective
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import BatchStatistic, LatestGap
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
    pod,
    policy,
    signals,
    snapshot,
    workload,
)

UNKNOWN = Missing(reason=MissingReason.NOT_CONFIGURED)


@pytest.mark.parametrize("more", [{"queue_policy": True}, {"queue_delay_seconds": 0.002}])
def test_a_preferred_size_beside_another_way_of_batching_is_not_modelled(
    more: dict[str, Any],
) -> None:
    configuration = replace(CONFIGURATION, preferred_batch_sizes=(4,), **more)
    assert "beside a queue delay" in outside_domain(configuration, UNKNOWN)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"decoupled": True}, "the model is decoupled"),
        ({"dynamic_batching": False}, "the model has no dynamic batching"),
        ({"ensemble": True}, "the model is an ensemble"),
        ({"sequence_batching": True}, "the model batches sequences, each of which keeps its place"),
        (
            {"response_cache": True},
            "the model answers from a response cache, and hits take no time on the GPU",
        ),
        ({"rate_limited": True}, "the model's instances take turns under a rate limiter"),
        (
            {"preferred_batch_sizes": (4, 8)},
            "the model prefers several batch sizes, or one beside a queue delay or policy",
        ),
        (
            {"preferred_batch_sizes": (4,), "queue_delay_seconds": 0.002},
            "the model prefers several batch sizes, or one beside a queue delay or policy",
        ),
    ],
)
def test_outside_the_latency_model_the_largest_load_that_held_counts(
    change: dict[str, Any], why: str
) -> None:
    configuration = replace(CONFIGURATION, **change)
    seen = observation(240.0, 2, configuration=configuration)
    memory = learned(needs=1, estimates=(replace(ESTIMATE, largest_load_seen=60.0),))
    plan = plan_of(replace(seen, signals=signals(240.0, 2, request_seconds=60 * 240.0)), memory)
    assert not isinstance(plan.profile, Missing)
    assert (plan.profile.source, plan.desired) == (ProfileSource.LARGEST_SEEN, 5)
    assert why in dict(plan.reasons[0].values).values()


PREFERS_FOUR = replace(CONFIGURATION, preferred_batch_sizes=(4,))


def test_one_preferred_size_without_a_delay_is_the_largest_batch() -> None:
    """As recorded of a real Triton: batches of 4 at most, of 60 ms."""
    of_four = plan_of(observation(configuration=replace(CONFIGURATION, max_batch_size=4)))
    plan = plan_of(observation(configuration=PREFERS_FOUR))
    assert plan.profile == of_four.profile
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.capacity_per_replica < 4 / 0.06
    [said] = [reason for reason in plan.reasons if reason.code == "preferred-size"]
    assert dict(said.values) == {"size": 4, "largest": 8}


def test_a_preferred_size_is_not_filled_exactly_by_requests_of_several_inferences() -> None:
    seen = signals(40.0, 2, inferences=60.0 * 60.0)
    plan = plan_of(observation(seen=seen, configuration=PREFERS_FOUR))
    assert dict(plan.reasons[0].values) == {
        "why": "the model prefers a batch size, and requests are of several inferences"
    }


def test_several_models_on_one_pod_are_outside_the_latency_model() -> None:
    shared = tuple(
        replace(one, models=(*one.models, replace(one.models[0], model="bert")))
        for one in signals(100.0, 2).pods
    )
    plan = plan_of(observation(seen=replace(signals(100.0, 2), pods=shared)), learned(needs=1))
    assert plan.reasons[0].code == "shared-pods"


def test_batch_statistics_of_triton_come_first_and_may_be_learned_from_at_once() -> None:
    timed = tuple(
        BatchStatistic(batch_size=b, executions=500, mean_seconds=0.04 + 0.005 * b)
        for b in (1, 2, 4, 8)
    )
    configuration = replace(CONFIGURATION, batch_statistics=timed)
    memory = replace(learned(needs=2), estimates=())
    plan = plan_of(observation(100.0, 5, configuration=configuration), memory)
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.source is ProfileSource.BATCH_STATISTICS
    assert plan.profile.capacity_per_replica == pytest.approx(100.0, rel=0.01)
    assert plan.desired == 2


def test_old_batch_statistics_yield_to_what_the_counters_say_now() -> None:
    timed = tuple(
        BatchStatistic(batch_size=b, executions=500, mean_seconds=0.02 + 0.0025 * b)
        for b in (1, 2, 4, 8)
    )
    configuration = replace(CONFIGURATION, batch_statistics=timed)
    plan = plan_of(observation(100.0, 2, configuration=configuration))
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.source is ProfileSource.COUNTERS


def test_a_window_with_two_loads_teaches_no_service_time() -> None:
    jump = LatestGap(at=NOON, seconds=15.0, requests=1500.0, pending_change=0.0)
    steady, uneven = signals(100.0, 2), signals(100.0, 2)
    models = (replace(uneven.pods[0].models[0], latest=jump),)
    uneven = replace(uneven, pods=(replace(uneven.pods[0], models=models), uneven.pods[1]))
    taught = [
        decide(snapshot(observation(seen=seen)), memory_of(learned(needs=1))).memory
        for seen in (steady, uneven)
    ]
    executions = [m.policies[key()].estimates[0].executions for m in taught]
    assert executions[0] > ESTIMATE.executions == executions[1]


def test_an_unknown_configuration_is_sized_cautiously_and_said() -> None:
    unknown = Missing(reason=MissingReason.SOURCE_UNREACHABLE)
    known, blind = plan_of(observation()), plan_of(observation(configuration=unknown))
    assert not isinstance(known.profile, Missing)
    assert not isinstance(blind.profile, Missing)
    assert blind.profile.load_per_replica < 0.9 * known.profile.load_per_replica
    assert "unknown-batching" in {reason.code for reason in blind.reasons}


@pytest.mark.parametrize(
    "change", [{"queue_delay_seconds": 0.002}, {"queue_policy": True}], ids=["delay", "policy"]
)
def test_a_queue_delay_or_policy_costs_usable_load(change: dict[str, Any]) -> None:
    greedy = plan_of(observation())
    other = plan_of(observation(configuration=replace(CONFIGURATION, **change)))
    assert not isinstance(greedy.profile, Missing)
    assert not isinstance(other.profile, Missing)
    assert other.profile.load_per_replica < 0.95 * greedy.profile.load_per_replica


def test_several_instances_count_as_one_until_more_was_seen() -> None:
    two = replace(CONFIGURATION, instances=2)
    one, cautious = plan_of(observation()), plan_of(observation(40.0, configuration=two))
    memory = learned(needs=1, estimates=(replace(ESTIMATE, largest_load_seen=150.0),))
    seen = plan_of(observation(40.0, configuration=two), memory)
    profiles = [plan.profile for plan in (one, cautious, seen)]
    loads = [p.load_per_replica for p in profiles if not isinstance(p, Missing)]
    assert loads == [pytest.approx(loads[0]), pytest.approx(loads[0], rel=0.2), 150.0]


def test_nothing_is_learned_during_a_rollout_nor_from_failures_nor_new_pods() -> None:
    doubtful = (
        observation(150.0, 2, running=workload(2, rolling_out=True)),
        observation(seen=signals(150.0, 2, failures=5.0)),
        observation(seen=signals(150.0, 2, gateway=gateway(160.0, errors=5.0))),
        observation(
            150.0,
            2,
            running=workload(
                2, tuple(pod(f"p{i}", age=100.0, ready_at=NOON - 20.0) for i in range(2))
            ),
        ),
    )
    for seen in doubtful:
        decisions = decide(snapshot(seen), memory_of(learned(needs=1)))
        estimate = decisions.memory.policies[seen.policy.key].estimates[0]
        assert estimate.information == ESTIMATE.information
    clean = decide(snapshot(observation(150.0, 2)), memory_of(learned(needs=1)))
    assert clean.memory.policies[policy().key].estimates[0].executions > ESTIMATE.executions


def test_the_same_window_teaches_only_once() -> None:
    seen = observation(150.0, 2)
    once = decide(snapshot(seen), memory_of(learned(needs=1))).memory
    twice = decide(replace(snapshot(seen), at=NOON + 1.0), once).memory
    assert twice.policies[policy().key].estimates == once.policies[policy().key].estimates


def test_start_up_times_are_learned_from_pods_seen_starting() -> None:
    starting = observation(
        150.0, 2, running=workload(3, (pod("p0"), pod("p1"), pod("p2", ready=False, age=50.0)))
    )
    memory = decide(snapshot(starting), memory_of(learned(needs=1))).memory
    ready = replace(
        starting,
        workloads=(workload(3, (pod("p0"), pod("p1"), pod("p2", age=50.0, ready_at=NOON + 10.0))),),
    )
    after = decide(replace(snapshot(ready), at=NOON + 15.0), memory).memory
    again = decide(replace(snapshot(ready), at=NOON + 30.0), after).memory
    assert after.policies[policy().key].start_up_seconds == (60.0,)
    assert again.policies[policy().key].start_up_seconds == (60.0,)


def test_an_objective_no_replica_can_meet_does_not_run_to_the_maximum() -> None:
    of = policy(objective=LatencyObjective(threshold_seconds=0.03, target_fraction=0.99))
    plan = plan_of(observation(100.0, 2, of=of))
    assert plan.desired == 3
    assert "objective-unreachable" in {reason.code for reason in plan.reasons}


def test_nothing_changes_while_nothing_is_known_of_the_profile() -> None:
    plan = plan_of(observation(seen=signals(0.0, 3), replicas=3), PolicyMemory())
    assert (plan.desired, plan.limited_by) == (3, LimitedBy.NOTHING)
    assert isinstance(plan.profile, Missing)
