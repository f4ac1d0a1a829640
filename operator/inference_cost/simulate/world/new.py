"""A world at second 0, from a scenario."""

from math import ceil, inf
from typing import cast

import numpy as np

from inference_cost.decide.schedule import widest
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.batching import Batcher, new_batchers, new_requests
from inference_cost.simulate.scenario import Fidelity, Routing, Scenario
from inference_cost.simulate.steady_state import SteadyState, steady_state
from inference_cost.simulate.traffic import MOST_REQUESTS
from inference_cost.simulate.world.replicas import begin_with
from inference_cost.simulate.world.state import (
    COLUMNS,
    COUNTS,
    COURSE_ROWS,
    NEXT_READY,
    NUMBERS,
    SCRAPES_KEPT,
    TRAIL_COLUMNS,
    TRAIL_KEPT,
    Arrivals,
    Conditions,
    Curves,
    Floats,
    Replicas,
    World,
)

STEP_SECONDS = 10.0  # the largest step, and the width of what is reported
SPARE_SLOTS = 2
STARTS_DRAWN = 4096
LONGEST_WAIT_SECONDS = 30.0  # or five times the objective: clients give up
LONGEST_WAIT_OBJECTIVES = 5.0
RESIDUAL = 1.3  # of a full batch: what a request behind a backlog waits and takes itself
SMOOTHING_OBJECTIVES = 6.0
LONGEST_SMOOTHING_SECONDS = 120.0
CHANCE_DEVIATIONS = 4.0  # of Poisson arrivals; what deviates more is a burst
INITIAL_SECONDS = 300.0
INITIAL_HEADROOM = 1.2


def objective_of(scenario: Scenario) -> LatencyObjective:
    """The latency objective.

    Raises:
        ValueError: the policy has another one.
    """
    objective = scenario.policy.objective
    if not isinstance(objective, LatencyObjective):
        raise ValueError("spec.slo.latency: a backtest needs a latency objective; set it")  # noqa: TRY004
    return objective


def steady_state_of(scenario: Scenario) -> SteadyState:
    """Curves of one replica of the scenario.

    Raises:
        ValueError: no number of replicas meets the objective.
    """
    objective, service = objective_of(scenario), scenario.service
    greedy = service.instances == 1 and not service.queue_delay_seconds and not service.queue_policy
    found = steady_state(
        service,
        objective.threshold_seconds,
        objective.target_fraction,
        scenario.seed,
        balanced=greedy and scenario.routing is Routing.LEAST_REQUEST,
    )
    if found.largest_load <= 0:
        raise ValueError(
            f"spec.slo.latency: even an idle replica answers less than {objective.target_fraction:.2%} within "
            f"{objective.threshold_seconds:g} s; raise thresholdMilliseconds or use a faster profile"
        )
    return found


def limits(scenario: Scenario) -> tuple[int, int]:
    """Fewest and most replicas at any time."""
    return widest(scenario.policy)


def initial_replicas(scenario: Scenario, load_per_replica: float) -> int:
    """Enough for the first five minutes with some headroom, within the policy's bounds."""
    lowest, highest = limits(scenario)
    counts = scenario.traffic.rebinned(STEP_SECONDS)
    first = counts[: int(INITIAL_SECONDS / STEP_SECONDS)]
    rate = float(first.sum()) / (len(first) * STEP_SECONDS)
    return min(max(ceil(INITIAL_HEADROOM * rate / load_per_replica - 1e-9), lowest, 1), highest)


def excluded_bins(scenario: Scenario) -> int:
    """Bins at the start of a run that do not count."""
    return ceil(scenario.exclude_first_seconds / STEP_SECONDS)


