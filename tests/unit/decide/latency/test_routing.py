"""What a load balancer is worth: against fleets replayed request by request, and where it is not counted on."""

import random
from dataclasses import replace

import numpy as np
import pytest

from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.latency.loads import largest_load, seconds_at
from inference_cost.decide.latency.routing import (
    _CELLS,
    gain,
    gains,
    under_random_routing,
)
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.decide.size import replicas_for
from inference_cost.model.plan import Plan
from inference_cost.model.policy import LatencyObjective, QueueTimeObjective, Routing
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.simulate.batcher import BatchService
from inference_cost.simulate.fleet import Routing as FleetRouting
from inference_cost.simulate.fleet import constant_fleet, replay
from inference_cost.simulate.routing_table_generate import (
    BATCH_SIZES,
    LOADS,
    PER_ITEM_SHARES,
    REPLICAS,
    equivalent_loads,
)
from tests.unit.decide.worlds import CONFIGURATION, learned, observation, plan_of, policy

DEMO = Replica(alpha_seconds=0.04, beta_seconds=0.005, max_batch_size=8, batching=Batching.GREEDY)
OTHER = replace(DEMO, alpha_seconds=0.020, beta_seconds=0.004, max_batch_size=12)
P99 = LatencyObjective(threshold_seconds=0.3, target_fraction=0.99)
TIGHT = replace(P99, threshold_seconds=0.16)
BALANCED = policy(routing=Routing.LEAST_REQUEST)


def planned(rate: float, replicas: int = 3, **more: object) -> Plan:
    return plan_of(observation(rate, replicas, of=BALANCED, **more), learned(needs=1))  # type: ignore[arg-type]


@pytest.mark.parametrize(("cell", "load"), [((0, 2, 1), 6), ((2, 0, 0), 5), ((4, 3, 2), 7)])
def test_the_shipped_table_is_what_the_generator_makes(
    cell: tuple[int, int, int], load: int
) -> None:
    """Three cells; the table may be more cautious where neighbors are, never less."""
    replicas, batch, share = cell
    made = equivalent_loads(
        REPLICAS[replicas], BATCH_SIZES[batch], PER_ITEM_SHARES[share], LOADS[load]
    )
    shipped = _CELLS[replicas][batch][share][load]
    for measured, table in zip(made, shipped, strict=True):
        assert measured - 1e-9 <= table <= measured + 0.02


@pytest.mark.parametrize("replicas", [2, 3, 5, 12])
@pytest.mark.parametrize("replica", [DEMO, OTHER], ids=["demo", "between the table's cells"])
@pytest.mark.parametrize("objective", [P99, TIGHT], ids=["p99", "tight"])
def test_a_fleet_at_the_promised_load_meets_the_objective(
    replica: Replica, objective: LatencyObjective, replicas: int
) -> None:
    random_load = largest_load(replica, objective).per_second
    load = random_load * gain(gains(replica, objective), replicas)
    service = BatchService(
        alpha_seconds=replica.alpha_seconds,
        beta_seconds=replica.beta_seconds,
        max_batch_size=replica.max_batch_size,
    )
    draw, now, arrivals = random.Random(5), 0.0, []  # noqa: S311 - a simulation
    for _ in range(120_000):
        now += draw.expovariate(load * replicas)
        arrivals.append(now)
    latencies = replay(
        arrivals,
        service=service,
        replicas=constant_fleet(replicas),
        routing=FleetRouting.POWER_OF_TWO,
    )
    assert np.quantile(latencies, 0.99) <= 1.02 * objective.threshold_seconds
    if load < 0.94 * replica.capacity:  # and does not stay far below what it could
        assert np.quantile(latencies, 0.99) >= 0.8 * objective.threshold_seconds


@pytest.mark.parametrize("objective", [P99, TIGHT, replace(P99, target_fraction=0.5)])
def test_more_replicas_are_worth_more_and_one_alone_nothing(objective: LatencyObjective) -> None:
    found = gains(DEMO, objective)
    assert found[0] == 1.0
    assert list(found) == sorted(found)
    assert gain(found, 1000) == found[-1]


