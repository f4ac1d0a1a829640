"""From comparisons to the document that every form of output is made from."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Literal

import numpy as np

from inference_cost.cli.backtest.knobs import setting
from inference_cost.cli.backtest.notes import of_fleet, policy_notes
from inference_cost.cli.backtest.options import SPOT_RULES, Options
from inference_cost.cli.backtest.result_model import (
    SCHEMA_VERSION,
    ArrivalsInput,
    Bound,
    Document,
    FileInput,
    FleetDocument,
    Hours,
    Inputs,
    Objective,
    Parameters,
    PolicyInputs,
    PolicyResult,
    PriceInput,
    ProfileInput,
    Run,
    RunInputs,
    RunTiming,
    Timings,
    Totals,
    TrafficSummary,
)
from inference_cost.cli.backtest.scenarios import Case
from inference_cost.cli.backtest.text_file import FileRead
from inference_cost.cli.backtest.words import Bounds, sentence
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.outcome import BoundOutcome, Comparison, Outcome
from inference_cost.simulate.traffic import Traffic

PERCENT_PLACES, RATIO_PLACES, HOUR_PLACES, COUNT_PLACES, RATE_PLACES = 4, 4, 3, 1, 4
FACTOR_DIGITS = 9
VERSIONS = ("inference-cost-operator", "numpy", "numba")
ASSUMPTIONS = (
    "One node carries one replica, so that the price of a node is the price of a replica.",
    "A replica is paid for from its order until it has drained.",
    "The policy runs as Enforce, with its own minReplicas, maxReplicas, behavior and headroom, and is not paused.",
    "A request that waits longer than the larger of 30 s and 5 times the threshold is dropped and counts as late.",
)
OURS = "ours"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finished:
    """One policy that was replayed, and where its arrivals come from."""

    case: Case
    comparison: Comparison
    arrivals: ArrivalsInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Seconds that parts of the command took."""

    read: float
    simulate: float


def single_document(
    options: Options,
    finished: Finished,
    files: Sequence[FileRead],
    clock: Clock | None,
    notes: Sequence[str] = (),
) -> Document:
    """`notes`: on the run as a whole."""
    result = policy_result(finished, bound_asked=options.bound)
    shared = run_inputs(options, (finished,), files)
    return Document(
        schema_version=SCHEMA_VERSION,
        policy=result.policy,
        summary=result.summary,
        seed=options.seed,
        inputs=Inputs(**dict(shared), **dict(result.inputs)),
        traffic=result.traffic,
        policies=result.policies,
        bound=result.bound,
        spot_bound=result.spot_bound,
        notes=(*result.notes, *notes),
        timings=_timings((finished,), clock),
    )


def fleet_document(
    options: Options,
    finished: Sequence[Finished],
    files: Sequence[FileRead],
    clock: Clock | None,
    notes: Sequence[str] = (),
) -> FleetDocument:
    """`notes`: on the run as a whole."""
    results = tuple(policy_result(one, bound_asked=options.bound) for one in finished)
    totals = _totals(results)
    seconds = _seconds(results) - options.exclude_first_seconds
    targets = {result.inputs.objective.target_percent for result in results}
    return FleetDocument(
        schema_version=SCHEMA_VERSION,
        summary=sentence(
            f"this fleet of {len(results)}",
            seconds,
            targets.pop() if len(targets) == 1 else None,
            totals.policies,
            Bounds(on_demand=totals.bound, spot=totals.spot_bound),
            fleet=True,
        ),
        seed=options.seed,
        inputs=run_inputs(options, finished, files),
        results=results,
        totals=totals,
        notes=(*of_fleet((one.policy, one.notes) for one in results), *notes),
        timings=_timings(finished, clock),
    )


def _seconds(results: Sequence[PolicyResult]) -> float:
    """From the first start to the last end."""
    starts = [result.inputs.arrivals.origin_seconds for result in results]
    ends = [start + one.traffic.seconds for start, one in zip(starts, results, strict=True)]
    return max(ends) - min(starts)


def policy_result(finished: Finished, *, bound_asked: bool) -> PolicyResult:
    """One policy's numbers, without what it shares with others."""
    case, comparison = finished.case, finished.comparison
    scenario = case.scenario
    inputs = _policy_inputs(finished)
    target = inputs.objective.target_percent
    runs = tuple(_run(one, comparison, target) for one in comparison.outcomes)
    bounds = Bounds(on_demand=_bound(comparison.bound), spot=_bound(comparison.spot_bound))
    return PolicyResult(
        policy=case.full_name,
        summary=sentence(
            case.name,
            scenario.traffic.seconds - scenario.exclude_first_seconds,
            target,
            runs,
            bounds,
        ),
        inputs=inputs,
        traffic=_traffic(scenario.traffic),
        policies=runs,
        bound=bounds.on_demand,
        spot_bound=bounds.spot,
        notes=policy_notes(scenario, comparison, bound_asked=bound_asked),
    )


