"""One backtest from options to output."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from inference_cost.cli.backtest import fleet, output_file
from inference_cost.cli.backtest.arrivals import Arrivals, read_arrivals
from inference_cost.cli.backtest.history import History, parse_period
from inference_cost.cli.backtest.objects import Objects, read_objects
from inference_cost.cli.backtest.options import (
    FidelityOption,
    Options,
    Output,
    cores,
)
from inference_cost.cli.backtest.page import to_page
from inference_cost.cli.backtest.progress import Report, progress_bar, quiet_children
from inference_cost.cli.backtest.result_model import (
    ArrivalsInput,
    Document,
    FleetDocument,
    to_json,
)
from inference_cost.cli.backtest.result_table import to_csv, to_table
from inference_cost.cli.backtest.results import (
    Clock,
    Finished,
    fleet_document,
    single_document,
)
from inference_cost.cli.backtest.scenarios import (
    Case,
    Surroundings,
    build_case,
    match_policies,
    read_surroundings,
    without_effect,
)
from inference_cost.cli.backtest.text_file import FileRead
from inference_cost.cli.failure import CommandError
from inference_cost.model.policy import Policy
from inference_cost.simulate.traffic import Traffic

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Demand:
    """Policies with their traffic and its record, in the order of `-f`. `fleet`: given as that of many policies."""

    policies: tuple[tuple[Policy, Traffic, ArrivalsInput], ...]
    files: tuple[FileRead, ...]
    fleet: bool
    notes: tuple[str, ...] = ()


def run(options: Options) -> None:
    """Read, replay, write.

    Raises:
        CommandError: something is wrong with what was given, or the result cannot be written.
    """
    output_file.require_writable(options.output_file)
    with quiet_children(), progress_bar() as report:
        started = time.perf_counter()
        objects = read_objects(options.files, namespace=_namespace(options))
        around = read_surroundings(options, objects)
        demand = read_demand(options, objects)
        cases = [
            (build_case(options, around, policy, traffic, record.origin_seconds), record)
            for policy, traffic, record in demand.policies
        ]
        read = time.perf_counter()
        finished = _replay(options, cases, report)
        clock = Clock(read=read - started, simulate=time.perf_counter() - read)
    document = _document(options, around, demand, finished, clock if options.timings else None)
    output_file.write(_text(options.output, document, finished), options.output_file)


def _namespace(options: Options) -> str:
    return options.cluster.namespace or DEFAULT_NAMESPACE


def read_demand(options: Options, objects: Objects) -> Demand:
    """Arrivals from the file or from Prometheus.

    Raises:
        CommandError: they cannot be read, or do not fit the policies.
    """
    if options.history.since:
        return _history(options, objects)
    arrivals = read_arrivals(
        options.arrivals,
        column=options.column,
        rate_column=options.rate_column,
        keep_times=options.fidelity is FidelityOption.REQUEST,
    )
    matched = match_policies(objects.policies, arrivals.traffic)
    return _without_idle(
        Demand(
            policies=tuple(
                (policy, arrivals.traffic[name], _record(arrivals, name))
                for policy, name in matched
            ),
            files=(arrivals.file,),
            fleet=arrivals.by_policy,
        )
    )


def _record(arrivals: Arrivals, name: str) -> ArrivalsInput:
    return ArrivalsInput(
        form=arrivals.form,
        column=arrivals.column,
        width_seconds=float(f"{arrivals.traffic[name].width_seconds:.9g}"),
        origin_seconds=arrivals.origins[name],
        history=None,
    )


def _without_idle(demand: Demand) -> Demand:
    """Nothing can be said of a policy without a request; it does not stop the others, and is told.

    Raises:
        CommandError: no policy has any.
    """
    busy = tuple(one for one in demand.policies if one[1].requests > 0)
    idle = [str(policy.key) for policy, traffic, _ in demand.policies if traffic.requests <= 0]
    if not busy:
        raise CommandError(f"{', '.join(idle[:3])}: no request: there is nothing to replay")
    notes = (*demand.notes, *(f"{name}: it had no request and is left out" for name in idle))
    return replace(demand, policies=busy, notes=notes)


def _history(options: Options, objects: Objects) -> Demand:
    if not objects.policies:
        raise CommandError("-f holds no InferenceCostPolicy; add one")
    period = parse_period(options.history)
    history = History(options.history)
    return _without_idle(
        Demand(
            policies=tuple((one, *history.arrivals(one, period)) for one in objects.policies),
            files=(),
            fleet=len(objects.policies) > 1,
        )
    )


def _replay(
    options: Options, cases: Sequence[tuple[Case, ArrivalsInput]], report: Report
) -> list[Finished]:
    question = fleet.Question(against=options.against, tuned=options.tuned, bound=options.bound)
    scenarios = [case.scenario for case, _ in cases]
    jobs = options.jobs or cores()
    if len(scenarios) == 1 and not options.scheduler:
        comparisons = [fleet.compare_one(scenarios[0], question, jobs=jobs, report=report)]
    else:
        comparisons = fleet.compare_fleet(
            scenarios, question, jobs=jobs, scheduler=options.scheduler, report=report
        )
    return [
        Finished(case=case, comparison=comparison, arrivals=record)
        for (case, record), comparison in zip(cases, comparisons, strict=True)
    ]


def _document(
    options: Options,
    around: Surroundings,
    demand: Demand,
    finished: Sequence[Finished],
    clock: Clock | None,
) -> Document | FleetDocument:
    files, notes = (*around.files, *demand.files), (*demand.notes, *without_effect(options, around))
    if demand.fleet:
        return fleet_document(options, finished, files, clock, notes)
    return single_document(options, finished[0], files, clock, notes)


def _text(output: Output, document: Document | FleetDocument, finished: Sequence[Finished]) -> str:
    match output:
        case Output.JSON:
            return to_json(document)
        case Output.CSV:
            return to_csv(document)
        case Output.HTML:
            return to_page(document, [one.comparison for one in finished])
        case Output.TABLE:
            return to_table(document)
