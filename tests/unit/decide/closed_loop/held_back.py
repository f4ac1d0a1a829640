"""The closed loop behind a gateway that holds requests back until a replica has room, with a deadline as objective."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from inference_cost.model.observation import PolicyObservation
from inference_cost.model.policy import DrainObjective
from inference_cost.model.reading import Sample
from inference_cost.model.signals import GatewaySignals
from tests.unit.decide.closed_loop.harness import EPOCH, Loop, LoopSettings, Server


class DrainLoop(Loop):
    """`room`: requests that the gateway lets a replica have at once; without one each goes to a replica as it comes."""

    def __init__(
        self,
        arrivals: Sequence[float],
        seconds: float,
        settings: LoopSettings,
        *,
        within: float,
        room: int | None = None,
    ) -> None:
        super().__init__(arrivals, seconds, settings)
        self.within, self.room = within, room
        self.held: deque[float] = deque()
        self.came: dict[str, list[float]] = {}  # by server, in the order in which it serves them

    def observe(self, now: float) -> PolicyObservation:
        seen = super().observe(now)
        objective = DrainObjective(within_seconds=self.within)
        return replace(seen, policy=replace(seen.policy, objective=objective))

    def waits(self) -> list[float]:
        """From arrival to answer, of every request."""
        if self.room is None:
            return [took for server in (*self.servers, *self.gone) for _, took in server.done]
        return [
            at + took - came
            for server in (*self.servers, *self.gone)
            for (at, took), came in zip(server.done, self.came.get(server.name, ()), strict=True)
        ]

    def _route(self, at: float) -> None:
        if self.room is None:
            super()._route(at)
        else:
            self.held.append(at)

    def _scrape(self, now: float) -> None:
        for server in self.servers:
            if self.room is not None and server.ready <= now:
                self._let_go(server, now, self.room)
        super()._scrape(now)

    def _let_go(self, server: Server, now: float, room: int) -> None:
        server.advance(now)
        while self.held and server.in_flight < room:
            self.came.setdefault(server.name, []).append(self.held.popleft())
            server.offer(now)

    def _gateway(self, now: float) -> GatewaySignals:
        waiting = Sample(value=float(len(self.held)), at=EPOCH + now)
        return replace(super()._gateway(now), waiting=waiting)


def ideal_replica_seconds(
    requests: int, per_second: float, start_up: float, within: float
) -> float:
    """Of a batch that comes at once to one replica, by whoever knows of it: fewest that finish within the deadline."""
    best = inf
    for replicas in range(1, 200):
        alone = min(requests / per_second, start_up)
        left = requests - alone * per_second
        took = alone + left / (replicas * per_second)
        if took <= within:
            best = min(best, replicas * took)
    return best