def new_world(scenario: Scenario, *, replicas: int | None = None, most_replicas: int = 0) -> World:
    """A fleet of `replicas` (default: `initial_replicas`) that serves from second 0 on.

    There is room for as many as the policy allows, or `most_replicas`.
    """
    steady = steady_state_of(scenario)
    counts = scenario.traffic.rebinned(STEP_SECONDS)
    lowest, highest = limits(scenario)
    slots = max(highest, most_replicas) + SPARE_SLOTS
    conditions = _conditions(scenario, steady, len(counts), lowest, highest)
    arrivals = _arrivals(scenario, counts)
    world = World(
        conditions=conditions,
        curves=_curves(scenario, steady),
        replicas=_replicas(slots, scenario.warm_replicas),
        arrivals=arrivals,
        batchers=_batchers(scenario, conditions, slots, len(arrivals.times)),
        starts=start_ups(scenario),
        numbers=np.zeros(NUMBERS),
        counts=np.zeros(COUNTS, np.int64),
        counters=np.zeros((slots, COLUMNS)),
        scraped=np.zeros((SCRAPES_KEPT, slots, COLUMNS)),
        trail=np.zeros((TRAIL_KEPT, TRAIL_COLUMNS)),
        course=np.zeros((COURSE_ROWS, len(counts))),
    )
    world.numbers[NEXT_READY] = inf
    begin_with(
        world, initial_replicas(scenario, steady.largest_load) if replicas is None else replicas
    )
    return world


def start_ups(scenario: Scenario) -> Floats:
    """Start-up seconds by number of the replica, the same for every controller; infinite where it never serves."""
    seconds = np.array([scenario.start_seconds])
    if scenario.start_samples:
        draw = np.random.default_rng((scenario.seed, 2))
        seconds = draw.choice(np.array(scenario.start_samples), STARTS_DRAWN)
    failing = scenario.faults.failing_starts
    if failing <= 0:
        return seconds
    fails = np.random.default_rng((scenario.seed, 5)).random(STARTS_DRAWN) < failing
    return np.where(fails, inf, seconds)


def slower_conditions(world: World, slower: Scenario) -> tuple[Conditions, Curves]:
    """Of the scenario's servers, which the autoscalers' targets know nothing of."""
    steady, service = steady_state_of(slower), slower.service
    full = service.seconds(service.max_batch)
    conditions = world.conditions._replace(
        capacity=service.capacity,
        goodput=steady.largest_goodput,
        wait_allowed=max(world.conditions.threshold - RESIDUAL * full, 0.0),
        batch_seconds=full,
    )
    return conditions, _curves(slower, steady)


def _curves(scenario: Scenario, steady: SteadyState) -> Curves:
    """What is rejected does not wait."""
    curves, limit = steady.curves, scenario.faults.queue_limit_seconds
    return curves if limit == inf else curves._replace(queue=np.minimum(curves.queue, limit))


def _conditions(
    scenario: Scenario, steady: SteadyState, bins: int, lowest: int, highest: int
) -> Conditions:
    threshold, service = objective_of(scenario).threshold_seconds, scenario.service
    full = service.seconds(service.max_batch)
    return Conditions(
        seconds=bins * STEP_SECONDS,
        bin_seconds=STEP_SECONDS,
        capacity=service.capacity,
        goodput=steady.largest_goodput,
        load_per_replica=steady.largest_load,
        in_flight_per_replica=steady.in_flight_at_largest_load,
        threshold=threshold,
        wait_allowed=max(threshold - RESIDUAL * full, 0.0),
        longest_wait=min(
            max(LONGEST_WAIT_SECONDS, LONGEST_WAIT_OBJECTIVES * threshold),
            scenario.faults.queue_limit_seconds,
        ),
        batch_seconds=full,
        max_batch=float(service.max_batch),
        scrape_seconds=scenario.scrape_seconds,
        scrape_offset=-scenario.metric_lag_seconds % scenario.scrape_seconds,
        lag_seconds=scenario.metric_lag_seconds,
        missing_fraction=scenario.missing_fraction,
        drain_seconds=scenario.drain_seconds,
        minimum_billing_seconds=scenario.minimum_billing_seconds,
        warm_start_seconds=scenario.warm_start_seconds,
        exclude_first=excluded_bins(scenario) * STEP_SECONDS,
        min_replicas=lowest,
        max_replicas=highest,
        seed=scenario.seed,
        balanced=scenario.routing is Routing.LEAST_REQUEST,
        sticky=scenario.routing is Routing.STICKY,
    )


