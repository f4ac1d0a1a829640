"""Service time learned from Triton's counters, which never show Σ b²."""

import random
from dataclasses import replace

import pytest

from inference_cost.decide.replica.service_time import (
    CounterWindow,
    for_new_kind,
    learn,
    solve,
    timed_batch,
)
from inference_cost.model.memory import ServiceTimeEstimate
from inference_cost.model.profile_key import ProfileKey
from tests.unit.decide.closed_loop.harness import LoopSettings, Server

WINDOW_SECONDS = 60.0


def counters(
    load: float, settings: LoopSettings, seed: int, windows: int, regularity: int = 1
) -> list[CounterWindow]:
    """Windows of one greedy replica at a share `load` of capacity; `regularity` 4: smoother than Poisson."""
    draw = random.Random(seed)  # noqa: S311 - a simulation
    capacity = settings.max_batch / (settings.alpha + settings.beta * settings.max_batch)
    server, now, result = Server("pod", 0.0, 0.0, settings), 0.0, []
    before = replace_counters(server)
    for i in range(windows):
        while now < (i + 1) * WINDOW_SECONDS:
            now += sum(draw.expovariate(regularity * capacity * load) for _ in range(regularity))
            server.offer(now)
        after = replace_counters(server)
        result.append(
            CounterWindow(
                requests=after[0] - before[0],
                inferences=after[0] - before[0],
                executions=after[1] - before[1],
                compute_seconds=after[2] - before[2],
                instance_seconds=WINDOW_SECONDS,
            )
        )
        before = after
    return result


def replace_counters(server: Server) -> tuple[float, float, float]:
    return (
        server.counters.requests,
        server.counters.executions,
        server.counters.compute_seconds,
    )


def learned_capacity(windows: list[CounterWindow], size: int) -> float:
    estimate = ServiceTimeEstimate(template_hash="v1")
    for i, window in enumerate(windows):
        estimate = learn(estimate, window, size, 1000.0 + i * WINDOW_SECONDS)
    known = solve(estimate)
    assert known is not None
    return size / known.seconds(size)


PROFILES = {
    "fixed cost dominates": LoopSettings(alpha=0.040, beta=0.005, max_batch=8),
    "cost per item dominates": LoopSettings(alpha=0.010, beta=0.010, max_batch=16),
    "almost all cost is fixed": LoopSettings(alpha=0.050, beta=0.001, max_batch=16),
}


@pytest.mark.parametrize("regularity", [1, 4])
@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("seed", [1, 2])
def test_capacity_is_learned_within_ten_percent_and_hardly_ever_optimistic(
    name: str, seed: int, regularity: int
) -> None:
    settings = PROFILES[name]
    windows = [
        window
        for load in (0.3, 0.45, 0.6, 0.75, 0.85)
        for window in counters(load, settings, seed, 4, regularity)
    ]
    capacity = settings.max_batch / (settings.alpha + settings.beta * settings.max_batch)
    ratio = learned_capacity(windows, settings.max_batch) / capacity
    assert 0.90 <= ratio <= 1.05


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("load", [0.05, 0.1, 0.2])
def test_before_large_batches_were_seen_the_upper_estimate_is_cautious(
    name: str, load: float
) -> None:
    settings = PROFILES[name]
    estimate = ServiceTimeEstimate(template_hash="v1")
    for i, window in enumerate(counters(load, settings, 3, 4)):
        estimate = learn(estimate, window, settings.max_batch, 1000.0 + i * WINDOW_SECONDS)
    known = solve(estimate)
    assert known is not None
    upper = known.seconds(settings.max_batch) * (1 + known.error_fraction(settings.max_batch))
    assert upper >= 0.95 * (settings.alpha + settings.beta * settings.max_batch)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("load", [0.1, 0.2, 0.5, 0.8, 0.9, 1.2])
def test_each_window_gives_a_point_of_the_line_though_squares_are_not_exported(
    name: str, load: float
) -> None:
    settings = PROFILES[name]
    for window in counters(load, settings, 5, 3):
        point = timed_batch(window, settings.max_batch)
        true = settings.alpha + settings.beta * point.batch
        assert point.seconds == pytest.approx(true, rel=0.04)


@pytest.mark.parametrize("load", [0.5, 0.7, 0.9])
def test_arrivals_more_regular_than_poisson_hardly_matter(load: float) -> None:
    settings = PROFILES["fixed cost dominates"]
    for window in counters(load, settings, 5, 3, regularity=4):
        point = timed_batch(window, settings.max_batch)
        true = settings.alpha + settings.beta * point.batch
        assert point.seconds == pytest.approx(true, rel=0.06)


def test_taking_the_mean_batch_instead_would_be_wrong() -> None:
    """The reason for the second moment: the naive pair misses the batch a request sees."""
    settings = PROFILES["fixed cost dominates"]
    window = counters(0.5, settings, 5, 1)[0]
    true = (window.batch_seconds - settings.alpha) / settings.beta
    assert window.mean_batch < 0.85 * true


