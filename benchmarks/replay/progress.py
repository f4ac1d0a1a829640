"""Says what is running and how long it will take."""

import sys
import time
from collections.abc import Sequence

from benchmarks.replay.plan import Run
from benchmarks.traces.catalog import FAULT_TRACES, QUICK_TRACES, TRACES

TUNED_WEIGHT = 8.0  # a run that searches for the best knobs, against one that does not
LEAST_DAYS = 0.5  # compilation and curves take their time with the shortest trace as well
_DAYS = {trace.name: trace.days for trace in QUICK_TRACES + TRACES + FAULT_TRACES}


def weight(run: Run) -> float:
    """About proportional to the time that a run takes."""
    days = max(_DAYS[run.case.trace], LEAST_DAYS)
    return days * (TUNED_WEIGHT if run.tuned else 1.0) * (len(run.against) + 2)


class Progress:
    """One line per finished run on standard error; on a terminal also what is going on inside a tuned one."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._total = sum(map(weight, runs))
        self._count = len(runs)
        self._done = 0.0
        self._number = 0
        self._begin = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._begin

    def inside(self, run: Run, share: float, what: str) -> None:
        if sys.stderr.isatty():
            done = self._done + share * weight(run)
            self._say(f"\r\033[K    {run.case}: {100 * share:3.0f} % {what}{self._left(done)}")

    def end(self, run: Run, text: str) -> None:
        self._done += weight(run)
        self._number += 1
        clear = "\r\033[K" if sys.stderr.isatty() else ""
        tuned = ", tuned" if run.tuned else ""
        place = f"[{self._number}/{self._count}] {run.case}{tuned}"
        self._say(f"{clear}{place}: {text}; {self.seconds:.0f} s{self._left(self._done)}\n")

    def _left(self, done: float) -> str:
        if not done:
            return ""
        return f", about {self.seconds * (self._total - done) / done / 60:.0f} min left"

    def _say(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
