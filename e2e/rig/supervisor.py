"""A cluster that runs in the background: one process owns it, others start and stop that one.

The owner holds a lock in the state folder for its life, so that "is it running" has one answer
even after a crash; its children die with it.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from e2e.rig import cluster as clusters
from e2e.rig.cluster import Cluster, NoClusterError
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.kube import KubeClient, wait_for
from e2e.rig.kwok.nodes import add_nodes, kwok_node

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 30.0
WATCH_SECONDS = 1.0


class SupervisorError(RuntimeError):
    """The background process did not do what it was asked to; the message has its log."""


def serve(settings: ControlPlaneSettings, *, kwok_nodes: int) -> None:
    """Own a cluster until SIGTERM or SIGINT; returns when nothing is left of it.

    Raises:
        SupervisorError: another process owns a cluster in this state folder.
        ProcessError: a part of the cluster ended by itself.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    with _owned(settings.state_folder), ControlPlane.start(settings) as control_plane:
        with KubeClient(control_plane.cluster.rig_kubeconfig) as client:
            add_nodes(client, *(kwok_node(f"kwok-{n}") for n in range(kwok_nodes)))
        (settings.state_folder / clusters.READY_FILE).touch()
        while True:
            time.sleep(WATCH_SECONDS)
            control_plane.fail_if_broken()


def start(arguments: list[str], state_folder: Path) -> Cluster:
    """Start the owner in the background (`arguments` for ``python -m e2e.rig``) and wait for it.

    Raises:
        SupervisorError: it ended instead of coming up, or one is running already.
    """
    state_folder.mkdir(parents=True, exist_ok=True)
    if owner(state_folder) is not None:
        raise SupervisorError(f"a cluster is already running in {state_folder}")
    (state_folder / clusters.READY_FILE).unlink(missing_ok=True)
    log = state_folder / "supervisor.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "e2e.rig", *arguments],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(
            lambda: process.poll() is not None or (state_folder / clusters.READY_FILE).exists(),
            timeout_seconds=START_SECONDS,
            what="the cluster to come up",
        )
    except BaseException:  # Ctrl-C too
        process.terminate()
        process.wait()
        raise
    if process.poll() is not None:
        raise SupervisorError(f"the cluster did not come up:\n{log.read_text()}")
    process.returncode = 0  # it goes on without us: not ours to wait for
    return clusters.load(state_folder)


def stop(state_folder: Path) -> bool:
    """Stop the owner and with it the cluster; False when none was running."""
    pid = owner(state_folder)
    if pid is None:
        clusters.forget(state_folder)  # what a crash left
        return False
    os.kill(pid, signal.SIGTERM)
    try:
        wait_for(
            lambda: owner(state_folder) is None,
            timeout_seconds=STOP_SECONDS,
            what="the cluster to stop",
        )
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)  # the kernel then kills its children
    return True


def running(state_folder: Path) -> Cluster:
    """The cluster that runs in a state folder.

    Raises:
        NoClusterError: none does.
    """
    if owner(state_folder) is None:
        raise NoClusterError(f"no cluster is running in {state_folder}")
    return clusters.load(state_folder)


def owner(state_folder: Path) -> int | None:
    """Pid of the process that owns the cluster in a state folder, None when there is none."""
    try:
        with _lock_file(state_folder).open("r+") as held:
            if _locked(held.fileno()):
                return None
            return int(held.read())
    except (FileNotFoundError, ValueError):  # never started, or just starting
        return None


@contextmanager
def _owned(state_folder: Path) -> Iterator[None]:
    state_folder.mkdir(parents=True, exist_ok=True)
    with _lock_file(state_folder).open("a+") as held:
        try:  # someone who merely looks holds it for an instant
            wait_for(lambda: _locked(held.fileno()), timeout_seconds=1, what="the lock")
        except TimeoutError as error:
            raise SupervisorError(f"a cluster is already running in {state_folder}") from error
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield


def _lock_file(state_folder: Path) -> Path:
    return state_folder / "supervisor.lock"


def _locked(file: int) -> bool:
    """Try to take a lock that falls when the file is closed."""
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    for again in (signal.SIGTERM, signal.SIGINT):  # one is enough; do not disturb the clean-up
        signal.signal(again, signal.SIG_IGN)
    sys.exit(0 if number == signal.SIGTERM else 128 + number)
