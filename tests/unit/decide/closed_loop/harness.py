"""decide() in a loop with simulated replicas that batch greedily, in virtual time.

The replicas export counters with Triton's arithmetic (durations per request), Prometheus scrapes them, decide()
sees windows of two scrapes, and what it writes arrives as pods after the start-up time. Requests are simulated
one by one.
"""

import random
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory
from inference_cost.model.observation import DecisionSettings, PolicyObservation, Snapshot
from inference_cost.model.plan import Plan
from inference_cost.model.policy import (
    LatencyObjective,
    Mode,
    Policy,
    PolicyKey,
    Routing,
    Schedule,
    TargetRef,
    Variant,
)
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import (
    BatchStatistic,
    GatewaySignals,
    LatencyHistogram,
    LatestGap,
    ModelConfiguration,
    ModelWindow,
    PodSignals,
    Signals,
)
from inference_cost.model.workload import Pod, Workload

TARGET = TargetRef(api_version="apps/v1", kind="Deployment", name="sleepy")
KEY = PolicyKey(namespace="demo", name="sleepy", uid="uid-1")
EPOCH = 1_700_000_000.0
BOUNDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.0, inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """Times in seconds; the defaults are the demo's."""

    tick: float = 3.0
    scrape: float = 2.0
    window: float = 8.0
    start_up: float = 10.0
    alpha: float = 0.040
    beta: float = 0.005
    max_batch: int = 8
    threshold: float = 0.300
    target: float = 0.99
    min_replicas: int = 1
    max_replicas: int = 10
    schedules: tuple[Schedule, ...] = ()
    initial: int = 1
    seed: int = 0
    power_of_two: bool = True
    routing: Routing = Routing.EQUAL  # what the policy says
    gateway: bool = True
    bounds_seconds: tuple[float, ...] = BOUNDS
    configuration: bool = True
    batch_statistics: bool = False  # timings from before: the servers are not new
    measured_from: float = 60.0
    slow_share: float = 0.0  # of the batches, which take `slow_times` as long
    slow_times: float = 5.0
    throttled: tuple[str, ...] = ()  # servers of which every batch takes `throttled_times` as long
    throttled_times: float = 3.0
    throttled_from: float = 0.0
    clients: int = 0  # that keep to one replica each; 0: every request is routed
    connection_seconds: float = inf  # then they connect anew


@dataclass(slots=True)
class Counters:
    at: float
    requests: float = 0.0
    executions: float = 0.0
    request_seconds: float = 0.0
    queue_seconds: float = 0.0
    compute_seconds: float = 0.0
    pending: float = 0.0


class Server:
    """One greedy replica with Triton's counters."""

    def __init__(self, name: str, created: float, ready: float, settings: LoopSettings) -> None:
        self.name, self.created, self.ready = name, created, ready
        self.settings = settings
        self.waiting: deque[float] = deque()
        self.running: list[float] = []
        self.started = 0.0
        self.free_at = 0.0
        self.counters = Counters(at=ready)
        self.scrapes: deque[Counters] = deque(maxlen=64)
        self.done: list[tuple[float, float]] = []
        self.draw = random.Random(name)  # noqa: S311 - a simulation

    @property
    def in_flight(self) -> int:
        return len(self.waiting) + len(self.running)

    def offer(self, at: float) -> None:
        self.advance(at)
        self.waiting.append(at)
        if not self.running:
            self._start(at)

    def advance(self, now: float) -> None:
        while self.running and self.free_at <= now:
            self._complete()
            if self.waiting:
                self._start(self.free_at)

    def scrape(self, now: float) -> None:
        self.advance(now)
        counters = self.counters
        self.scrapes.append(
            Counters(
                at=now,
                requests=counters.requests,
                executions=counters.executions,
                request_seconds=counters.request_seconds,
                queue_seconds=counters.queue_seconds,
                compute_seconds=counters.compute_seconds,
                pending=len(self.waiting),
            )
        )

    def finished(self, start: float, end: float) -> Iterator[float]:
        """Latencies of what was answered in that time; requests are answered in order of time."""
        for arrived, latency in reversed(self.done):
            if arrived + latency <= start:
                return
            if arrived + latency <= end:
                yield latency

    def _start(self, at: float) -> None:
        size = min(len(self.waiting), self.settings.max_batch)
        self.running = [self.waiting.popleft() for _ in range(size)]
        self.started = at
        seconds = self.settings.alpha + self.settings.beta * size
        if self.draw.random() < self.settings.slow_share:
            seconds *= self.settings.slow_times
        if self.name in self.settings.throttled and at >= self.settings.throttled_from:
            seconds *= self.settings.throttled_times
        self.free_at = at + seconds

    def _complete(self) -> None:
        size, counters = len(self.running), self.counters
        counters.executions += 1
        counters.requests += size
        counters.compute_seconds += size * (self.free_at - self.started)
        for arrived in self.running:
            counters.request_seconds += self.free_at - arrived
            counters.queue_seconds += self.started - arrived
            self.done.append((arrived, self.free_at - arrived))
        self.running = []