def _run(outcome: Outcome, comparison: Comparison, target_percent: float) -> Run:
    hours = outcome.replica_hours
    ratio = comparison.ratio_to_bound(outcome)
    attained = _percent(outcome.attained_fraction)
    return Run(
        name=outcome.name,
        kind="ours" if outcome.kind == OURS else "baseline",
        knob=outcome.knob,
        cost_dollars=_money(outcome.cost_dollars),
        replica_hours=Hours(
            on_demand=round(hours.on_demand, HOUR_PLACES),
            spot=round(hours.spot, HOUR_PLACES),
            warm=round(hours.warm, HOUR_PLACES),
        ),
        attainment_percent=attained,
        worst_day_percent=_percent(outcome.worst_day_fraction),
        worst_hour_percent=_percent(outcome.worst_hour_fraction),
        requests=round(outcome.requests, COUNT_PLACES),
        late=round(outcome.late, COUNT_PLACES),
        dropped=round(outcome.dropped, COUNT_PLACES),
        starts=outcome.starts,
        scale_events=outcome.scale_events,
        ratio_to_bound=None if ratio is None else round(ratio, RATIO_PLACES),
        ratio_bound=None if ratio is None else _ratio_bound(spot=outcome.on_spot_market),
        meets_objective=attained >= round(target_percent, PERCENT_PLACES),
        notes=outcome.notes,
    )


def _ratio_bound(*, spot: bool) -> Literal["bound", "spotBound"]:
    return "spotBound" if spot else "bound"


def _bound(bound: BoundOutcome | None) -> Bound | None:
    if bound is None:
        return None
    return Bound(
        cost_dollars=_money(bound.cost_dollars),
        attainment_percent=_percent(bound.attained_fraction),
        duality_gap_dollars=_money(max(bound.duality_gap_dollars, 0.0)),
    )


def _money(amount: float) -> str:
    return f"{max(amount, 0.0):.4f}"


def _percent(fraction: float) -> float:
    return round(100 * min(max(fraction, 0.0), 1.0), PERCENT_PLACES)


def _traffic(traffic: Traffic) -> TrafficSummary:
    peak = float(np.max(traffic.counts)) / traffic.width_seconds
    return TrafficSummary(
        seconds=traffic.seconds,
        requests=round(traffic.requests, COUNT_PLACES),
        mean_rate=round(traffic.mean_rate, RATE_PLACES),
        peak_rate=round(peak, RATE_PLACES),
    )


# --- what went in --------------------------------------------------------------------------------


def _policy_inputs(finished: Finished) -> PolicyInputs:
    case = finished.case
    scenario, variant = case.scenario, case.scenario.policy.variants[0]
    objective = scenario.policy.objective
    assert isinstance(objective, LatencyObjective)  # noqa: S101 - as read
    threshold = objective.threshold_seconds / scenario.stretch
    return PolicyInputs(
        objective=Objective(
            threshold_milliseconds=_digits(threshold * 1000),
            target_percent=_percent(objective.target_fraction),
        ),
        min_replicas=variant.min_replicas,
        max_replicas=variant.max_replicas,
        routing=scenario.routing.value,
        profile=_profile(case),
        price=PriceInput(
            per_replica_hour=f"{case.price.per_hour:.4f}",
            source=case.price.source,
            origin=case.price.origin,
        ),
        stretch=_digits(scenario.stretch),
        spot_zones=scenario.spot.zones if scenario.spot else (),
        arrivals=finished.arrivals,
    )


def _profile(case: Case) -> ProfileInput:
    service = case.profile.service
    return ProfileInput(
        fixed_milliseconds=_digits(service.fixed_seconds * 1e3),
        per_item_milliseconds=_digits(service.per_item_seconds * 1e3),
        max_batch=service.max_batch,
        queue_delay_microseconds=_digits(service.queue_delay_seconds * 1e6),
        instances=service.instances,
        queue_policy=service.queue_policy,
        source=case.profile.source,
    )


def _digits(value: float) -> float:
    return float(f"{value:.{FACTOR_DIGITS}g}")


