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
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

from e2e.rig import cluster as clusters
from e2e.rig.cluster import Cluster, NoClusterError
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.kube import KubeClient, wait_for
from e2e.rig.kwok.nodes import add_nodes, kwok_node
from e2e.rig.process_node.background import ProcessNodes
from e2e.rig.process_node.node_object import NodeSpec

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 30.0
WATCH_SECONDS = 1.0


class SupervisorError(RuntimeError):
    """The background process did not do what it was asked to; the message has its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """How many nodes a cluster in the background has."""

    kwok: int
    process: int


def serve(settings: ControlPlaneSettings, nodes: Nodes) -> None:
    """Own a cluster until SIGTERM or SIGINT; returns when nothing is left of it.

    Raises:
        SupervisorError: another process owns a cluster in this state folder.
        ProcessError: a part of the cluster ended by itself.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    with (
        _owned(settings.state_folder),
        ControlPlane.start(settings) as control_plane,
        _nodes(control_plane.cluster, nodes),
    ):
        (settings.state_folder / clusters.READY_FILE).touch()
        while True:
            time.sleep(WATCH_SECONDS)
            control_plane.fail_if_broken()


@contextmanager
def _nodes(cluster: Cluster, nodes: Nodes) -> Iterator[None]:
    with KubeClient(cluster.rig_kubeconfig) as client, ExitStack() as running:
        add_nodes(client, *(kwok_node(f"kwok-{n}") for n in range(nodes.kwok)))
        if nodes.process:  # else Triton need not be there
            host = ProcessNodes.start(
                kubeconfig=cluster.rig_kubeconfig,
                pods=cluster.pods,
                state_folder=cluster.state_folder / "process-nodes",
            )
            running.enter_context(host)
            host.add(*(NodeSpec(name=f"process-{n}", gpus=1) for n in range(nodes.process)))
        yield


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
    except BaseException as error:  # Ctrl-C too
        process.terminate()
        process.wait()
        if isinstance(error, TimeoutError):
            raise SupervisorError(f"{error}; its log:\n{log.read_text()}") from error
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
            lambda: owner(state_folder) is None and _has_ended(pid),
            timeout_seconds=STOP_SECONDS,
            what="the cluster to stop",
        )
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)  # the kernel then kills its children
    return True


def _has_ended(pid: int) -> bool:
    """Its lock falls a moment before the process itself."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
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