@dataclass(slots=True)
class Result:
    """What happened. `attained`: share within the threshold of requests that arrived in the measured time."""

    attained: float = 0.0
    replica_seconds: float = 0.0
    writes: list[tuple[float, int, int]] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    replicas: list[tuple[float, int, int]] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)


class Loop:
    """A run over given arrivals."""

    def __init__(self, arrivals: Sequence[float], seconds: float, settings: LoopSettings) -> None:
        self.arrivals, self.seconds, self.settings = arrivals, seconds, settings
        self.draw = random.Random(settings.seed)  # noqa: S311 - a simulation
        self.servers: list[Server] = []
        self.gone: list[Server] = []
        self.unserved: list[float] = []
        self.desired = settings.initial
        self.names = 0
        self.connections: dict[int, tuple[float, Server]] = {}
        self.result = Result()
        self._create(0.0, settings.initial, delay=0.0)

    def run(self) -> Result:
        settings, step = self.settings, 0.5
        now, next_tick, position = 0.0, settings.tick, 0
        while now < self.seconds:
            until = now + step
            while position < len(self.arrivals) and self.arrivals[position] < until:
                self._route(self.arrivals[position])
                position += 1
            now = until
            self._scrape(now)
            if now >= next_tick:
                next_tick += settings.tick
                self._tick(now)
            self.result.replica_seconds += step * self.desired
        return self._finish()

    def _create(self, now: float, count: int, delay: float) -> None:
        for _ in range(count):
            self.names += 1
            ready = now + delay
            self.servers.append(Server(f"pod-{self.names}", now, ready, self.settings))

    def _route(self, at: float) -> None:
        ready = [server for server in self.servers if server.ready <= at]
        if not ready:
            self.unserved.append(at)
            return
        if self.settings.clients:
            self._connected(at, ready).offer(at)
            return
        chosen = ready[int(self.draw.random() * len(ready))]
        if self.settings.power_of_two and len(ready) > 1:
            other = ready[int(self.draw.random() * len(ready))]
            chosen.advance(at)
            other.advance(at)
            chosen = other if other.in_flight < chosen.in_flight else chosen
        chosen.offer(at)

    def _connected(self, at: float, ready: list[Server]) -> Server:
        client = int(self.draw.random() * self.settings.clients)
        until, server = self.connections.get(client, (0.0, ready[0]))
        if at >= until or server not in ready:
            server = ready[int(self.draw.random() * len(ready))]
            until = at + self.settings.connection_seconds * (0.5 + self.draw.random())
            self.connections[client] = (until, server)
        return server

    def _scrape(self, now: float) -> None:
        for i, server in enumerate(self.servers):
            offset = (i * 0.5) % self.settings.scrape
            if server.ready <= now and (now - offset) % self.settings.scrape == 0:
                server.scrape(now)

    def _tick(self, now: float) -> None:
        observation = self.observe(now)
        snapshot = Snapshot(
            at=EPOCH + now,
            observations=(observation,),
            settings=DecisionSettings(
                tick_seconds=self.settings.tick,
                rate_window_seconds=self.settings.window,
                start_up_seconds_prior=self.settings.start_up,
            ),
        )
        decisions = decide(snapshot, self.result.memory)
        self.result.memory = decisions.memory
        plan = decisions.plans[KEY]
        self.result.plans.append(plan)
        ready = sum(server.ready <= now for server in self.servers)
        self.result.replicas.append((now, plan.desired, ready))
        if plan.write:
            self.result.writes.append((now, plan.current, plan.desired))
            self._scale(now, plan.desired)

    def _scale(self, now: float, desired: int) -> None:
        self._create(now, max(desired - self.desired, 0), self.settings.start_up)
        while len(self.servers) > desired:
            server = self.servers.pop()
            server.advance(inf)
            self.gone.append(server)
        self.desired = desired

    def observe(self, now: float) -> PolicyObservation:
        settings = self.settings
        pods = tuple(
            Pod(
                name=server.name,
                uid=server.name,
                node="",
                template_hash="v1",
                gpus=1,
                created_at=EPOCH + server.created,
                ready_at=EPOCH + server.ready if server.ready <= now else None,
            )
            for server in self.servers
        )
        workload = Workload(
            target=TARGET,
            uid="w",
            desired_replicas=self.desired,
            template_hash="v1",
            rolling_out=False,
            pods=pods,
        )
        configuration = ModelConfiguration(
            model="sleepy",
            max_batch_size=settings.max_batch,
            instances=1,
            decoupled=False,
            dynamic_batching=True,
            queue_delay_seconds=0.0,
            queue_policy=False,
            batch_statistics=tuple(
                BatchStatistic(
                    batch_size=size,
                    executions=100,
                    mean_seconds=settings.alpha + settings.beta * size,
                )
                for size in range(1, settings.max_batch + 1)
            )
            if settings.batch_statistics
            else (),
        )
        return PolicyObservation(
            policy=policy(settings),
            workloads=(workload,),
            signals=self._signals(now),
            configurations=(configuration,)
            if settings.configuration
            else Missing(reason=MissingReason.SOURCE_UNREACHABLE),
        )

    def _signals(self, now: float) -> Signals | Missing:
        pods = []
        newest = 0.0
        for server in self.servers:
            samples = [s for s in server.scrapes if s.at > now - self.settings.window]
            if server.ready > now or len(samples) < 2:
                continue
            newest = max(newest, samples[-1].at)
            pods.append(_pod_signals(server.name, samples[0], *samples[-2:]))
        if not any(server.ready <= now for server in self.servers) and self.settings.gateway:
            return Signals(
                sampled_at=EPOCH + now,
                scrape_interval_seconds=0.0,
                pods=(),
                gateway=self._gateway(now),
            )
        if not pods:
            return Missing(reason=MissingReason.EMPTY_RESULT)
        return Signals(
            sampled_at=EPOCH + newest,
            scrape_interval_seconds=self.settings.scrape,
            pods=tuple(pods),
            gateway=self._gateway(now)
            if self.settings.gateway
            else Missing(reason=MissingReason.NOT_CONFIGURED),
        )

    def _gateway(self, now: float) -> GatewaySignals:
        start, bounds = now - self.settings.window, self.settings.bounds_seconds
        latencies = sorted(
            latency
            for server in (*self.servers, *self.gone)
            for latency in server.finished(start, now)
        )
        shed = sum(1 for at in self.unserved if start < at <= now)
        return GatewaySignals(
            seconds=self.settings.window,
            requests=float(len(latencies) + shed),
            responses=float(len(latencies) + shed),
            errors=float(shed),
            latency=LatencyHistogram(
                bounds_seconds=bounds,
                cumulative=tuple(float(bisect_right(latencies, b)) for b in bounds),
            ),
        )

    def _finish(self) -> Result:
        for server in self.servers:
            server.advance(inf)
        start = self.settings.measured_from
        done = [
            latency
            for server in (*self.servers, *self.gone)
            for arrived, latency in server.done
            if arrived >= start
        ]
        total = len(done) + sum(1 for at in self.unserved if at >= start)
        within = sum(latency <= self.settings.threshold for latency in done)
        self.result.attained = within / max(total, 1)
        return self.result


