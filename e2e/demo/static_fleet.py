"""The static fleet that the demo is compared with: as few replicas as would have done, known beforehand.

The same arrivals are replayed through the simulated fleet (`inference_cost.simulate.fleet`, checked against a real
Triton) with 1, 2, 3 … constant replicas, ready from the first request on. The smallest number with at least 99 %
of all requests within the objective is the static fleet: like the operator's, its replicas are paid for from second
0 to the end. The number that would do from second 60 on alone is found and shown as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inference_cost.simulate.batcher import BatchService
from inference_cost.simulate.fleet import Routing, constant_fleet, replay

# The demo's model as configured; Triton's own overhead, left out here, would favor the demo.
DEMO_SERVICE = BatchService(alpha_seconds=0.040, beta_seconds=0.005, max_batch_size=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFleetSettings:
    """`seed` is that of the replay's routing; it is printed beside the result."""

    service: BatchService = DEMO_SERVICE
    routing: Routing = Routing.POWER_OF_TWO  # that of the demo's load balancer
    objective_seconds: float = 0.300
    target_fraction: float = 0.99
    measured_from_seconds: float = 60.0
    seed: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A constant number of replicas and the share of requests within the objective."""

    replicas: int
    measured_fraction: float  # from `measured_from_seconds` on
    whole_fraction: float  # of the whole load


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFleet:
    """Smallest constant fleets; `candidates` are all that were tried, in order."""

    measured_replicas: int
    whole_replicas: int
    seed: int
    candidates: tuple[Candidate, ...]

    @property
    def replicas(self) -> int:
        """The fleet of the comparison: it serves the whole load."""
        return self.whole_replicas


def smallest_static_fleet(
    arrivals_seconds: Sequence[float], settings: StaticFleetSettings | None = None
) -> StaticFleet:
    """Find the smallest constant fleets for ascending arrivals.

    Raises:
        ValueError: there are no requests to measure, or a batch of one takes longer than the objective.
    """
    settings = settings or StaticFleetSettings()
    _check(arrivals_seconds, settings)
    candidates: list[Candidate] = []
    while not candidates or not _both_suffice(candidates, settings):
        candidates.append(_try(arrivals_seconds, len(candidates) + 1, settings))
    target = settings.target_fraction
    return StaticFleet(
        measured_replicas=next(c.replicas for c in candidates if c.measured_fraction >= target),
        whole_replicas=next(c.replicas for c in candidates if c.whole_fraction >= target),
        seed=settings.seed,
        candidates=tuple(candidates),
    )


def _check(arrivals_seconds: Sequence[float], settings: StaticFleetSettings) -> None:
    if not arrivals_seconds or arrivals_seconds[-1] < settings.measured_from_seconds:
        raise ValueError(f"no requests from second {settings.measured_from_seconds:g} on")
    if settings.service.seconds(1) > settings.objective_seconds:
        raise ValueError("a batch of one takes longer than the objective: no fleet can meet it")


def _both_suffice(candidates: list[Candidate], settings: StaticFleetSettings) -> bool:
    target = settings.target_fraction
    return any(c.measured_fraction >= target for c in candidates) and any(
        c.whole_fraction >= target for c in candidates
    )


def _try(
    arrivals_seconds: Sequence[float], replicas: int, settings: StaticFleetSettings
) -> Candidate:
    latencies = replay(
        arrivals_seconds,
        service=settings.service,
        replicas=constant_fleet(replicas),
        routing=settings.routing,
        seed=settings.seed,
    )
    in_time = [latency <= settings.objective_seconds for latency in latencies]
    first = next(i for i, t in enumerate(arrivals_seconds) if t >= settings.measured_from_seconds)
    return Candidate(
        replicas=replicas,
        measured_fraction=sum(in_time[first:]) / len(in_time[first:]),
        whole_fraction=sum(in_time) / len(in_time),
    )
