"""The latency table against request-level simulation, and the objective's largest load."""

import random
from dataclasses import replace

import pytest

from inference_cost.decide.latency.loads import (
    OVERLOADED_SECONDS,
    UNREACHABLE_LOAD,
    batching_of,
    largest_load,
    seconds_at,
)
from inference_cost.decide.latency.table_generate import (
    BATCH_SIZES,
    LOADS,
    PER_ITEM_SHARES,
    Cell,
)
from inference_cost.decide.latency.tables import (
    DELAYED,
    GREEDY,
    STALLING,
    Batching,
    Replica,
)
from inference_cost.model.policy import LatencyObjective, QueueTimeObjective
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.simulate import batching_table_generate as batching
from inference_cost.simulate.batcher import BatchService, greedy_latencies
from inference_cost.simulate.service import Service
from inference_cost.simulate.steady_state import largest_load as replayed_largest_load
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


# The same server with a queue delay of 2 ms, and with a queue policy: there a run of minutes has few lost wake-ups in
# its last percent, and between 85 and 90 % of capacity the table is above its curve.
@pytest.mark.parametrize(
    ("mode", "load", "measured", "above"),
    [
        (Batching.DELAYED, 20, 0.141, 0.1),
        (Batching.DELAYED, 50, 0.194, 0.1),
        (Batching.DELAYED, 70, 0.269, 0.1),
        (Batching.DELAYED, 85, 0.416, 0.1),
        (Batching.STALLING, 50, 0.175, 0.1),
        (Batching.STALLING, 85, 0.307, 0.3),
    ],
)
def test_percentiles_agree_with_the_real_server_in_its_other_modes(
    mode: Batching, load: float, measured: float, above: float
) -> None:
    replica = replace(DEMO, batching=mode, queue_delay_seconds=0.002)
    assert 0.95 * measured <= seconds_at(replica, P99, load) <= (1 + above) * measured


def test_a_queue_delay_beside_a_queue_policy_is_waited_out() -> None:
    idle, policy = 0.05 * DEMO.capacity, replace(DEMO, batching=Batching.STALLING)
    longer = seconds_at(replace(policy, queue_delay_seconds=0.08), P99, idle)
    assert longer == pytest.approx(seconds_at(policy, P99, idle) + 0.08)


# Queue delay ÷ t(B), threshold ÷ t(B) and share of the time per item, between the cells of the table.
@pytest.mark.parametrize(
    ("delay", "k", "share"),
    [(0.02, 2.5, 0.5), (0.02, 4.0, 0.8), (0.05, 3.0, 0.35), (0.2, 3.0, 0.5), (0.6, 4.0, 0.65)],
)
def test_the_largest_load_with_a_queue_delay_is_that_of_replayed_requests(
    delay: float, k: float, share: float
) -> None:
    replica = Replica(
        alpha_seconds=0.1 * (1 - share),
        beta_seconds=0.1 * share / 12,
        max_batch_size=12,
        batching=Batching.DELAYED,
        queue_delay_seconds=0.1 * delay,
    )
    objective = replace(P99, threshold_seconds=k * 0.1)
    service = Service(
        fixed_seconds=replica.alpha_seconds,
        per_item_seconds=replica.beta_seconds,
        max_batch=replica.max_batch_size,
        queue_delay_seconds=replica.queue_delay_seconds,
    )
    replayed = replayed_largest_load(service, objective.threshold_seconds, 0.99)
    assert largest_load(replica, objective).per_second == pytest.approx(replayed, rel=0.05)


def test_a_delay_beyond_the_table_is_waited_out_by_an_idle_server() -> None:
    long = replace(DEMO, batching=Batching.DELAYED, queue_delay_seconds=1.0)
    assert seconds_at(long, P99, 1.0) > 1.0


def test_what_is_not_known_is_taken_as_a_short_delay() -> None:
    unknown = replace(DEMO, batching=Batching.UNKNOWN)
    short = replace(DEMO, batching=Batching.DELAYED, queue_delay_seconds=0.0005)
    assert largest_load(unknown, P99) == largest_load(short, P99)


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
    for mode in (Batching.DELAYED, Batching.STALLING, Batching.UNKNOWN):
        assert seconds_at(replace(DEMO, batching=mode), P99, 60.0) > greedy


def test_the_shipped_table_is_what_the_generator_makes() -> None:
    """Three cells, one of each kind; `--check` of the generator compares all."""
    for batch, share, load in ((0, 0, 5), (3, 3, 8), (2, 7, 11)):
        made = Cell(LOADS[load], PER_ITEM_SHARES[share], BATCH_SIZES[batch]).solve()
        assert GREEDY.cells[batch][share][load] == pytest.approx(made, abs=0.002)


@pytest.mark.parametrize(("batch", "share", "load"), [(0, 0, 5), (2, 2, 8), (3, 4, 10)])
def test_the_shipped_table_of_other_modes_is_what_the_generator_makes(
    batch: int, share: int, load: int
) -> None:
    at = (batching.BATCH_SIZES[batch], batching.PER_ITEM_SHARES[share], LOADS[load])
    delayed, stalling = DELAYED[1].cells[batch][share][load], STALLING.cells[batch][share][load]
    assert delayed == pytest.approx(batching.figures(*at, batching.DELAYS[1]), abs=0.002)
    assert stalling == pytest.approx(batching.figures(*at, None), abs=0.002)
