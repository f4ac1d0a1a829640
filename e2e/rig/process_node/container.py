"""One container: started, probed, restarted and stopped as a kubelet does."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from e2e.rig import processes
from e2e.rig.process_node.events import Record
from e2e.rig.process_node.kubernetes_api import Manifest
from e2e.rig.process_node.launch import Launch
from e2e.rig.process_node.pod_status import (
    ContainerReport,
    Running,
    State,
    Terminated,
    Waiting,
    restarts_after_exit,
)
from e2e.rig.process_node.prober import Prober, ProberSetup
from e2e.rig.process_node.probes import act
from e2e.rig.process_node.references import MissingReferenceError
from e2e.rig.process_node.tasks import log_failure, wait_at_most

LONGEST_BACKOFF_SECONDS = 300.0
BACKOFF_FORGOTTEN_AFTER_SECONDS = 600.0
CONFIGURATION_RETRY_SECONDS = 2.0
MINIMUM_GRACE_SECONDS = 2.0  # left for SIGTERM when the preStop hook used up the grace period
PULL_RETRY_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSetup:
    """What a container gets from its pod.

    `prepare` makes the launch anew for each start and raises `MissingReferenceError`; None means
    that the image is unknown. `record` writes a pod event (type, reason, message).
    """

    prepare: Callable[[], Awaitable[Launch | None]]
    changed: Callable[[], None]
    record: Record
    address: str
    log: Path
    pod_uid: str
    restart_policy: str
    grace_seconds: float
    start_delay_seconds: float
    first_backoff_seconds: float
    earlier_restarts: int | None


class Container:
    """Runs one container of a pod until `stop`, or until its restart policy lets it rest."""

    def __init__(self, spec: Manifest, setup: ContainerSetup) -> None:
        self._spec = spec
        self._setup = setup
        self._state: State = Waiting("ContainerCreating")
        self._last: Terminated | None = None
        self._prober: Prober | None = None
        self._launch: Launch | None = None
        earlier = setup.earlier_restarts
        self._restarts = 0 if earlier is None else earlier + 1
        self._process: processes.ManagedProcess | None = None
        self._exited = asyncio.Event()
        self._stopping = asyncio.Event()
        self._over = asyncio.Event()
        self._over.set()
        self._kill_at = float("inf")

    @property
    def report(self) -> ContainerReport:
        name = self._spec["name"]
        return ContainerReport(
            name=name,
            image=self._spec["image"],
            container_id=f"process://{self._setup.pod_uid}-{name}-{self._restarts}",
            state=self._state,
            last=self._last,
            started=self._prober is not None and self._prober.started,
            ready=self._prober is not None and self._prober.ready,
            restarts=self._restarts,
        )

    async def run(self) -> None:
        """Run until stopped or at rest."""
        self._over.clear()
        try:
            backoff = 0.0
            while not self._stopping.is_set():
                launch = await self._configured()
                if launch is None:
                    return
                ended = await self._run_once(launch)
                if not restarts_after_exit(self._setup.restart_policy, [ended]):
                    return
                lasted = (ended.finished_at - ended.started_at).total_seconds()
                backoff = 0.0 if lasted > BACKOFF_FORGOTTEN_AFTER_SECONDS else backoff
                backoff = await self._back_off(backoff)
        finally:
            self._over.set()

    async def stop(self, *, grace_seconds: float) -> None:
        """Stop for good: preStop, SIGTERM, grace period, SIGKILL; returns when nothing is left."""
        self._stopping.set()
        if self._process is not None and not self._exited.is_set():
            await self._terminate(grace_seconds)
        await self._over.wait()

    def shorten_grace(self, seconds: float) -> None:
        """A second deletion with less grace: kill no later than `seconds` from now."""
        self._kill_at = min(self._kill_at, asyncio.get_running_loop().time() + seconds)

    async def kill(self) -> None:
        """SIGKILL the process group at once; returns when nothing is left."""
        self._stopping.set()
        await self._kill_process()
        await self._over.wait()

    async def _configured(self) -> Launch | None:
        """Return the launch once all it refers to exists; None when stopped before."""
        while not self._stopping.is_set():
            try:
                launch = await self._setup.prepare()
            except MissingReferenceError as error:
                self._set(Waiting("CreateContainerConfigError", str(error)))
                await self._pause(CONFIGURATION_RETRY_SECONDS)
                continue
            if launch is not None:
                return launch
            await self._image_unknown()
        return None

    async def _image_unknown(self) -> None:
        image = self._spec["image"]
        message = f'no program of this process node stands for image "{image}"'
        self._set(Waiting("ErrImagePull", message))
        self._setup.record("Warning", "Failed", message)
        await self._pause(PULL_RETRY_SECONDS)
        self._set(Waiting("ImagePullBackOff", f'Back-off pulling image "{image}"'))
        await self._stopping.wait()

    async def _run_once(self, launch: Launch) -> Terminated:
        started_at = datetime.now(UTC)
        self._set(Running(started_at))
        code = 0
        if not await self._pause(self._setup.start_delay_seconds):
            code = await self._run_process(launch)
        ended = Terminated(code, started_at, datetime.now(UTC))
        self._prober = None
        self._set(ended)
        return ended

    async def _run_process(self, launch: Launch) -> int:
        """Start the process, probe it, and return its exit code as a shell would."""
        command = processes.Command(
            name=self._spec["name"],
            arguments=launch.arguments(),
            log=self._setup.log,
            environment=launch.effective_environment,
            directory=launch.directory,
        )
        self._exited.clear()
        self._launch, self._kill_at = launch, float("inf")
        process = await asyncio.to_thread(processes.start, command)
        self._process = process
        self._setup.record("Normal", "Started", f"process {process.pid}, log {command.log}")
        if self._stopping.is_set():
            await self._kill_process()
        self._prober = self._prober_for(launch, process.pid)
        probing = asyncio.create_task(self._prober.run())
        probing.add_done_callback(log_failure)
        try:
            await _end_of(process.pid)
        finally:
            self._exited.set()
            probing.cancel()
            await asyncio.wait({probing})
            # Also reaps the rest of the group, such as Triton's Python stubs.
            code = await asyncio.to_thread(process.kill)
        return code if code >= 0 else 128 - code

    async def _back_off(self, seconds: float) -> float:
        """Wait before a restart (the first one is immediate) and return the next waiting time."""
        if self._stopping.is_set():
            return seconds
        if isinstance(self._state, Terminated):
            self._last = self._state
        if seconds:
            message = f"back-off {seconds:g}s restarting failed container={self._spec['name']}"
            self._setup.record("Warning", "BackOff", message)
            self._set(Waiting("CrashLoopBackOff", message))
            await self._pause(seconds)
        self._restarts += 1
        return min(LONGEST_BACKOFF_SECONDS, 2 * seconds or self._setup.first_backoff_seconds)

    def _prober_for(self, launch: Launch, pid: int) -> Prober:
        return Prober(
            self._spec,
            ProberSetup(
                pid=pid,
                address=self._setup.address,
                execute=launch.execute,
                changed=self._setup.changed,
                record=self._setup.record,
                fail=self._restart_unhealthy,
            ),
        )

    async def _restart_unhealthy(self) -> None:
        if not self._stopping.is_set():  # a pod on its way out is not restarted
            message = f"Container {self._spec['name']} failed its probe, will be restarted"
            self._setup.record("Normal", "Killing", message)
            await self._terminate(self._setup.grace_seconds)

    async def _terminate(self, grace_seconds: float) -> None:
        """End the process in the kubelet's order; returns when it has ended."""
        loop = asyncio.get_running_loop()
        self.shorten_grace(grace_seconds)
        await self._pre_stop()
        self._kill_at = max(self._kill_at, loop.time() + MINIMUM_GRACE_SECONDS)
        if self._process is not None:
            self._process.signal(signal.SIGTERM)
        while loop.time() < self._kill_at and not self._exited.is_set():
            # Woken now and then, since a second deletion may shorten the time.
            await wait_at_most(self._exited, min(self._kill_at - loop.time(), 0.2))
        await self._kill_process()
        self._kill_at = float("inf")

    async def _pre_stop(self) -> None:
        hook = (self._spec.get("lifecycle") or {}).get("preStop")
        if hook is None or self._launch is None:
            return
        execute = self._launch.execute
        hooked = asyncio.create_task(act(hook, address=self._setup.address, execute=execute))
        loop = asyncio.get_running_loop()
        while not hooked.done() and loop.time() < self._kill_at and not self._exited.is_set():
            await asyncio.wait({hooked}, timeout=0.1)
        hooked.cancel()
        await asyncio.wait({hooked})
        failure = None if hooked.cancelled() else hooked.exception() or hooked.result()
        if failure:
            self._setup.record("Warning", "FailedPreStopHook", str(failure))

    async def _kill_process(self) -> None:
        if self._process is not None:
            await asyncio.to_thread(self._process.kill)

    async def _pause(self, seconds: float) -> bool:
        """Sleep; True at once when the container is to stop."""
        return await wait_at_most(self._stopping, seconds)

    def _set(self, state: State) -> None:
        self._state = state
        self._setup.changed()


async def _end_of(pid: int) -> None:
    """Wait until a child has ended, without reaping it."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = os.pidfd_open(pid)
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
