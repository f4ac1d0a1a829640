"""Runs the cases on all cores: a search for knobs is split within its case, other cases run beside each other."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from benchmarks.replay.plan import LOAD_TIMES, Case, Run
from benchmarks.replay.progress import Progress
from benchmarks.replay.rows import Row, rows_of
from benchmarks.replay.scenarios import largest_load_of, scenario_of
from benchmarks.traces.catalog import LOAD_TIMES as LOAD_TIMES_FILE
from benchmarks.traces.catalog import Trace, load_seconds
from benchmarks.traces.variants import varied
from inference_cost.simulate.backtest import compare
from inference_cost.simulate.scenario import Scenario


def possible(
    runs: Sequence[Run], traces: Sequence[Trace], extra: Path | None
) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """The runs whose files are at hand, and what is skipped for want of which file."""
    missing = {trace.name: trace.missing(extra) for trace in traces}
    no_load_times = load_seconds(extra) is None
    kept, skipped = [], dict[str, None]()
    for run in runs:
        lacks = list(missing[run.case.trace])
        if run.case.start == LOAD_TIMES and no_load_times:
            lacks.append(LOAD_TIMES_FILE)
        if lacks:
            skipped[f"{run.case.trace} ({', '.join(lacks)})"] = None
        else:
            kept.append(run)
    return tuple(kept), tuple(skipped)


class Replays:
    """Runs cases on the given traces."""

    def __init__(
        self, traces: Sequence[Trace], *, extra: Path | None, jobs: int, code: str
    ) -> None:
        self._traces = {trace.name: trace for trace in traces}
        self._extra = extra
        self._jobs = jobs
        self._code = code

    def each(self, runs: Sequence[Run], progress: Progress) -> Iterator[tuple[Row, ...]]:
        """The rows of one finished run after the other: the tuned ones in order, then the others as they end."""
        split = [run for run in runs if run.tuned or self._jobs == 1]
        for run in split:
            rows = self.rows(run, self._jobs, progress)
            progress.end(run, _summary(rows))
            yield rows
        for run, rows in self._beside_each_other([run for run in runs if run not in split]):
            progress.end(run, _summary(rows))
            yield rows

    def _beside_each_other(self, runs: Sequence[Run]) -> Iterator[tuple[Run, tuple[Row, ...]]]:
        """Ours takes longest and is one piece of work, so a case by itself would leave cores idle."""
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(self._jobs, mp_context=context) as executor:
            futures = {executor.submit(self.rows, run): run for run in runs}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise

    def scenario(self, case: Case) -> Scenario:
        whole = self._traces[case.trace].load(
            self._extra, seed=case.seed, factor=case.variant.factor
        )
        drawn_from = load_seconds(self._extra) if case.start == LOAD_TIMES else None
        return scenario_of(
            case, varied(whole, case.variant), largest_load_of(case), drawn_from or ()
        )

    def rows(self, run: Run, jobs: int = 1, progress: Progress | None = None) -> tuple[Row, ...]:
        """One run."""
        case, scenario = run.case, self.scenario(run.case)
        comparison = compare(
            scenario,
            against=run.against,
            tuned=run.tuned,
            bound=True,
            jobs=jobs,
            progress=partial(progress.inside, run) if progress else None,
        )
        return rows_of(case, scenario, comparison, self._code)


def _summary(rows: Sequence[Row]) -> str:
    """Ours in a few words."""
    ours = rows[0]
    ratio = "no bound" if ours.ratio_to_bound is None else f"{ours.ratio_to_bound:.3f} × the bound"
    return f"{ours.policy}: {ratio}, {ours.attainment_percent:.2f} % in time"
