"""What a new policy's demand was before there was a policy, taken in as if it had been watched then."""

from dataclasses import dataclass, field, replace
from math import inf, nan
from typing import Final

import numpy as np

from inference_cost.decide.carried import carried
from inference_cost.decide.case import LONGEST_GAP, Case, case_of
from inference_cost.decide.headroom.history import relive
from inference_cost.decide.headroom.learned import (
    AGE,
    BUDGET,
    MAY,
    Floats,
    from_bytes,
    new_vector,
    to_bytes,
    views,
)
from inference_cost.decide.headroom.regression import Look
from inference_cost.decide.headroom.shadow import Serving
from inference_cost.decide.look import MOST_REQUESTS, look_of
from inference_cost.decide.replica.profile import Capability
from inference_cost.decide.schedule import scheduled
from inference_cost.decide.serving import serving
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Demand, Profile
from inference_cost.model.policy import DrainObjective
from inference_cost.model.reading import Missing
from inference_cost.model.workload import NoWorkload

YOUNG_SECONDS: Final = 3_600.0  # of looks: the average of many services weighs as much
# The past is told in loads of a replica, so that must be known well, or at least not become known any better soon.
WELL_KNOWN: Final = 0.1
SETTLED_SECONDS: Final = 600.0
WORTH_SECONDS: Final = (
    600.0  # more than was watched: less teaches nothing, and was seen less closely
)
_NO_DEMAND: Final = Demand(now=0.0, forecast=0.0, backlog=0.0, censored=False, source="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What holds now, and is taken to have held: `look` but for its time and rates, and what a replica does."""

    look: Look
    replica: Serving


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """What the past has taught so far. `recent`: (looks, 2) time and requests/s, as far back as a window reaches."""

    vector: Floats = field(default_factory=new_vector)
    at: float = -inf  # of the last look
    recent: Floats = field(default_factory=lambda: np.empty((0, 2)))

    @property
    def seconds(self) -> float:
        return float(self.vector[AGE])


def young(memory: PolicyMemory) -> bool:
    """Whether the demand was watched, and not for long."""
    return bool(memory.headroom) and bool(from_bytes(memory.headroom)[AGE] < YOUNG_SECONDS)


def conditions(
    observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot
) -> Conditions | None:
    """None while a replica's load is not known well enough, and where no headroom rule is followed."""
    objective = observation.policy.objective
    if isinstance(objective, DrainObjective):
        return None
    if any(isinstance(one, NoWorkload) for one in observation.workloads):
        return None
    case, _ = scheduled(case_of(observation, memory, snapshot))
    seen = case.traffic
    if isinstance(seen, Missing):
        return None
    *_, can = carried(case, seen)
    if isinstance(can.profile, Missing) or not _known(case, can, can.profile):
        return None
    return Conditions(
        look=look_of(case, seen, _NO_DEMAND),
        replica=serving(can, can.profile, objective, case.bounds, case.fleet),
    )


def _known(case: Case, can: Capability, profile: Profile) -> bool:
    if not can.learned or can.outside:
        return False
    watched = from_bytes(case.memory.headroom)[AGE]
    return bool(profile.error_fraction <= WELL_KNOWN or watched >= SETTLED_SECONDS)


def teach(taught: Taught, given: Conditions, times: Floats, rates: Floats) -> Taught:
    """The next part of the past: times in epoch seconds, a tick apart where nothing is missing, and requests/s."""
    new = times > taught.at
    came = np.column_stack((times, np.minimum(rates, MOST_REQUESTS)))[new]
    if not len(came):
        return taught
    known = np.concatenate((taught.recent, came))
    means = _means(known, given.look)[-len(came) :]
    since = np.diff(came[:, 0], prepend=taught.at)
    since[since > LONGEST_GAP * given.look.tick] = nan
    vector, last = taught.vector.copy(), float(came[-1, 0])
    past = np.column_stack((came[:, 0], since, means, came[:, 1]))
    relive(views(vector), given.look, given.replica, past)
    return Taught(vector=vector, at=last, recent=known[known[:, 0] > last - given.look.window])


def _means(known: Floats, look: Look) -> Floats:
    """Requests/s of the window that ends with each look, as far as looks are known."""
    times, sums = known[:, 0], np.concatenate(([0.0], np.cumsum(known[:, 1])))
    first = np.searchsorted(times, times - look.window + look.tick / 2)
    first = np.minimum(first, np.arange(len(times)))
    means: Floats = (sums[1:] - sums[first]) / (np.arange(1, len(times) + 1) - first)
    return np.maximum(means, 0.0)


def merged(memory: PolicyMemory, taught: Taught) -> PolicyMemory:
    """The past tells the time since the first look, too; only how late the own fleet was it does not."""
    watched, vector = from_bytes(memory.headroom), taught.vector.copy()
    if taught.seconds < watched[AGE] + WORTH_SECONDS:
        return memory
    for name in (BUDGET, MAY):
        vector[name] = watched[name]
    views(vector).backlog[-1] = views(watched).backlog[-1]
    looked_at = min(taught.at, memory.looked_at)
    return replace(memory, headroom=to_bytes(vector), looked_at=looked_at)