def test_the_gain_is_what_research_measured() -> None:
    assert gain(gains(DEMO, TIGHT), 4) >= 1.1
    assert largest_load(DEMO, P99).per_second * gain(gains(DEMO, P99), 4) >= 92.0


def test_the_prediction_at_the_promised_load_is_the_threshold() -> None:
    for replicas in (2, 5, 16):
        load = largest_load(DEMO, TIGHT).per_second * gain(gains(DEMO, TIGHT), replicas)
        alike = under_random_routing(DEMO, TIGHT, load, replicas)
        assert seconds_at(DEMO, TIGHT, alike) == pytest.approx(0.16, rel=0.01)


def test_the_fewest_replicas_that_carry_the_rate_are_found() -> None:
    found = (1.0, 1.1, 1.2)
    for rate in range(1, 200):
        fewest = replicas_for(float(rate), 10.0, found)
        assert 10.0 * gain(found, fewest) * (fewest + 0.0201) >= rate
        fewer = fewest - 1
        assert fewer < 1 or 10.0 * gain(found, fewer) * (fewer + 0.0199) < rate


def test_fewer_replicas_are_needed_and_the_plan_says_why() -> None:
    equal = plan_of(observation(340.0, 5), learned(needs=1))
    seen = observation(340.0, 5, of=BALANCED)
    plan = plan_of(seen, learned(needs=1))
    assert (equal.desired, plan.desired) == (5, 4)
    assert not isinstance(plan.prediction, Missing)
    assert plan.prediction.meets_objective
    assert not isinstance(plan.one_fewer, Missing)
    assert not plan.one_fewer.meets_objective
    assert "The load balancer evens out 4 replicas: each carries" in explain(plan, seen).findings


@pytest.mark.parametrize(("rate", "replicas", "least"), [(60.0, 1, 1.0), (340.0, 4, 1.05)])
def test_the_load_per_replica_shown_is_that_of_the_desired_count(
    rate: float, replicas: int, least: float
) -> None:
    equal, balanced = plan_of(observation(rate, replicas)).profile, planned(rate, replicas).profile
    assert not isinstance(equal, Missing)
    assert not isinstance(balanced, Missing)
    more = balanced.load_per_replica / equal.load_per_replica
    assert least <= more <= least + 0.05


UNMODELED = {
    "the model has a queue delay": {
        "configuration": replace(CONFIGURATION, queue_delay_seconds=0.01)
    },
    "the model has a queue policy": {"configuration": replace(CONFIGURATION, queue_policy=True)},
    "each pod runs several instances": {"configuration": replace(CONFIGURATION, instances=2)},
    "the model configuration could not be read": {
        "configuration": Missing(reason=MissingReason.SOURCE_UNREACHABLE)
    },
}


@pytest.mark.parametrize("why", UNMODELED)
def test_nothing_is_gained_where_it_was_not_measured(why: str) -> None:
    seen = observation(240.0, 3, of=BALANCED, **UNMODELED[why])  # type: ignore[arg-type]
    plan, equal = plan_of(seen), plan_of(replace(seen, policy=policy()))
    assert (plan.desired, plan.profile, plan.prediction) == (
        equal.desired,
        equal.profile,
        equal.prediction,
    )
    assert f"LeastRequest is not counted on because {why}." in explain(plan, seen).findings


def test_a_queue_time_objective_gains_nothing() -> None:
    objective = QueueTimeObjective(mean_seconds=0.05)
    balanced = plan_of(observation(240.0, 3, of=replace(BALANCED, objective=objective)))
    equal = plan_of(observation(240.0, 3, of=policy(objective=objective)))
    assert balanced.profile == equal.profile
    assert ("why", "the objective is a queue time") in balanced.reasons[-1].values


def test_a_decoupled_model_gains_nothing() -> None:
    plan = planned(240.0, 3, configuration=replace(CONFIGURATION, decoupled=True))
    assert [reason.code for reason in plan.reasons] == ["outside-model"]
