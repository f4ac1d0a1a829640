"""One baseline at one knob, and the knob that would have been cheapest in hindsight."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from inference_cost.simulate.baselines.registry import AUTOSCALERS, SPOT
from inference_cost.simulate.baselines.static import peak_replicas
from inference_cost.simulate.outcome import Outcome
from inference_cost.simulate.phases import phases
from inference_cost.simulate.result import outcome_of
from inference_cost.simulate.runs import RUNS, run_static
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.world.look import STABLE_SECONDS
from inference_cost.simulate.world.new import limits, new_world, objective_of
from inference_cost.simulate.world.state import LIVE

STATIC = "static"
STATIC_IN_HINDSIGHT = "static99"
NEVER = "no knob of the grid meets the objective: the one with the fewest late requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A baseline at a knob of its grid; `knob` -1 is the default."""

    name: str
    knob: int = -1


def run_trial(scenario: Scenario, trial: Trial) -> Outcome:
    """One whole run."""
    begin = time.perf_counter()
    baseline = AUTOSCALERS[trial.name]
    knobs = baseline.default if trial.knob < 0 else baseline.grid[trial.knob]
    world = new_world(scenario)
    state = baseline.new_state(knobs, int(world.counts[LIVE]))
    for phase in phases(world, scenario):
        RUNS[trial.name](phase, knobs, state)
    how = "default" if trial.knob < 0 else "tuned"
    return outcome_of(
        world,
        scenario,
        name=trial.name,
        kind="baseline",
        knob=f"{how}: {baseline.label(knobs)}",
        seconds=time.perf_counter() - begin,
    )


def trials(names: Iterable[str], *, tuned: bool) -> list[Trial]:
    """The defaults, and with `tuned` every knob of the grids."""
    found, baselines = [], AUTOSCALERS | SPOT
    for name in names:
        found.append(Trial(name=name))
        if tuned:
            grid = baselines[name].grid if name in baselines else ()  # our own have no knob
            found.extend(Trial(name=name, knob=i) for i in range(len(grid)))
    return found


def cheapest(outcomes: Iterable[Outcome], target_fraction: float) -> Outcome:
    """The cheapest that meets the target; where none does, the one with the fewest late requests, with a note."""
    tried = list(outcomes)
    good = [one for one in tried if one.attained_fraction >= target_fraction]
    if good:
        return min(good, key=lambda one: (one.cost_dollars, -one.attained_fraction))
    best = max(tried, key=lambda one: (one.attained_fraction, -one.cost_dollars))
    return replace(best, notes=(*best.notes, NEVER))


def run_peak(scenario: Scenario, load_per_replica: float) -> Outcome:
    """As many replicas as the busiest minute needs, all the time."""
    return _run_constant(scenario, STATIC, _peak(scenario, load_per_replica))


def _peak(scenario: Scenario, load_per_replica: float) -> int:
    counts = scenario.traffic.rebinned(STABLE_SECONDS)
    return int(peak_replicas(counts / STABLE_SECONDS, load_per_replica))


def run_constant_in_hindsight(scenario: Scenario, load_per_replica: float) -> Outcome:
    """The smallest constant number of replicas that meets the objective."""
    target = objective_of(scenario).target_fraction
    lowest, highest = max(limits(scenario)[0], 1), limits(scenario)[1]
    found: Callable[[int], Outcome] = lambda count: _run_constant(  # noqa: E731 - a partial with a type
        scenario, STATIC_IN_HINDSIGHT, count
    )
    # A run takes as long as it has replicas: those of the peak mostly do, long before the policy's maximum.
    middle = min(max(_peak(scenario, load_per_replica), lowest), highest)
    while lowest < highest:
        if found(middle).attained_fraction >= target:
            highest = middle
        else:
            lowest = middle + 1
        middle = (lowest + highest) // 2
    best = found(lowest)
    return best if best.attained_fraction >= target else replace(best, notes=(NEVER,))


def _run_constant(scenario: Scenario, name: str, count: int) -> Outcome:
    lowest, highest = limits(scenario)
    count = min(max(count, lowest), highest)
    world = new_world(scenario, replicas=count)
    begin = time.perf_counter()
    for phase in phases(world, scenario):
        run_static(phase)
    took = time.perf_counter() - begin
    knob = f"{count} replicas"
    return outcome_of(world, scenario, name=name, kind="baseline", knob=knob, seconds=took)
