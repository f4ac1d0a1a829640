"""A policy against the rules of other autoscalers and against the cheapest possible, on the same traffic."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Final

import numpy as np

from inference_cost.simulate import bound_spot
from inference_cost.simulate.baselines.registry import AUTOSCALERS, SPOT
from inference_cost.simulate.bound import lower_bound
from inference_cost.simulate.bound_dual import TooManyLateError
from inference_cost.simulate.ours import Operator, run_ours
from inference_cost.simulate.outcome import (
    BoundOutcome,
    Comparison,
    Floats,
    Outcome,
    ReplicaSchedule,
)
from inference_cost.simulate.result import outcome_of
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.spot.market import cheapest_by_step
from inference_cost.simulate.spot.priced import OWN, run_own_placement
from inference_cost.simulate.spot.trial import run_placement
from inference_cost.simulate.tuning import (
    STATIC,
    STATIC_IN_HINDSIGHT,
    Trial,
    cheapest,
    run_constant_in_hindsight,
    run_peak,
    run_trial,
    trials,
)
from inference_cost.simulate.world.new import (
    STEP_SECONDS,
    excluded_bins,
    limits,
    new_world,
    objective_of,
    steady_state_of,
)

Progress = Callable[[float, str], None]
"""Called with the share done (0 to 1) and what is running now."""

ON_SPOT: Final = (*OWN, *SPOT)
KNOWN: Final = (*AUTOSCALERS, STATIC, STATIC_IN_HINDSIGHT, *ON_SPOT)
OURS_SECONDS: Final = 60.0  # of work, relative to one run of a baseline: for the progress alone
DECISION_SECONDS: Final = 0.001  # of work per tick, likewise
TELL_SECONDS: Final = 1.0
MOST_ESTIMATED: Final = 0.95
NO_TRIAL: Final = Trial(name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of a comparison that can run in a process of its own."""

    kind: str  # "ours", "bound", "spot-bound", "constant", "placement" or "trial"
    trial: Trial = NO_TRIAL
    weight: float = 1.0


