"""What the simulator expects on the same arrivals, and so KEDA's threshold and window that are cheapest in hindsight.

The simulated rule (checked against the real KEDA, docs/calibration-of-baselines.md) has Kubernetes' own pace: a sync
every 15 s, rates over 60 s. So the whole world is slowed down by 7.5, service times and objective included.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from e2e.demo.settings import DemoSettings
from e2e.race.settings import (
    DEFAULT_WINDOW_SECONDS,
    FASTER_LOOPS,
    FASTER_WAITS,
    PERIOD_SECONDS,
    START_SECONDS,
    TARGET_PERCENT,
)
from e2e.race.traces import Trace
from e2e.rig.traces import Floats, poisson_arrivals
from inference_cost.model.policy import (
    LatencyObjective,
    Mode,
    Policy,
    PolicyKey,
    TargetRef,
    Variant,
)
from inference_cost.simulate.baselines import keda
from inference_cost.simulate.baselines.hpa_behavior import DOWN_BY_DEFAULT, UP_BY_DEFAULT
from inference_cost.simulate.baselines.targets import (
    DEFAULT_TARGET,
    DOWN_WINDOWS_SECONDS,
    TARGETS,
)
from inference_cost.simulate.ours import Operator, run_ours
from inference_cost.simulate.outcome import Course
from inference_cost.simulate.result import outcome_of
from inference_cost.simulate.runs import run_keda
from inference_cost.simulate.scenario import Fidelity, Routing, Scenario
from inference_cost.simulate.service import Service
from inference_cost.simulate.traffic import from_times
from inference_cost.simulate.world.new import STEP_SECONDS, new_world, steady_state_of
from inference_cost.simulate.world.state import LIVE

# What a real Triton took for batches of the demo's model (tests/fixtures/triton_batcher, runs A0).
FIXED_SECONDS, PER_ITEM_SECONDS = 0.0407, 0.00505
METRIC_LAG_SECONDS = 0.2  # through KEDA's adapter
DRAIN_SECONDS = 3.0  # beside the time that a node stays empty
# The demo's 30 s and its pause before second 0, in whole bins of the simulator.
LEAD_SECONDS = 32.0
# As a start takes now 8, now 12 s: a threshold that keeps the objective in one second's luck alone is not the best.
STARTS_SECONDS = (START_SECONDS - 2, START_SECONDS, START_SECONDS + 2)

WINDOWS_SECONDS = tuple(round(window / FASTER_WAITS) for window in DOWN_WINDOWS_SECONDS)


class Knob(NamedTuple):
    """`threshold` in requests/s per replica; `window_seconds` of scaleDown."""

    threshold: float
    window_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Attainment from second 60 of the load on, cost of the whole load. The operator has no knob."""

    knob: Knob | None
    cost_dollars: float
    attainment_percent: float


def default_knob(load_per_replica: float) -> Knob:
    """70 % of what a replica carries, and the default window."""
    return Knob(round(DEFAULT_TARGET * load_per_replica, 1), DEFAULT_WINDOW_SECONDS)


def grid(load_per_replica: float) -> list[Knob]:
    """The benchmark's: 0.30 to 1.00 of what a replica carries, three windows."""
    return [
        Knob(round(target * load_per_replica, 1), window)
        for window in WINDOWS_SECONDS
        for target in TARGETS
    ]


def best_in_hindsight(forecasts: Iterable[Forecast]) -> Forecast:
    """The cheapest that meets the objective; where none does, the one with the fewest late requests."""
    tried = list(forecasts)
    good = [one for one in tried if one.attainment_percent >= TARGET_PERCENT]
    if good:
        return min(good, key=lambda one: (one.cost_dollars, -one.attainment_percent))
    return max(tried, key=lambda one: (one.attainment_percent, -one.cost_dollars))


def load_per_replica(scenario: Scenario) -> float:
    """Requests/s, at the pace of the race, at which a replica just meets the objective."""
    return steady_state_of(scenario).largest_load * FASTER_LOOPS


def forecast(trace: Trace, settings: DemoSettings, knobs: Sequence[Knob]) -> Iterator[Forecast]:
    """Each knob with each of the start-ups."""
    scenarios = [scenario_of(trace, settings, seconds) for seconds in STARTS_SECONDS]
    for knob in knobs:
        yield worst_of([_run(scenario, settings, knob) for scenario in scenarios])


def forecast_of_operator(trace: Trace, settings: DemoSettings) -> Forecast:
    """The operator's own decisions, with each of the start-ups."""
    scenarios = [scenario_of(trace, settings, seconds) for seconds in STARTS_SECONDS]
    return worst_of([_run_operator(scenario, settings) for scenario in scenarios])


