"""All simulated pods and loads, brought up to date whenever something changes or is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from e2e.rig.fleet_exporter.gateway import merged
from e2e.rig.fleet_exporter.loads import Load, LoadKey
from e2e.rig.fleet_exporter.pods import PodKey, SimulatedPod
from e2e.rig.fleet_exporter.rates import PoissonArrivals
from e2e.rig.fleet_exporter.simulated_server import SimulatedServer
from e2e.rig.fleet_exporter.workload import Member, Workload, seed_of


class NotServingError(LookupError):
    """Nobody would answer on this pod's metrics port; the message says why."""


@dataclass(slots=True, kw_only=True)
class _Pod:
    """A pod whose server runs. `load` is the key of the workload it belongs to."""

    seen: SimulatedPod
    server: SimulatedServer
    load: LoadKey | None = None


class Fleet:
    """`clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[PodKey, SimulatedPod] = {}
        self._running: dict[PodKey, _Pod] = {}
        self._workloads: dict[LoadKey, Workload] = {}

    def put_pod(self, pod: SimulatedPod) -> None:
        """A pod is there, or has changed."""
        if self._seen.get(pod.key) == pod:
            return
        self._seen[pod.key] = pod
        running = self._running.get(pod.key)
        if running and (running.seen.identity != pod.identity or not pod.ready):
            self._end(pod.key)
        if pod.ready and not pod.problem:
            self._run(pod)

    def remove_pod(self, key: PodKey) -> None:
        self._seen.pop(key, None)
        self._end(key)

    def pods(self) -> list[SimulatedPod]:
        return list(self._seen.values())

    def put_load(self, load: Load) -> None:
        """Set the load of the workload with this namespace and selector, from now on."""
        now = self._clock()
        self.remove_load(load.key)
        workload = Workload(load, now, seed_of(repr(load.key)))
        self._workloads[load.key] = workload
        for pod in self._running.values():
            if pod.load is None and load.selects(pod.seen.key[0], pod.seen.labels):
                self._join(pod, now)

    def remove_load(self, key: LoadKey) -> bool:
        """No more requests for this workload; False where there was no load."""
        now = self._clock()
        workload = self._workloads.pop(key, None)
        if workload is None:
            return False
        for pod_key, _ in workload.members():
            workload.remove(pod_key, now)
            self._running[pod_key].load = None
        return True

    def workloads(self) -> list[Workload]:
        """Loads with their pods, as of now."""
        self._advance()
        return list(self._workloads.values())

    def page(self, namespace: str, name: str) -> str:
        """The metrics page of one pod, as of now.

        Raises:
            NotServingError: no such pod, or its server does not answer (yet).
        """
        key = (namespace, name)
        pod = self._running.get(key)
        if pod is None:
            raise NotServingError(self._why_not(key))
        now = self._clock()
        if pod.load is None:
            pod.server.advance((), 0.0, now)
        else:
            self._workloads[pod.load].advance_pod(key, now)
        return pod.server.page()

    def gateway_page(self) -> str:
        """Envoy's statistics of all loads that name a service, as of now."""
        self._advance()
        return merged(workload.gateway_page() for workload in self._workloads.values())

    def _advance(self) -> None:
        now = self._clock()
        for workload in self._workloads.values():
            workload.advance(now)

    def _run(self, pod: SimulatedPod) -> None:
        now = self._clock()
        running = self._running.get(pod.key)
        if running is None:
            arrivals = PoissonArrivals(seed_of(pod.identity))
            server = SimulatedServer(pod.identity, pod.settings, arrivals, now)
            running = self._running[pod.key] = _Pod(seen=pod, server=server)
        running.seen = pod
        self._join(running, now)

    def _join(self, pod: _Pod, now: float) -> None:
        """Give the pod to the load that selects it, or tell that load how the pod is now."""
        for key, workload in self._workloads.items():
            if workload.load.selects(pod.seen.key[0], pod.seen.labels):
                if pod.load not in {None, key}:
                    self._leave(pod, now)
                if pod.load is None:
                    seed = seed_of(pod.seen.identity)
                    pod.server.arrive_by(workload.load.arrival_process(seed))
                pod.load = key
                member = Member(server=pod.server, takes_requests=pod.seen.takes_requests)
                workload.put(pod.seen.key, member, now)
                return
        self._leave(pod, now)

    def _leave(self, pod: _Pod, now: float) -> None:
        if pod.load is not None:
            self._workloads[pod.load].remove(pod.seen.key, now)
            pod.load = None

    def _end(self, key: PodKey) -> None:
        pod = self._running.pop(key, None)
        if pod:
            self._leave(pod, self._clock())

    def _why_not(self, key: PodKey) -> str:
        pod = self._seen.get(key)
        if pod is None:
            return f"no simulated pod {key[0]}/{key[1]}"
        return pod.problem or f"pod {key[0]}/{key[1]} is not Ready"