def compare(
    scenario: Scenario,
    *,
    against: Sequence[str] = (),
    tuned: bool = False,
    bound: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Comparison:
    """Run ours, the named baselines at their default (and, with `tuned`, at their hindsight-best knob), the bound.

    Raises:
        ValueError: the scenario cannot be run; the message names the field and the fix.
    """
    check(scenario, against)
    steady_state_of(scenario)  # here, so that the processes inherit it
    tasks = _tasks(scenario, against, tuned=tuned, bound=bound)
    placements = _placements(against, tuned=tuned)
    done: dict[Task, Outcome | BoundOutcome | None] = {}
    total = sum(task.weight for task in (*tasks, *placements))

    shares: dict[Task, float] = {}

    def tell(task: Task, share: float) -> None:
        shares[task] = share
        if progress is not None:
            weight = sum(one.weight * part for one, part in shares.items())
            progress(weight / total, task.trial.name or task.kind)

    with _executor(jobs if len(tasks) > 1 else 1) as executor:
        for task, result in _run_both(scenario, tasks, placements, executor, tell):
            done[task] = result
            tell(task, 1.0)
    return _put_together(scenario, against, done)


def check(scenario: Scenario, against: Sequence[str]) -> None:
    """Whether this can be run.

    Raises:
        ValueError: as `compare`.
    """
    unknown = [name for name in against if name not in KNOWN]
    if unknown:
        raise ValueError(f"--against: unknown {', '.join(unknown)}; known are {', '.join(KNOWN)}")
    if scenario.traffic.requests <= 0:
        raise ValueError("--arrivals: there is not a single request in the traffic")
    if scenario.exclude_first_seconds >= scenario.traffic.seconds:
        raise ValueError(
            f"--exclude-first-seconds: {scenario.exclude_first_seconds:g} s leave nothing of "
            f"{scenario.traffic.seconds:g} s of traffic; choose less"
        )
    if scenario.spot is None and any(name in ON_SPOT for name in against):
        raise ValueError("--against: spot rules need --spot-availability and a spot CapacityPool")
    objective_of(scenario)


def _tasks(scenario: Scenario, against: Sequence[str], *, tuned: bool, bound: bool) -> list[Task]:
    """The longest first, so that the processes end together."""
    tasks = [Task(kind="ours", weight=OURS_SECONDS)]
    if bound and scenario.spot is not None:
        tasks.append(Task(kind="spot-bound", weight=10.0))
    if bound:
        tasks.append(Task(kind="bound", weight=3.0))
    autoscalers = [name for name in against if name in AUTOSCALERS]
    constants = [name for name in against if name in (STATIC, STATIC_IN_HINDSIGHT)]
    tasks += [Task(kind="trial", trial=trial) for trial in trials(autoscalers, tuned=tuned)]
    tasks += [Task(kind="constant", trial=Trial(name=name)) for name in constants]
    return tasks


def _placements(against: Sequence[str], *, tuned: bool) -> list[Task]:
    """Of the replicas that ours orders: they wait for it."""
    names = [name for name in against if name in ON_SPOT]
    return [Task(kind="placement", trial=trial) for trial in trials(names, tuned=tuned)]


@contextmanager
def _executor(jobs: int) -> Iterator[Executor | None]:
    if jobs <= 1:
        yield None
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(jobs, mp_context=context) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _run_both(
    scenario: Scenario,
    tasks: Sequence[Task],
    placements: Sequence[Task],
    executor: Executor | None,
    tell: Callable[[Task, float], None],
) -> Iterator[tuple[Task, Outcome | BoundOutcome | None]]:
    demand = None
    for task, result in _run_all(scenario, tasks, executor, tell):
        if isinstance(result, Outcome) and result.ordered is not None:
            demand = result.ordered
        yield task, result
    yield from _run_all(scenario, placements, executor, tell, demand)


def _run_all(
    scenario: Scenario,
    tasks: Sequence[Task],
    executor: Executor | None,
    tell: Callable[[Task, float], None],
    demand: ReplicaSchedule | None = None,
) -> Iterator[tuple[Task, Outcome | BoundOutcome | None]]:
    if executor is None:
        for task in tasks:
            yield task, _run(scenario, task, demand, partial(tell, task))
        return
    begin = time.perf_counter()
    running = {executor.submit(_run, scenario, task, demand): task for task in tasks}
    while running:
        ended, _ = wait(running, timeout=TELL_SECONDS, return_when=FIRST_COMPLETED)
        for future in ended:
            yield running.pop(future), future.result()
        for task in running.values():
            if not ended and task.kind == "ours":
                tell(task, _estimate(scenario, time.perf_counter() - begin))


def _estimate(scenario: Scenario, seconds: float) -> float:
    """Share of ours that another process has probably done by now."""
    ticks = scenario.traffic.seconds / scenario.tick_seconds
    return min(seconds / (ticks * DECISION_SECONDS), MOST_ESTIMATED)


def _run(
    scenario: Scenario,
    task: Task,
    demand: ReplicaSchedule | None,
    progress: Callable[[float], None] | None = None,
) -> Outcome | BoundOutcome | None:
    """`demand` is for placements alone, `progress` for ours."""
    if demand is not None:
        own = task.trial.name in OWN
        place = run_own_placement if own else run_placement
        return place(scenario, task.trial, demand)
    if task.kind == "ours":
        return ours(scenario, progress)
    if task.kind in ("bound", "spot-bound"):
        return bound_of(scenario, spot=task.kind == "spot-bound")
    if task.kind == "trial":
        return run_trial(scenario, task.trial)
    constant = run_peak if task.trial.name == STATIC else run_constant_in_hindsight
    return constant(scenario, steady_state_of(scenario).largest_load)


def ours(scenario: Scenario, progress: Callable[[float], None] | None = None) -> Outcome:
    """The operator's decisions from the first to the last tick. `progress`: as of `run_ours`."""
    begin = time.perf_counter()
    world, operator = new_world(scenario), Operator(scenario)
    ordered = run_ours(operator, world, progress)
    found = outcome_of(
        world,
        scenario,
        name=scenario.policy.key.name,
        kind="ours",
        seconds=time.perf_counter() - begin,
        decide_milliseconds_median=float(np.median(operator.seconds)) * 1000
        if operator.seconds
        else None,
    )
    return replace(found, ordered=ordered)


def bound_of(
    scenario: Scenario, late_fraction: float | None = None, *, spot: bool = False
) -> BoundOutcome | None:
    """The bound at the objective's late share, or at another; None where not even `maxReplicas` get there.

    With `spot` also from the scenario's market. The policy's limits do not bind then, as they do not bind the spot
    rules: SpotHedge runs more replicas.
    """
    first = excluded_bins(scenario)
    counts = scenario.traffic.rebinned(STEP_SECONDS)[first:]
    lowest, highest = limits(scenario)
    allowed = 1.0 - objective_of(scenario).target_fraction
    late_fraction = allowed if late_fraction is None else late_fraction
    counts, late_fraction = _as_for_slower_servers(scenario, counts, late_fraction)
    starts = scenario.start_samples or (scenario.start_seconds,)
    warm = (scenario.warm_start_seconds,) if scenario.warm_replicas else ()
    market = _market(scenario, first, len(counts)) if spot else None
    try:
        found = lower_bound(
            counts,
            step_seconds=STEP_SECONDS,
            goodput_per_second=steady_state_of(scenario).largest_goodput,
            price_per_hour=float(scenario.price_per_hour),
            start_seconds=min((*starts, *warm)),
            late_fraction=late_fraction,
            minimum_billing_seconds=scenario.minimum_billing_seconds,
            min_replicas=lowest if market is None else 0,
            max_replicas=highest if market is None else None,
            spot=market,
        )
    except TooManyLateError:
        return None
    return BoundOutcome(
        cost_dollars=found.cost_dollars,
        attained_fraction=found.attainment,
        duality_gap_dollars=found.duality_gap_dollars,
    )


def _as_for_slower_servers(
    scenario: Scenario, counts: Floats, late_fraction: float
) -> tuple[Floats, float]:
    """Where servers get slower, each request counts as many as it takes the place of.

    Of these as many may be late as there are in the heaviest requests that may: so it stays a lower bound.
    """
    faults = scenario.faults
    if faults.slower_from == inf:
        return counts, late_fraction
    slower = replace(scenario, service=scenario.service.stretched(faults.slower_factor))
    fast, slow = (steady_state_of(one).largest_goodput for one in (scenario, slower))
    times = (np.arange(len(counts)) + excluded_bins(scenario)) * STEP_SECONDS
    weighted = np.where(times < faults.slower_from, 1.0, fast / slow) * counts
    return weighted, late_fraction * fast / slow * float(counts.sum() / weighted.sum())


def _market(scenario: Scenario, first: int, steps: int) -> bound_spot.SpotMarket | None:
    """The scenario's market in the counted steps."""
    if scenario.spot is None:
        return None
    found = cheapest_by_step(scenario.spot, steps=first + steps, step_seconds=STEP_SECONDS)
    return bound_spot.SpotMarket(price_per_hour=found.price_per_hour[first:])


def _put_together(
    scenario: Scenario,
    against: Sequence[str],
    done: dict[Task, Outcome | BoundOutcome | None],
) -> Comparison:
    """Ours first, then the baselines as they were asked for: the default, then the best knob."""
    target = objective_of(scenario).target_fraction
    outcomes = {task: one for task, one in done.items() if isinstance(one, Outcome)}
    rows = [one for task, one in outcomes.items() if task.kind == "ours"]
    for name in against:
        mine = {task.trial.knob: one for task, one in outcomes.items() if task.trial.name == name}
        if -1 in mine:
            rows.append(mine.pop(-1))
        if mine:
            rows.append(cheapest((mine[knob] for knob in sorted(mine)), target))
    bounds = {task.kind: one for task, one in done.items() if isinstance(one, BoundOutcome)}
    return Comparison(
        outcomes=tuple(rows), bound=bounds.get("bound"), spot_bound=bounds.get("spot-bound")
    )
