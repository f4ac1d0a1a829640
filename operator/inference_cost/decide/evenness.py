"""How evenly requests reach the pods, and what follows where they do not.

Clients that keep their connections (gRPC, HTTP keep-alive) stay with the pods they first found. Of n pods then only
(Σλ)² ÷ Σλ² are effective, and more of them may get nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Final

from inference_cost.decide.case import Case
from inference_cost.decide.limits.stabilize import Bounds, Choice
from inference_cost.decide.pods import Fleet
from inference_cost.decide.replica.profile import Capability
from inference_cost.decide.traffic import PodTraffic, Traffic
from inference_cost.model.plan import Evenness, LimitedBy, Reason
from inference_cost.model.reading import Missing

BURSTS: Final = 2.0  # times the variance of Poisson arrivals is still chance
BY_CHANCE: Final = 4.0  # standard deviations
NOTABLE: Final = 0.9  # effective ÷ pods: what is above is not worth a word
FEWEST_REQUESTS: Final = 20.0  # per pod, in a window
LEAST_EFFECTIVE: Final = 0.5  # of the pods: sized for no less
LASTING_WINDOWS: Final = 3
FRESH_SECONDS: Final = 300.0  # an older look does not keep replicas from being added
FORGOTTEN_SECONDS: Final = 1800.0  # without a window in which it could be measured


def look(case: Case, seen: Traffic) -> Evenness:
    """As known now. Measured once per window; pods that came or went during it say nothing."""
    before = case.memory.evenness
    if case.at - before.looked_at < seen.seconds:
        return before
    steady = not case.fleet.rolling_out and not seen.partial and seen.coverage >= 1.0
    if not steady or not seen.settled:
        return before
    found = measured(tuple(pod for pod in seen.pods if not pod.slow))
    if found is None:
        return before
    windows = min(before.windows + 1, LASTING_WINDOWS) if found.windows else 0
    return replace(found, windows=windows, looked_at=case.at)


def measured(pods: tuple[PodTraffic, ...]) -> Evenness | None:
    """Of one window (`windows` 1: uneven beyond chance), or None where there is too little to compare."""
    counts = {p.pod.name: sum(w.requests + w.failures for w in p.windows) for p in pods}
    total, number = sum(counts.values()), len(counts)
    if number < 2 or total < FEWEST_REQUESTS * number:  # noqa: PLR2004 - one pod is always even
        return None
    squares = sum(count**2 for count in counts.values())
    noise = min(BURSTS * total, squares - total**2 / number)
    effective = min(max(total**2 / (squares - noise), 1.0), float(number))
    scatter = (squares - total**2 / number) / (BURSTS * total / number)  # chi-squared
    degrees = number - 1.0
    beyond_chance = scatter > degrees + BY_CHANCE * sqrt(2 * degrees)
    hottest = max(counts, key=lambda name: (counts[name], name))
    return Evenness(
        pods=number,
        effective=effective,
        hottest=hottest,
        hottest_fraction=counts[hottest] / total,
        idle=_found_by_nobody(pods, counts),
        windows=int(beyond_chance and effective < NOTABLE * number),
    )


def _found_by_nobody(pods: tuple[PodTraffic, ...], counts: Mapping[str, float]) -> int:
    """Pods that get nothing and are younger than all that do: clients keep to those they know.

    An older one is left out by a balancer, and a new one would not be.
    """
    ready_at = {p.pod.name: p.pod.ready_at or 0.0 for p in pods}
    busy = max((ready_at[name] for name, count in counts.items() if count), default=0.0)
    return sum(1 for name, count in counts.items() if not count and ready_at[name] > busy)


def known(evenness: Evenness, at: float) -> bool:
    return evenness.pods > 0 and at - evenness.looked_at <= FORGOTTEN_SECONDS


def lasts(evenness: Evenness, at: float) -> bool:
    return known(evenness, at) and evenness.windows >= LASTING_WINDOWS


def on_effective(can: Capability, evenness: Evenness, at: float) -> Capability:
    """Each pod is given so much less that the fullest ones hold the objective too."""
    if isinstance(can.profile, Missing) or not lasts(evenness, at):
        return can
    share = effective_share(evenness)
    profile = replace(can.profile, load_per_replica=can.profile.load_per_replica * share)
    return replace(can, profile=profile, stretch=can.stretch / share)


def effective_share(evenness: Evenness) -> float:
    return max(evenness.effective / evenness.pods, LEAST_EFFECTIVE)


def capped(choice: Choice, fleet: Fleet, bounds: Bounds, evenness: Evenness, at: float) -> Choice:
    """While the newest pods get nothing one more would get nothing too."""
    most = max(fleet.current, bounds.lowest)
    fresh = lasts(evenness, at) and at - evenness.looked_at <= FRESH_SECONDS
    if not (fresh and evenness.idle) or fleet.rolling_out or choice.desired <= most:
        return choice
    values = (("idle", evenness.idle), ("pods", evenness.pods), ("wanted", choice.desired))
    return Choice(
        desired=most,
        limited_by=LimitedBy.TRAFFIC_UNEVEN,
        reasons=(*choice.reasons, Reason(code="idle-pods", values=values)),
    )