def _pod_signals(name: str, first: Counters, before: Counters, last: Counters) -> PodSignals:
    at = EPOCH + last.at
    window = ModelWindow(
        model="sleepy",
        seconds=last.at - first.at,
        requests=last.requests - first.requests,
        failures=0.0,
        inferences=last.requests - first.requests,
        executions=last.executions - first.executions,
        request_seconds=last.request_seconds - first.request_seconds,
        queue_seconds=last.queue_seconds - first.queue_seconds,
        compute_seconds=last.compute_seconds - first.compute_seconds,
        pending=Sample(value=last.pending, at=at),
        pending_change=Sample(value=last.pending - first.pending, at=at),
        latest=LatestGap(
            at=at,
            seconds=last.at - before.at,
            requests=last.requests - before.requests,
            pending_change=last.pending - before.pending,
        ),
    )
    return PodSignals(
        pod=name, models=(window,), gpu_utilization=Missing(reason=MissingReason.NOT_EXPORTED)
    )


def policy(settings: LoopSettings) -> Policy:
    return Policy(
        key=KEY,
        generation=1,
        created_at=EPOCH,
        mode=Mode.ENFORCE,
        variants=(
            Variant(
                name="sleepy",
                target=TARGET,
                min_replicas=settings.min_replicas,
                max_replicas=settings.max_replicas,
            ),
        ),
        objective=LatencyObjective(
            threshold_seconds=settings.threshold, target_fraction=settings.target
        ),
        routing=settings.routing,
        schedules=settings.schedules,
    )