def run_inputs(
    options: Options, finished: Sequence[Finished], files: Sequence[FileRead]
) -> RunInputs:
    scenario = finished[0].case.scenario
    return RunInputs(
        versions=_versions(),
        files=tuple(FileInput(role=f.role, name=f.name, sha256=f.sha256) for f in files),
        parameters=Parameters(
            mean_replicas=options.mean_replicas,
            start_seconds=None if scenario.start_samples else scenario.start_seconds,
            start_samples=len(scenario.start_samples),
            metric_lag_seconds=options.metric_lag_seconds,
            scrape_seconds=options.scrape_seconds,
            tick_seconds=scenario.tick_seconds,
            missing_percent=options.missing_percent,
            drain_seconds=options.drain_seconds,
            minimum_billing_seconds=options.minimum_billing_seconds,
            exclude_first_seconds=options.exclude_first_seconds,
            notice_seconds=None if scenario.spot is None else scenario.spot.notice_seconds,
            against=options.against,
            tuned=options.tuned,
            bound=options.bound,
            fidelity=options.fidelity.value,
        ),
        assumptions=ASSUMPTIONS,
    )


def _versions() -> dict[str, str]:
    found = {"python": python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def _timings(finished: Iterable[Finished], clock: Clock | None) -> Timings | None:
    if clock is None:
        return None
    return Timings(
        read_seconds=round(clock.read, HOUR_PLACES),
        simulate_seconds=round(clock.simulate, HOUR_PLACES),
        runs=tuple(
            RunTiming(
                policy=one.case.full_name,
                name=outcome.name,
                knob=outcome.knob,
                seconds=round(outcome.seconds, HOUR_PLACES),
                decide_milliseconds_median=_median(outcome),
            )
            for one in finished
            for outcome in one.comparison.outcomes
        ),
    )


def _median(outcome: Outcome) -> float | None:
    median = outcome.decide_milliseconds_median
    return None if median is None else round(median, RATE_PLACES)


# --- all policies together -----------------------------------------------------------------------


def _totals(results: Sequence[PolicyResult]) -> Totals:
    """Sums over the policies of each controller at its default, and at its best knob."""
    bound = _total_bound(results, [result.bound for result in results])
    spot_bound = _total_bound(results, [result.spot_bound for result in results])
    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for result in results:
        for run in result.policies:
            name = OURS if run.kind == OURS else run.name
            groups[name, setting(run.knob)].append(run)
    return Totals(
        policies=tuple(
            _total(name, knob, runs, Bounds(on_demand=bound, spot=spot_bound))
            for (name, knob), runs in groups.items()
            if len(runs) == len(results)
        ),
        bound=bound,
        spot_bound=spot_bound,
    )


def _total(name: str, knob: str, runs: Sequence[Run], bounds: Bounds) -> Run:
    spot = name in SPOT_RULES
    bound = bounds.spot if spot else bounds.on_demand
    cost = sum(float(run.cost_dollars) for run in runs)
    requests, late = sum(run.requests for run in runs), sum(run.late for run in runs)
    hours = [run.replica_hours for run in runs]
    least = float(bound.cost_dollars) if bound else 0.0
    missed = sum(not run.meets_objective for run in runs)
    return Run(
        name=name,
        kind=runs[0].kind,
        knob=knob,
        cost_dollars=_money(cost),
        replica_hours=Hours(
            on_demand=round(sum(one.on_demand for one in hours), HOUR_PLACES),
            spot=round(sum(one.spot for one in hours), HOUR_PLACES),
            warm=round(sum(one.warm for one in hours), HOUR_PLACES),
        ),
        attainment_percent=_percent(1 - late / requests if requests > 0 else 1.0),
        worst_day_percent=min(run.worst_day_percent for run in runs),
        worst_hour_percent=min(run.worst_hour_percent for run in runs),
        requests=round(requests, COUNT_PLACES),
        late=round(late, COUNT_PLACES),
        dropped=round(sum(run.dropped for run in runs), COUNT_PLACES),
        starts=sum(run.starts for run in runs),
        scale_events=sum(run.scale_events for run in runs),
        ratio_to_bound=round(cost / least, RATIO_PLACES) if least > 0 else None,
        ratio_bound=_ratio_bound(spot=spot) if least > 0 else None,
        meets_objective=missed == 0,
        notes=(f"{missed} of {len(runs)} policies miss their objective",) if missed else (),
    )


def _total_bound(results: Sequence[PolicyResult], bounds: Sequence[Bound | None]) -> Bound | None:
    """The sum; None where a policy has none."""
    known = [bound for bound in bounds if bound is not None]
    if len(known) < len(bounds):
        return None
    requests = [result.traffic.requests for result in results]
    attained = sum(b.attainment_percent * n for b, n in zip(known, requests, strict=True))
    return Bound(
        cost_dollars=_money(sum(float(bound.cost_dollars) for bound in known)),
        attainment_percent=round(attained / sum(requests), PERCENT_PLACES),
        duality_gap_dollars=_money(sum(float(bound.duality_gap_dollars) for bound in known)),
    )
