"""Replays the development traces: every figure of docs/benchmarks.md, or a short check against getting worse.

python -m benchmarks.replay --data FOLDER          all of it (hours), then renders docs/benchmarks.md
python -m benchmarks.replay --only mlarge          one trace; other rows of the results stay
python -m benchmarks.replay --ours                 ours only; rows of other policies stay
python -m benchmarks.replay --faults               when things go wrong, rows of their own (ten minutes)
python -m benchmarks.replay --frontiers            all knobs of others where ours is compared at less than 99 %
python -m benchmarks.replay --render               the page again from the results
python -m benchmarks.replay --quick --check        fails when ours got worse than benchmarks/recorded.json
python -m benchmarks.replay --quick --record       writes benchmarks/recorded.json
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.replay import frontier, regression
from benchmarks.replay.environment import ROOT, code_hash, facts
from benchmarks.replay.page import page
from benchmarks.replay.plan import Run, faulty, full, quick
from benchmarks.replay.progress import Progress
from benchmarks.replay.rows import NO_RESULTS, Results, Row, from_csv, merged, to_csv
from benchmarks.replay.run import Replays, possible
from benchmarks.traces.catalog import FAULT_TRACES, QUICK_TRACES, TRACES

RESULTS = ROOT / "benchmarks" / "results" / "replay.csv"
FAULTS = ROOT / "benchmarks" / "results" / "faults.csv"
FRONTIERS = ROOT / "benchmarks" / "results" / "frontiers.csv"
PAGE = ROOT / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1: ours got worse."""
    options = _options(arguments)
    if options.render:
        return _render(options)
    if options.frontiers:
        return _frontiers(options)
    return _quick(options) if options.quick else _full(options)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, metavar="FOLDER", help="traces that may not be passed on")
    add("--only", metavar="TRACE[,TRACE]", help="these traces only")
    add("--ours", action="store_true", help="ours only; rows of other policies stay")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    add("--faults", action="store_true", help="the runs in which things go wrong")
    add("--frontiers", action="store_true", help="all knobs of others, where ours misses")
    add("--output", type=Path, metavar="CSV", help="where rows are kept")
    add("--page", type=Path, default=PAGE, metavar="MD", help="the page rendered from them")
    add("--recorded", type=Path, default=regression.RECORDED, metavar="JSON", help="of --check")
    add("--render", action="store_true", help="render only")
    add("--quick", action="store_true", help="the short version; writes neither rows nor page")
    add("--check", action="store_true", help="with --quick: fail when ours got worse")
    add("--record", action="store_true", help="with --quick: write what --check compares with")
    options = parser.parse_args(arguments)
    if (options.check or options.record) and not options.quick:
        parser.error("--check and --record need --quick")
    if options.data is not None and not options.data.is_dir():
        parser.error(f"--data: {options.data} is not a folder")
    options.traces = TRACES
    if options.quick or options.faults:
        options.traces = QUICK_TRACES if options.quick else FAULT_TRACES
    known = {trace.name for trace in options.traces}
    options.output = options.output or (FAULTS if options.faults else RESULTS)
    options.only = set(options.only.split(",")) if options.only else known
    if options.record and options.only != known:
        parser.error("--record writes all cases; leave out --only")
    if options.only - known:
        parser.error(f"--only: the traces are {', '.join(sorted(known))}")
    return options


def _chosen(runs: Sequence[Run], options: argparse.Namespace) -> tuple[Run, ...]:
    return tuple(run for run in runs if run.case.trace in options.only)


def _full(options: argparse.Namespace) -> int:
    planned = faulty() if options.faults else full()
    chosen = _chosen(planned, options)
    if options.ours:
        chosen = tuple(replace(run, against=(), tuned=False) for run in chosen)
    runs, skipped = possible(chosen, options.traces, options.data)
    for what in skipped:
        print(f"skipped: {what}", file=sys.stderr)
    replays = Replays(options.traces, extra=options.data, jobs=options.jobs, code=code_hash())
    progress = Progress(runs)
    rows = _known(options.output)
    order = [run.case for run in planned]
    for new in replays.each(runs, progress):
        rows = merged(rows, new, order, ours_only=options.ours)
        about = facts(_command(options), progress.seconds, "; ".join(skipped))
        _write(options.output, to_csv(Results(facts=about, rows=rows)))
    return _render(options)


def _frontiers(options: argparse.Namespace) -> int:
    cases = frontier.cases_of(_known(options.output))
    runs, skipped = possible(
        _chosen([Run(case=case) for case in cases], options), options.traces, options.data
    )
    for what in skipped:
        print(f"skipped: {what}", file=sys.stderr)
    replays = Replays(options.traces, extra=options.data, jobs=options.jobs, code=code_hash())
    points = _points(FRONTIERS)
    for run in runs:
        print(run.case, file=sys.stderr)
        new = frontier.points_of(run.case, replays.scenario(run.case), options.jobs)
        points = frontier.replaced(points, new)
        _write(FRONTIERS, frontier.to_csv(points))
    return _render(options)


def _points(path: Path) -> tuple[frontier.Point, ...]:
    return frontier.from_csv(path.read_text()) if path.exists() else ()


def _known(path: Path) -> tuple[Row, ...]:
    return from_csv(path.read_text()).rows if path.exists() else ()


def _command(options: argparse.Namespace) -> str:
    """As to be repeated, without paths of this machine."""
    words = ["python -m benchmarks.replay"]
    if options.data:
        words.append("--data FOLDER")
    if options.faults:
        words.append("--faults")
    if options.only != {trace.name for trace in options.traces}:
        words.append(f"--only {','.join(sorted(options.only))}")
    if options.ours:
        words.append("--ours")
    return " ".join(words)


def _quick(options: argparse.Namespace) -> int:
    runs = _chosen(quick(), options)
    replays = Replays(QUICK_TRACES, extra=None, jobs=options.jobs, code=code_hash())
    rows = [row for some in replays.each(runs, Progress(runs)) for row in some]
    measured = regression.figures(merged([], rows, [run.case for run in runs]))
    for case, found in measured.items():
        print(f"{case}: {found.ratio_to_bound:.4f} × bound, {found.attainment_percent:.3f} %")
    if options.record:
        regression.write(measured, options.recorded)
    return _check(measured, runs, options.recorded) if options.check else 0


def _check(measured: dict[str, regression.Figures], runs: Sequence[Run], path: Path) -> int:
    """With --only, what is recorded of the other traces is left alone."""
    others = {str(run.case) for run in quick() if run not in runs}
    recorded = regression.read(path)
    compared = {case: found for case, found in recorded.items() if case not in others}
    found = regression.regressions(compared, measured)
    for text in found:
        print(f"WORSE {text}")
    return 1 if found else 0


def _render(options: argparse.Namespace) -> int:
    results, faults = options.output, FAULTS
    if options.faults:
        results, faults = RESULTS, options.output
    _write(options.page, page(_results(results), _results(faults), _points(FRONTIERS)))
    return 0


def _results(path: Path) -> Results:
    return from_csv(path.read_text()) if path.exists() else NO_RESULTS


def _write(path: Path, text: str) -> None:
    """All of it or nothing: a stop in between leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text)
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
