"""Ready pods that take clearly longer per batch than their siblings: of the same template, on the same GPU product.

A throttled or broken GPU answers, and is counted like any other. Compared are times per batch at the mean batch, with
the learned line α + β·b as yardstick; of two pods nobody can say which is slow.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil
from statistics import median
from typing import Final, NamedTuple

from inference_cost.decide.replica.kinds import kind_of
from inference_cost.decide.replica.profile import LEARNED_EXECUTIONS, Capability, current_estimate
from inference_cost.decide.replica.service_time import PRIOR_PER_ITEM, solve
from inference_cost.decide.traffic import PodTraffic, Traffic, totals
from inference_cost.model.memory import ServiceTimeEstimate, SlowPod
from inference_cost.model.policy import LatencyObjective, Policy, Routing
from inference_cost.model.profile_key import ProfileKey
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node

SLOW: Final = 1.5  # times the median of the siblings
STILL_SLOW: Final = 1.3
FEWEST_PODS: Final = 3
FEWEST_EXECUTIONS: Final = 5.0  # of each, in a window: a very slow pod has no more
LASTING_WINDOWS: Final = 2.0  # before capacity is counted without it
FORGOTTEN_SECONDS: Final = 1800.0  # without siblings to compare with
TIMES_MOVE: Final = 0.2  # less is the same
MOST_GIVEN_LESS: Final = 1.5  # times
MOST_BESIDE: Final = (
    2.0  # replicas for a slow pod: to bear with it may cost so much, and deleting it nothing
)
NEGLIGIBLE: Final = 0.02  # of a replica


class _Batches(NamedTuple):
    """Of one pod: the mean batch, and how long it takes."""

    uid: str
    size: float
    seconds: float


def look(
    before: tuple[SlowPod, ...],
    seen: Traffic,
    estimates: tuple[ServiceTimeEstimate, ...],
    nodes: Mapping[str, Node],
    at: float,
) -> tuple[SlowPod, ...]:
    """Those that are slow now, and those of before that can be compared with nothing."""
    if not before and _all_alike(seen):
        return ()
    known, times = {pod.uid: pod for pod in before}, dict(_compared(seen, estimates, nodes))
    found = (_judged(known.get(p.pod.uid), p, times.get(p.pod.uid), at) for p in seen.pods)
    return tuple(pod for pod in found if pod is not None)


def marked(seen: Traffic, slow: tuple[SlowPod, ...]) -> Traffic:
    """As seen, with these pods told from the others."""
    if not slow:
        return seen
    uids = {pod.uid for pod in slow}
    pods = tuple(replace(p, slow=True) if p.pod.uid in uids else p for p in seen.pods)
    return replace(seen, pods=pods)


def lasting(slow: tuple[SlowPod, ...], at: float, window_seconds: float) -> tuple[SlowPod, ...]:
    return tuple(pod for pod in slow if at - pod.since >= LASTING_WINDOWS * window_seconds)


def missing(slow: tuple[SlowPod, ...]) -> int:
    """Replicas to have beside these, each of which is worth 1 ÷ times of one."""
    return ceil(sum(1 - 1 / pod.times for pod in slow) - NEGLIGIBLE)


def times_less(slow: tuple[SlowPod, ...], ready: int, policy: Policy) -> float:
    """Where a slow pod gets as many requests as any other, and more than may be late, all are given so much less."""
    objective = policy.objective
    if not isinstance(objective, LatencyObjective) or policy.routing is not Routing.EQUAL:
        return 1.0
    if len(slow) <= (1 - objective.target_fraction) * ready:
        return 1.0
    most = min(MOST_GIVEN_LESS, 1 + MOST_BESIDE * len(slow) / ready)
    return min(max(pod.times for pod in slow), most)


def beside_slow(
    can: Capability, slow: tuple[SlowPod, ...], ready: int, policy: Policy
) -> Capability:
    if not slow or isinstance(can.profile, Missing):
        return can
    times = times_less(slow, ready, policy)
    profile = replace(can.profile, load_per_replica=can.profile.load_per_replica / times)
    return replace(can, profile=profile, stretch=can.stretch * times)


def _all_alike(seen: Traffic) -> bool:
    """Cheap, as it is asked of every policy at every look: a replay shares windows among pods."""
    windows = {id(window): window for pod in seen.pods for window in pod.windows}.values()
    seconds = [w.compute_seconds / w.requests for w in windows if w.requests > 0]
    few = len(seen.pods) < FEWEST_PODS
    return few or max(seconds, default=0.0) <= SLOW * min(seconds, default=0.0)


def _judged(
    before: SlowPod | None, seen: PodTraffic, times: float | None, at: float
) -> SlowPod | None:
    if times is None:
        fresh = before is not None and at - before.seen_at <= FORGOTTEN_SECONDS
        return before if fresh else None
    if times < (SLOW if before is None else STILL_SLOW):
        return None
    if before is None:
        uid, name = seen.pod.uid, seen.pod.name
        return SlowPod(uid=uid, name=name, times=times, since=at, seen_at=at)
    moved = abs(times - before.times) > TIMES_MOVE * before.times
    return replace(before, times=times if moved else before.times, seen_at=at)


def _compared(
    seen: Traffic, estimates: tuple[ServiceTimeEstimate, ...], nodes: Mapping[str, Node]
) -> Iterator[tuple[str, float]]:
    """(uid, times as long) of the pods that have siblings, where the slow ones are the fewer."""
    siblings: defaultdict[ProfileKey, list[_Batches]] = defaultdict(list)
    for pod in seen.pods:
        batches = _batches(pod)
        if batches is not None:
            siblings[kind_of(pod, nodes)].append(batches)
    for kind, group in siblings.items():
        if len(group) < FEWEST_PODS:
            continue
        times = _times(group, current_estimate(estimates, kind))
        if 2 * sum(one >= STILL_SLOW for one in times) < len(group):
            yield from zip((pod.uid for pod in group), times, strict=True)


def _batches(pod: PodTraffic) -> _Batches | None:
    """None where too little was executed, or for several models."""
    served = [window for window in pod.windows if window.requests > 0]
    if not pod.settled or len(served) != 1:
        return None
    found = totals(served)
    if found.executions < FEWEST_EXECUTIONS or found.compute_seconds <= 0:
        return None
    return _Batches(
        uid=pod.pod.uid,
        size=max(found.inferences / found.executions, 1.0),
        seconds=found.compute_seconds / found.requests,
    )


def _times(group: Sequence[_Batches], estimate: ServiceTimeEstimate) -> list[float]:
    """The lesser of what the line leaves to explain and the plain ratio: no line excuses and none accuses alone."""
    known = solve(estimate) if estimate.executions >= LEARNED_EXECUTIONS else None
    alpha, beta = (
        (1.0, PRIOR_PER_ITEM) if known is None else (known.alpha_seconds, known.beta_seconds)
    )
    plain = [pod.seconds for pod in group]
    beyond = [pod.seconds / max(alpha + beta * pod.size, 1e-9) for pod in group]
    usual_plain, usual_beyond = median(plain), median(beyond)
    return [
        min(one / usual_plain, other / usual_beyond)
        for one, other in zip(plain, beyond, strict=True)
    ]
