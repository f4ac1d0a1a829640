"""Child processes that never outlive the rig, whatever happens to it.

Each child leads its own process group and is killed by the kernel when this process dies, even by
SIGKILL (see `die_with_parent`). That signal is bound to the *thread* that started the child, so
all children are started by one thread that lives as long as the process.
"""

import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

LAUNCHER = Path(__file__).with_name("die_with_parent.py")
DEFAULT_GRACE_SECONDS = 5.0


class ProcessError(RuntimeError):
    """A child ended when it should not have; the message carries the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start. `environment` replaces the whole environment when given."""

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    directory: Path | None = None


class ManagedProcess:
    """One running child. All waits are in seconds; methods may be called from any thread."""

    def __init__(self, command: Command, popen: "subprocess.Popen[bytes]") -> None:
        self.name = command.name
        self.log = command.log
        self.pid = popen.pid
        self._popen = popen
        # Readable once the child has ended; unlike waitpid it leaves the pid reserved.
        self._pidfd = os.pidfd_open(popen.pid)
        self._reaping = threading.Lock()

    @property
    def running(self) -> bool:
        return not self.wait(timeout_seconds=0)

    @property
    def exit_code(self) -> int | None:
        """Exit status once reaped by `stop` (negative: the signal), None before."""
        return self._popen.returncode

    def wait(self, *, timeout_seconds: float | None) -> bool:
        """Wait for the end of the child (None: for ever); whether it has ended."""
        with self._reaping:
            if self._popen.returncode is not None:
                return True
            pidfd = os.dup(self._pidfd)
        try:
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            return bool(poll.poll(None if timeout_seconds is None else timeout_seconds * 1000))
        finally:
            os.close(pidfd)

    def signal(self, number: signal.Signals) -> None:
        """Signal the child alone, not its group; nothing happens when it has ended."""
        with self._reaping, suppress(ProcessLookupError):
            if self._popen.returncode is None:
                signal.pidfd_send_signal(self._pidfd, number)

    def stop(self, *, grace_seconds: float = DEFAULT_GRACE_SECONDS) -> int:
        """SIGTERM, up to `grace_seconds`, then SIGKILL of what is left of the group."""
        self.signal(signal.SIGTERM)
        self.wait(timeout_seconds=grace_seconds)
        return self.kill()

    def kill(self) -> int:
        """SIGKILL the whole group, reap the child and give its exit status."""
        with self._reaping:
            if self._popen.returncode is not None:
                return self._popen.returncode
            # The pid is not reaped yet, so the group id cannot belong to anyone else.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            code = self._popen.wait()
            os.close(self._pidfd)
            return code

    def log_tail(self, *, lines: int = 15) -> str:
        """Last lines of the log of the child."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def fail_if_ended(self) -> None:
        """Raise `ProcessError` with the end of the log when the child has ended."""
        if not self.running:
            raise ProcessError(f"{self.name} ended early; end of {self.log}:\n{self.log_tail()}")


class ProcessGroup:
    """Children that are stopped together, the last started first."""

    def __init__(self) -> None:
        self._processes: list[ManagedProcess] = []

    def start(self, command: Command) -> ManagedProcess:
        process = start(command)
        self._processes.append(process)
        return process

    def stop_all(self, *, grace_seconds: float = DEFAULT_GRACE_SECONDS) -> None:
        """Stop every child in reverse order; nothing is left afterwards."""
        while self._processes:
            self._processes.pop().stop(grace_seconds=grace_seconds)

    def stop(
        self, process: ManagedProcess, *, grace_seconds: float = DEFAULT_GRACE_SECONDS
    ) -> None:
        """Stop one child and forget it."""
        process.stop(grace_seconds=grace_seconds)
        self._processes.remove(process)

    def __iter__(self) -> Iterator[ManagedProcess]:
        return iter(tuple(self._processes))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()


def start(command: Command) -> ManagedProcess:
    """Start a child in its own group, its output appended to `command.log`.

    A program that cannot be executed shows as an early end with status 127 and a log line.
    """
    command.log.parent.mkdir(parents=True, exist_ok=True)
    return _STARTER.start(command)


def _popen(command: Command) -> "subprocess.Popen[bytes]":
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid())]
    with command.log.open("ab") as log:
        return subprocess.Popen(
            [*launcher, *command.arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=None if command.environment is None else dict(command.environment),
            cwd=command.directory,
            start_new_session=True,
        )


class _StarterThread:
    """Starts children on one thread that ends only with the process."""

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[tuple[Command, Future[ManagedProcess]]] = (
            queue.SimpleQueue()
        )
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self, command: Command) -> ManagedProcess:
        future: Future[ManagedProcess] = Future()
        self._requests.put((command, future))
        with self._lock:  # not alive: first use, or the copy of this process after a fork
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="starter", daemon=True)
                self._thread.start()
        return future.result()

    def _run(self) -> None:
        while True:
            command, future = self._requests.get()
            try:
                future.set_result(ManagedProcess(command, _popen(command)))
            except Exception as error:  # noqa: BLE001  # handed to the thread that waits
                future.set_exception(error)


_STARTER = _StarterThread()