def worst_of(forecasts: Sequence[Forecast]) -> Forecast:
    """With any start-up: the lowest attainment, the mean cost."""
    return Forecast(
        knob=forecasts[0].knob,
        cost_dollars=sum(one.cost_dollars for one in forecasts) / len(forecasts),
        attainment_percent=min(one.attainment_percent for one in forecasts),
    )


def _run(scenario: Scenario, settings: DemoSettings, knob: Knob) -> Forecast:
    rules = _rules(knob, steady_state_of(scenario).largest_load)
    world = new_world(scenario, replicas=settings.first_replicas)
    state = keda.new_state(rules, int(world.counts[LIVE]))
    run_keda(world, rules, state)
    course = outcome_of(world, scenario, name="keda", kind="baseline").course
    return forecast_of(knob, course, settings.measured_from_seconds)


def _run_operator(scenario: Scenario, settings: DemoSettings) -> Forecast:
    world = new_world(scenario, replicas=settings.first_replicas)
    run_ours(Operator(scenario), world)
    course = outcome_of(world, scenario, name="ours", kind="ours").course
    return forecast_of(None, course, settings.measured_from_seconds)


def forecast_of(knob: Knob | None, course: Course, measured_from_seconds: float) -> Forecast:
    """Late from second 60 of the load on, dollars from its second 0."""
    begin = round(LEAD_SECONDS * FASTER_LOOPS / course.width_seconds)
    counted = begin + round(measured_from_seconds * FASTER_LOOPS / course.width_seconds)
    late = course.late[counted:].sum() / course.requests[counted:].sum()
    return Forecast(
        knob=knob,
        cost_dollars=float(course.dollars[begin:].sum()) / FASTER_LOOPS,
        attainment_percent=100 * (1 - float(late)),
    )


def scenario_of(
    trace: Trace, settings: DemoSettings, start_seconds: float = START_SECONDS
) -> Scenario:
    """The demo's fleet, 7.5 times as slow, after the demo's steady traffic."""
    return Scenario(
        policy=_policy(settings),
        traffic=from_times(_arrivals(trace, settings) * FASTER_LOOPS, STEP_SECONDS),
        service=Service(
            fixed_seconds=FIXED_SECONDS,
            per_item_seconds=PER_ITEM_SECONDS,
            max_batch=settings.model.max_batch_size,
        ).stretched(FASTER_LOOPS),
        price_per_hour=settings.node_per_hour,
        price_source="assumed",
        start_seconds=start_seconds * FASTER_LOOPS,
        metric_lag_seconds=METRIC_LAG_SECONDS * FASTER_LOOPS,
        scrape_seconds=settings.scrape_interval_seconds * FASTER_LOOPS,
        tick_seconds=settings.tick_seconds * FASTER_LOOPS,
        drain_seconds=(DRAIN_SECONDS + settings.empty_node_seconds) * FASTER_LOOPS,
        routing=Routing.LEAST_REQUEST,
        fidelity=Fidelity.REQUEST,
        exclude_first_seconds=0.0,
        seed=trace.seed,
        stretch=FASTER_LOOPS,
    )


def _arrivals(trace: Trace, settings: DemoSettings) -> Floats:
    before = poisson_arrivals(
        np.array([settings.warm_up_per_second]), settings.warm_up_seconds, trace.seed
    )
    arrivals: Floats = np.concatenate((before, trace.arrivals() + LEAD_SECONDS))
    return arrivals


def _policy(settings: DemoSettings) -> Policy:
    fleet = settings.fleet
    target = TargetRef(api_version="apps/v1", kind="Deployment", name=fleet.name)
    bounds = Variant(
        name=fleet.name, target=target, min_replicas=1, max_replicas=settings.max_replicas
    )
    return Policy(
        key=PolicyKey(namespace=fleet.namespace, name=fleet.name, uid="race"),
        generation=1,
        created_at=0.0,
        mode=Mode.ENFORCE,
        variants=(bounds,),
        objective=LatencyObjective(
            threshold_seconds=settings.objective_milliseconds / 1000 * FASTER_LOOPS,
            target_fraction=TARGET_PERCENT / 100,
        ),
    )


def _rules(knob: Knob, largest_load: float) -> keda.Knobs:
    period = PERIOD_SECONDS * FASTER_LOOPS
    return keda.DEFAULT._replace(
        target=knob.threshold / FASTER_LOOPS / largest_load,
        up=UP_BY_DEFAULT._replace(pods_period_seconds=period, percent_period_seconds=period),
        down=DOWN_BY_DEFAULT._replace(
            window_seconds=knob.window_seconds * FASTER_LOOPS, percent_period_seconds=period
        ),
    )
