"""The latency table against request-level simulation, and the objective's largest load."""

import random
from dataclasses import replace

import pytest

from inference_cost.decide.latency import (
    _CELLS,
    OVERLOADED_SECONDS,
    UNREACHABLE_LOAD,
    Batching,
    Replica,
    batching_of,
    largest_load,
    seconds_at,
)
from inference_cost.decide.latency_table_generate import (
    BATCH_SIZES,
    LOADS,
    PER_ITEM_SHARES,
    Cell,
)
from inference_cost.model.policy import LatencyObjective, QueueTimeObjective
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.simulate.batcher import BatchService, greedy_latencies
from tests.unit.decide.worlds import CONFIGURATION

DEMO = Replica(
    alpha_seconds=0.0407, beta_seconds=0.00504, max_batch_size=8, batching=Batching.GREEDY
)
P99 = LatencyObjective(threshold_seconds=0.3, target_fraction=0.99)
REPLICAS = {
    "fixed cost": DEMO,
    "cost per item": replace(DEMO, alpha_seconds=0.0107, beta_seconds=0.01005, max_batch_size=16),
    "between the table's cells": replace(
        DEMO, alpha_seconds=0.020, beta_seconds=0.004, max_batch_size=12
    ),
}


@pytest.mark.parametrize("name", REPLICAS)
@pytest.mark.parametrize("load", [0.25, 0.6, 0.8])
def test_percentiles_agree_with_simulated_requests(name: str, load: float) -> None:
    replica = REPLICAS[name]
    draw, now, arrivals = random.Random(7), 0.0, []  # noqa: S311 - a simulation
    for _ in range(150_000):
        now += draw.expovariate(load * replica.capacity)
        arrivals.append(now)
    service = BatchService(
        alpha_seconds=replica.alpha_seconds,
        beta_seconds=replica.beta_seconds,
        max_batch_size=replica.max_batch_size,
    )
    latencies = sorted(greedy_latencies(arrivals, service))
    for quantile, tolerance in ((0.9, 0.04), (0.95, 0.05), (0.99, 0.07)):
        objective = LatencyObjective(threshold_seconds=1.0, target_fraction=quantile)
        measured = latencies[int(quantile * len(latencies))]
        expected = seconds_at(replica, objective, load * replica.capacity)
        assert expected == pytest.approx(measured, rel=tolerance)


# Real Triton 2.51 without queue delay, 99th percentile in seconds by requests/s.
@pytest.mark.parametrize(("load", "measured"), [(20, 0.106), (50, 0.135), (70, 0.180), (85, 0.266)])
def test_percentiles_agree_with_the_real_server(load: float, measured: float) -> None:
    assert seconds_at(DEMO, P99, load) == pytest.approx(measured, rel=0.07)


def test_the_largest_load_is_where_the_percentile_meets_the_threshold() -> None:
    found = largest_load(DEMO, P99)
    assert found.reachable
    assert seconds_at(DEMO, P99, found.per_second) == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("target", [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999])
def test_a_stricter_target_never_allows_more_load(target: float) -> None:
    stricter = replace(P99, target_fraction=min(target + 0.005, 0.99995))
    assert (
        largest_load(DEMO, stricter).per_second
        <= largest_load(DEMO, replace(P99, target_fraction=target)).per_second
    )


def test_a_mean_queue_time_has_a_largest_load_too() -> None:
    objective = QueueTimeObjective(mean_seconds=0.04)
    found = largest_load(DEMO, objective)
    assert seconds_at(DEMO, objective, found.per_second) == pytest.approx(0.04, rel=0.02)


def test_a_threshold_below_an_idle_replica_is_unreachable() -> None:
    found = largest_load(DEMO, replace(P99, threshold_seconds=0.03))
    assert not found.reachable
    assert found.per_second == pytest.approx(UNREACHABLE_LOAD * DEMO.capacity)


def test_overload_has_no_percentile() -> None:
    assert seconds_at(DEMO, P99, 1.01 * DEMO.capacity) == OVERLOADED_SECONDS
    assert seconds_at(DEMO, P99, 0.99 * DEMO.capacity) < OVERLOADED_SECONDS


# Largest loads measured for a queue delay, as shares of capacity, at a threshold of k full batches.
@pytest.mark.parametrize(
    ("k", "share", "real"),
    [
        (2.0, 0.125, 0.34),
        (2.5, 0.125, 0.58),
        (3.0, 0.125, 0.68),
        (4.0, 0.125, 0.80),
        (2.0, 0.5, 0.62),
    ],
)
def test_a_queue_delay_is_never_sized_above_what_was_measured(
    k: float, share: float, real: float
) -> None:
    replica = Replica(
        alpha_seconds=1.0, beta_seconds=share, max_batch_size=8, batching=Batching.DELAYED
    )
    objective = replace(P99, threshold_seconds=k * replica.full_batch_seconds)
    load = largest_load(replica, objective).per_second / replica.capacity
    assert 0.5 * real <= load <= 1.03 * real


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        (CONFIGURATION, Batching.GREEDY),
        (replace(CONFIGURATION, queue_delay_seconds=0.0001), Batching.GREEDY),
        (replace(CONFIGURATION, queue_delay_seconds=0.002), Batching.DELAYED),
        (replace(CONFIGURATION, queue_policy=True), Batching.STALLING),
        (Missing(reason=MissingReason.SOURCE_UNREACHABLE), Batching.UNKNOWN),
    ],
)
def test_the_mode_is_read_from_the_configuration(configuration: object, expected: Batching) -> None:
    assert batching_of(configuration) is expected  # type: ignore[arg-type]


def test_other_modes_are_slower_at_the_same_load() -> None:
    greedy = seconds_at(DEMO, P99, 60.0)
    for batching in (Batching.DELAYED, Batching.STALLING, Batching.UNKNOWN):
        assert seconds_at(replace(DEMO, batching=batching), P99, 60.0) > greedy


def test_the_shipped_table_is_what_the_generator_makes() -> None:
    """Three cells, one of each kind; `--check` of the generator compares all."""
    for batch, share, load in ((0, 0, 5), (3, 3, 8), (2, 7, 11)):
        made = Cell(LOADS[load], PER_ITEM_SHARES[share], BATCH_SIZES[batch]).solve()
        assert _CELLS[batch][share][load] == pytest.approx(made, abs=0.002)
