"""How far a backtest is, on stderr, and only where a person watches."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from inference_cost.cli.backtest.words import TITLES
from inference_cost.cli.failure import ExitCode

Report = Callable[[float, str], None]
"""Called with the share done (0 to 1) and what runs now."""


READING = "reading what is given"
PHASES = {
    "ours": "the policy's own decisions",
    "bound": "the cheapest possible",
    "spot-bound": "the cheapest possible with spot",
}


def plainly(report: Report) -> Report:
    """The same, told what runs by the simulator's names."""
    return lambda share, what: report(
        share, PHASES.get(what) or f"against {TITLES.get(what, what)}"
    )


@contextmanager
def progress_bar() -> Iterator[Report]:
    """A bar with the time left on a terminal; elsewhere nothing is printed."""
    if not sys.stderr.isatty():
        yield lambda _share, _what: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where it is shown
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    # No thread of its own: processes are forked meanwhile.
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    with bar:
        task = bar.add_task(READING, total=1.0)

        def report(share: float, what: str) -> None:
            bar.update(task, completed=share, description=what)
            bar.refresh()

        report(0.0, READING)
        yield report


@contextmanager
def quiet_children() -> Iterator[None]:
    """Ctrl-C interrupts this process alone; processes forked meanwhile end without a word.

    Outside the main thread, where signals cannot be handled, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    here = os.getpid()

    def interrupt(_number: int, _frame: object) -> None:
        if os.getpid() == here:
            raise KeyboardInterrupt
        os._exit(ExitCode.INTERRUPTED)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
