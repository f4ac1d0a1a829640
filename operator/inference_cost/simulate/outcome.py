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
class ReplicaSchedule:
    """`replicas[i]` are wanted from `times_seconds[i]` until the next time; the first time is 0.

    `late_prices[i]`: of a late request in costs of serving one, from `late_price_times[i]` on; empty where whoever
    ordered knows none.
    """

    times_seconds: Floats
    replicas: NDArray[np.int64]
    late_price_times: Floats = field(default_factory=lambda: np.zeros(0))
    late_prices: Floats = field(default_factory=lambda: np.zeros(0))


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
    ordered: ReplicaSchedule | None = None  # ours only: the demand that spot rules place
    on_spot_market: bool = False  # a spot rule: measured against the bound with spot


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
    spot_bound: BoundOutcome | None = None  # where spot may be used as well

    def ratio_to_bound(self, outcome: Outcome) -> float | None:
        """Cost as a multiple of the bound's, for spot rules of the one with spot.

        None without a bound, or where the bound is nothing.
        """
        bound = self.spot_bound if outcome.on_spot_market else self.bound
        if bound is None or bound.cost_dollars <= 0:
            return None
        return outcome.cost_dollars / bound.cost_dollars
