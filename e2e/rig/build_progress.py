"""Shows that a build is going on: one line, renewed each second on a terminal."""

import shutil
import sys
import time
from dataclasses import dataclass

from e2e.rig.processes import ManagedProcess

LINE_EVERY_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildProgress:
    """Follows `go build -v`, whose log has one line per module fetched or package compiled."""

    title: str
    typical_seconds: int

    def follow(self, compiler: ManagedProcess) -> None:
        """Report until the compiler ends."""
        started = time.monotonic()
        self._show(f"building {self.title} (once; typically {_minutes(self.typical_seconds)})")
        seconds = 0
        while not compiler.wait(timeout_seconds=1.0):
            seconds = round(time.monotonic() - started)
            if sys.stderr.isatty() or seconds % LINE_EVERY_SECONDS == 0:
                self._show(f"building {self.title}: {seconds} s, {_steps(compiler)}")
        ended = round(time.monotonic() - started)
        self._show(f"built {self.title} in {ended} s", last=True)

    def _show(self, line: str, *, last: bool = False) -> None:
        if sys.stderr.isatty():
            width = shutil.get_terminal_size().columns - 1  # a wrapped line cannot be renewed
            sys.stderr.write(f"\r\033[K{line[:width]}" + ("\n" if last else ""))
        else:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _steps(compiler: ManagedProcess) -> str:
    lines = compiler.log.read_text(errors="replace").splitlines()
    fetched = sum(line.startswith("go: downloading") for line in lines)
    compiled = len(lines) - fetched
    if compiled:
        return f"{compiled} packages compiled"
    return f"{fetched} modules fetched" if fetched else "linking"


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds} s"
