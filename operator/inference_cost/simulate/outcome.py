"""What a run cost and what it achieved."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaHours:
    on_demand: float = 0.0
    spot: float = 0.0
    warm: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What happened over time, for pictures: one value per bin of `width_seconds` from the start of the run."""

    width_seconds: float
    requests: Floats
    late: Floats
    ready: Floats  # replicas that serve, mean of the bin
    billed: Floats  # replicas paid for, mean of the bin
    dollars: Floats  # spent in the bin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """One controller's run. The first `exclude_first_seconds` count nowhere but in `course`.

    `late` counts requests beyond the objective's threshold, dropped ones included; fractions are 1.0 without requests.
    """

    name: str
    kind: str  # "ours" or "baseline"
    knob: str  # "" where there is none; "default: …" or "tuned: …"
    cost_dollars: float
    replica_hours: ReplicaHours
    requests: float
    late: float
    dropped: float
    attained_fraction: float
    worst_day_fraction: float
    worst_hour_fraction: float
    starts: int
    scale_events: int
    course: Course
    decide_milliseconds_median: float | None = None  # ours only
    seconds: float = 0.0  # wall clock of the run
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundOutcome:
    """The clairvoyant lower bound at the objective's late share, over the same counted time."""

    cost_dollars: float
    attained_fraction: float
    duality_gap_dollars: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """All runs of one scenario side by side; ours first."""

    outcomes: tuple[Outcome, ...]
    bound: BoundOutcome | None

    def ratio_to_bound(self, outcome: Outcome) -> float | None:
        """Cost as a multiple of the bound's; None without a bound, or where the bound is nothing."""
        if self.bound is None or self.bound.cost_dollars <= 0:
            return None
        return outcome.cost_dollars / self.bound.cost_dollars
