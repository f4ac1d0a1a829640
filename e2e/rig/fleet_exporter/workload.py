"""One load and the pods that share it, with the statistics of the gateway before them."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from e2e.rig.envoy_metrics import ClusterStats, bounds_with
from e2e.rig.fleet_exporter.batch_queue import Observer
from e2e.rig.fleet_exporter.loads import Load
from e2e.rig.fleet_exporter.pods import PodKey
from e2e.rig.fleet_exporter.rates import Piece
from e2e.rig.fleet_exporter.simulated_server import SimulatedServer

# Gateway and network, on top of what the server takes.
GATEWAY_MILLISECONDS = 1.0


@dataclass(slots=True, kw_only=True)
class Member:
    """A pod of the workload; one that takes no requests works off what it has."""

    server: SimulatedServer
    takes_requests: bool
    advanced_to: float = 0.0


class Workload:
    """Times are seconds of the fleet's clock; the load began at `began_at`."""

    def __init__(self, load: Load, began_at: float, seed: int) -> None:
        self.load = load
        self._began_at = began_at
        self._advanced_to = began_at
        self._profile = load.profile()
        self._members: dict[PodKey, Member] = {}
        self._serving = 0
        # Those that came while no pod was Ready.
        self._refused = load.arrival_process(seed)
        self._stats = _stats(load)

    @property
    def requests_per_second(self) -> float:
        """The rate at the instant of the last `advance`."""
        return self._profile.at(self._advanced_to - self._began_at)

    @property
    def serving(self) -> int:
        """Pods that share the load."""
        return self._serving

    def put(self, key: PodKey, member: Member, now: float) -> None:
        """Add or replace a pod from now on."""
        self.advance(now)
        member.server.observe_by(self._observer())
        member.server.advance((), 0.0, now)
        member.advanced_to = now
        self._members[key] = member
        self._count()

    def remove(self, key: PodKey, now: float) -> Member | None:
        self.advance(now)
        member = self._members.pop(key, None)
        if member:
            member.server.observe_by(None)
        self._count()
        return member

    def members(self) -> Iterable[tuple[PodKey, Member]]:
        return list(self._members.items())

    def advance(self, now: float) -> None:
        """Live until now; the load is split evenly over the pods that take requests."""
        for member in self._members.values():
            self._advance(member, now)
        if not self._serving:
            self._refuse(len(self._refused.instants(self._pieces(self._advanced_to, now), 1.0)))
        self._advanced_to = now

    def advance_pod(self, key: PodKey, now: float) -> None:
        """Live until now with one pod alone: who takes a share changes in `put` and `remove` only."""
        self._advance(self._members[key], now)

    def _advance(self, member: Member, now: float) -> None:
        share = 1 / self._serving if member.takes_requests else 0.0
        pieces = self._pieces(member.advanced_to, now) if share else []
        came = member.server.advance(pieces, share, now)
        member.advanced_to = now
        if self._stats:
            self._stats.attempts += came

    def gateway_page(self) -> str:
        """Envoy's statistics as of the last `advance`; "" where there is no gateway."""
        if not self._stats:
            return ""
        self._stats.healthy_members = self._serving
        self._stats.active = sum(m.server.in_flight for m in self._members.values())
        return self._stats.exposition()

    def _pieces(self, start: float, end: float) -> list[Piece]:
        origin = self._began_at
        relative = self._profile.pieces(start - origin, end - origin)
        return [(a + origin, b + origin, rate) for a, b, rate in relative]

    def _count(self) -> None:
        self._serving = sum(member.takes_requests for member in self._members.values())

    def _observer(self) -> Observer | None:
        return Observer(answered=self._answer, refused=self._refuse) if self._stats else None

    def _answer(self, latency_seconds: float) -> None:
        if self._stats:
            self._stats.answered(200, latency_seconds * 1000 + GATEWAY_MILLISECONDS)

    def _refuse(self, requests: int) -> None:
        if self._stats:
            for _ in range(requests):
                self._stats.responded(503)


def _stats(load: Load) -> ClusterStats | None:
    if not load.service:
        return None
    return ClusterStats(f"{load.namespace}/{load.service}", bounds_with(*load.bucket_milliseconds))


def seed_of(*parts: str) -> int:
    """A seed that is the same in every run."""
    return random.Random("/".join(parts)).getrandbits(32)