def test_requests_of_several_inferences_count_as_such() -> None:
    window = CounterWindow(
        requests=100, inferences=400, executions=100, compute_seconds=8.0, instance_seconds=1000.0
    )
    point = timed_batch(window, 8)
    assert (point.batch, point.seconds) == pytest.approx((4.0, 0.08), rel=0.05)


def test_a_single_outlier_is_rejected_and_five_start_over() -> None:
    fast = PROFILES["fixed cost dominates"]
    slow = replace(fast, alpha=2 * fast.alpha, beta=2 * fast.beta)
    estimate = ServiceTimeEstimate(template_hash="v1")
    for i, window in enumerate(counters(0.6, fast, 1, 8) + counters(0.8, fast, 1, 8)):
        estimate = learn(estimate, window, 8, 100.0 + i)
    windows = counters(0.7, slow, 1, 12)
    once = learn(estimate, windows[0], 8, 200.0)
    assert once.rejected_in_a_row == 1
    assert once.vector == estimate.vector
    for i, window in enumerate(windows):
        estimate = learn(estimate, window, 8, 300.0 + i)
    known = solve(estimate)
    assert known is not None
    assert known.seconds(5) == pytest.approx(slow.alpha + 5 * slow.beta, rel=0.1)


def test_a_night_of_small_batches_does_not_forget_what_the_day_taught() -> None:
    settings = PROFILES["fixed cost dominates"]
    estimate = ServiceTimeEstimate(template_hash="v1")
    for load in (0.3, 0.6, 0.85):
        for i, window in enumerate(counters(load, settings, 1, 4)):
            estimate = learn(estimate, window, 8, 1000.0 + 100 * load + i)
    night = counters(0.05, settings, 2, 10)
    for i in range(600):
        estimate = learn(estimate, night[i % 10], 8, 2000.0 + 60.0 * i)
    known = solve(estimate)
    assert known is not None
    assert known.seconds(8) == pytest.approx(0.080, rel=0.08)
    assert known.error_fraction(8) < 0.2


def test_a_server_that_slowly_becomes_slower_is_followed_within_hours() -> None:
    fast = PROFILES["fixed cost dominates"]
    slow = replace(fast, alpha=1.06 * fast.alpha, beta=1.06 * fast.beta)
    estimate = ServiceTimeEstimate(template_hash="v1")
    before, after = counters(0.7, fast, 1, 10), counters(0.7, slow, 2, 10)
    for i in range(1800):
        window = (before if i < 1500 else after)[i % 10]
        estimate = learn(estimate, window, 8, 1000.0 + 60.0 * i)
    known = solve(estimate)
    assert known is not None
    assert known.seconds(4.5) == pytest.approx(slow.alpha + 4.5 * slow.beta, rel=0.01)


def test_a_new_template_starts_from_the_old_estimate_and_is_unsure() -> None:
    settings = PROFILES["fixed cost dominates"]
    old = ServiceTimeEstimate(template_hash="v1")
    for i, window in enumerate(counters(0.6, settings, 1, 10)):
        old = learn(old, window, 8, 100.0 + i)
    new = for_new_kind(old, ProfileKey(template_hash="v2"))
    before, after = solve(old), solve(new)
    assert before is not None
    assert after is not None
    assert after.seconds(8) == pytest.approx(before.seconds(8))
    assert after.error_fraction(8) > 2 * before.error_fraction(8)
    assert new.executions == 0


def test_a_slower_template_at_little_load_keeps_the_proportions_of_the_old_one() -> None:
    old = ServiceTimeEstimate(template_hash="v1")
    for load in (0.1, 0.5, 0.9):
        for i, window in enumerate(counters(load, LoopSettings(), 1, 5)):
            old = learn(old, window, 8, 1000.0 + i * WINDOW_SECONDS)
    slower = LoopSettings(alpha=0.080)
    new = for_new_kind(old, ProfileKey(template_hash="v2"))
    for i, window in enumerate(counters(0.15, slower, 2, 10)):
        new = learn(new, window, 8, 5000.0 + i * WINDOW_SECONDS)
    known = solve(new)
    assert known is not None
    full = slower.alpha + slower.beta * 8
    assert full <= known.seconds(8) * (1 + known.error_fraction(8))
    assert known.seconds(8) == pytest.approx(full, rel=0.35)


def test_nothing_is_known_before_the_first_window() -> None:
    assert solve(ServiceTimeEstimate(template_hash="v1")) is None


@pytest.mark.parametrize(
    ("information", "vector"),
    [((2.0, 6.0, 20.0), (2.0, 5.0)), ((2.0, 6.0, 20.0), (1.0, 4.0))],
    ids=["falling with batch size", "negative at zero"],
)
def test_neither_part_of_the_service_time_is_negative(
    information: tuple[float, float, float], vector: tuple[float, float]
) -> None:
    known = solve(ServiceTimeEstimate(template_hash="v1", information=information, vector=vector))
    assert known is not None
    assert known.alpha_seconds >= 0
    assert known.beta_seconds >= 0