def _replicas(slots: int, warm: int) -> Replicas:
    free = np.append(np.arange(slots)[::-1], slots)
    return Replicas(
        listed=np.zeros(slots, np.int64),
        number=np.zeros(slots, np.int64),
        ordered_at=np.zeros(slots),
        ready_at=np.zeros(slots),
        serves=np.zeros(slots, np.int64),
        first_scrape=np.full(slots, -1),
        share=np.zeros(slots),
        backlog=np.zeros(slots),
        free=free.astype(np.int64),
        warm_ready_at=np.zeros(warm),
    )


def _arrivals(scenario: Scenario, counts: Floats) -> Arrivals:
    """At request level with a time for each request, and then counts of just these."""
    times = np.zeros(0)
    if scenario.fidelity is Fidelity.REQUEST:
        times = request_times(scenario, counts)
        bins = np.minimum((times / STEP_SECONDS).astype(np.int64), len(counts) - 1)
        counts = np.bincount(bins, minlength=len(counts)).astype(np.float64)
    smooth = _smoothed(counts, objective_of(scenario).threshold_seconds)
    return Arrivals(total=_cumulative(counts), smooth=_cumulative(smooth), times=times)


def _cumulative(counts: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(counts)))


def _smoothed(counts: Floats, threshold: float) -> Floats:
    """Without what comes by chance from bin to bin, where the objective is not short against a bin.

    Queues of slow models even out that chance, and the steady state counts it already: per step it would count twice.
    Each bin is taken as the mean of the last ones, but for what chance cannot explain.
    """
    smoothing = min(SMOOTHING_OBJECTIVES * threshold, LONGEST_SMOOTHING_SECONDS)
    width = ceil(smoothing / STEP_SECONDS)
    if width == 1:
        return counts
    total = np.concatenate((np.zeros(width - 1), _cumulative(counts)))
    spans = np.minimum(np.arange(1, len(counts) + 1), width)
    mean = (total[width:] - total[:-width]) / spans
    chance = CHANCE_DEVIATIONS * np.sqrt(mean)
    smooth: Floats = mean + np.sign(counts - mean) * np.maximum(np.abs(counts - mean) - chance, 0.0)
    return smooth


def _batchers(scenario: Scenario, conditions: Conditions, slots: int, requests: int) -> Batcher:
    """One per slot at request level, else None, by whose type the model is chosen (fidelity.py)."""
    if scenario.fidelity is not Fidelity.REQUEST:
        return cast(Batcher, None)
    return new_batchers(
        scenario.service,
        new_requests(requests, latency_only=True),
        replicas=slots,
        max_age_seconds=conditions.longest_wait,
        seed=scenario.seed,
    )


def request_times(scenario: Scenario, counts: Floats) -> Floats:
    """As traced, or evenly drawn within each bin, where a fraction of a request is one with that probability.

    Raises:
        ValueError: more requests than fit into memory.
    """
    if counts.sum() > MOST_REQUESTS:
        raise ValueError(
            f"--fidelity request: {counts.sum() / 1e6:.0f} million requests are more than "
            f"{MOST_REQUESTS / 1e6:.0f} million; take fewer days or --fidelity step"
        )
    if scenario.traffic.times is not None:
        return scenario.traffic.times
    # A generator each, so that what comes later changes no earlier request.
    rounding = np.random.default_rng((scenario.seed, 3)).random(len(counts))
    whole = np.floor(counts + rounding).astype(np.int64)
    starts = np.repeat(np.arange(len(counts)) * STEP_SECONDS, whole)
    within = np.random.default_rng((scenario.seed, 4)).random(len(starts))
    times: Floats = np.sort(starts + within * STEP_SECONDS)
    return times
