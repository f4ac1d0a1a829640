"""A HorizontalPodAutoscaler on requests per second and pod, run beside the policy on the same demand.

With the defaults of autoscaling/v2: tolerance a tenth, a window of 300 s on the way in, at most twice as many or four
more per 15 s on the way out. Source: kubernetes/kubernetes,
pkg/controller/podautoscaler/{horizontal,replica_calculator}.go (1.35). The simulator has the same rule with all its
knobs, compiled; a test holds the two together.
"""

from dataclasses import dataclass
from math import ceil

TARGET_FRACTION = 0.70  # of the load that one replica carries within the objective
INTERVAL_SECONDS = 15.0
TOLERANCE = 0.1
DOWN_WINDOW_SECONDS = 300.0
MOST_ADDED = 4
_HAIR = 1e-9  # floats, where the controller divides integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hpa:
    """`starting`: when each replica that does not serve yet will. `recommended`: (time, replicas), newest last."""

    replicas: int
    synced_at: float
    starting: tuple[float, ...] = ()
    recommended: tuple[tuple[float, int], ...] = ()

    def ready(self, at: float) -> int:
        return self.replicas - sum(due > at for due in self.starting)


def new_hpa(replicas: int, at: float) -> Hpa:
    """Takes over what runs; it decides at the next look."""
    return Hpa(replicas=replicas, synced_at=at, recommended=((at, replicas),))


def synced(
    hpa: Hpa, *, at: float, rate: float, target: float, start_up: float, bounds: Bounds
) -> Hpa:
    """After a sync, where one is due.

    Args:
        hpa: before it.
        at: now, seconds.
        rate: requests per second, of all replicas.
        target: requests per second and replica.
        start_up: seconds from order to serving.
        bounds: minReplicas and maxReplicas.
    """
    if at - hpa.synced_at < INTERVAL_SECONDS or hpa.replicas == 0:
        return hpa
    wanted, recommended = _decided(hpa, at, rate, target, bounds)
    return Hpa(
        replicas=wanted,
        synced_at=at,
        starting=_starting(hpa, at, wanted, start_up),
        recommended=recommended,
    )


def _decided(
    hpa: Hpa, at: float, rate: float, target: float, bounds: Bounds
) -> tuple[int, tuple[tuple[float, int], ...]]:
    """Outside its bounds it goes there and looks at no metric."""
    if not bounds.low <= hpa.replicas <= bounds.high:
        return min(max(hpa.replicas, bounds.low), bounds.high), hpa.recommended
    proposed = _proposal(hpa.replicas, hpa.ready(at), rate, target)
    if proposed is None:
        return hpa.replicas, hpa.recommended
    after = at - DOWN_WINDOW_SECONDS
    recent = tuple(one for one in hpa.recommended if one[0] > after)
    stable = _stable(hpa.replicas, proposed, [n for _, n in recent])
    limit = max(2 * hpa.replicas, hpa.replicas + MOST_ADDED)
    wanted = min(max(min(stable, limit), bounds.low), bounds.high)
    return wanted, (*recent, (at, proposed))


def _stable(current: int, proposed: int, recent: list[int]) -> int:
    """Out at once; in only as far as every recommendation of the window."""
    return min(max(current, proposed), max([proposed, *recent]))


def _proposal(replicas: int, ready: int, rate: float, target: float) -> int | None:
    """Replicas that bring the mean to the target; who starts counts for what moves least."""
    if ready <= 0:
        return None
    ratio = rate / ready / target
    if replicas <= ready:
        return replicas if _within(ratio) else _whole_up(ratio * ready)
    load = ratio * ready
    recomputed = (load + replicas - ready if ratio < 1 else load) / replicas
    reversed_ = (ratio < 1 < recomputed) or (ratio > 1 > recomputed)
    if ratio == 1 or reversed_ or _within(recomputed):
        return replicas
    return _whole_up(recomputed * replicas)


def _starting(hpa: Hpa, at: float, wanted: int, start_up: float) -> tuple[float, ...]:
    """Those that start go first: the controller of the replicas prefers to remove what is not ready."""
    waiting = sorted(due for due in hpa.starting if due > at)
    change = wanted - hpa.replicas
    if change >= 0:
        return (*waiting, *(at + start_up for _ in range(change)))
    return tuple(waiting[: max(len(waiting) + change, 0)])


def _within(ratio: float) -> bool:
    return 1 - TOLERANCE <= ratio <= 1 + TOLERANCE


def _whole_up(quotient: float) -> int:
    return ceil(quotient - _HAIR)
