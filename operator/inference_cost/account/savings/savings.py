"""What a policy saved against its baseline this month: both sides at the same objective, or no number.

Each look holds until the next one, on both sides. Time of which one side is not known counts on neither. In Recommend
the policy's side is what its decisions would cost, and the saving is potential.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from inference_cost.account.calendar import month_of
from inference_cost.account.milliseconds import hours_between
from inference_cost.account.savings.baselines import (
    Counterfactual,
    Shadows,
)
from inference_cost.model.policy import Baseline
from inference_cost.model.reading import Missing, MissingReason

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The policy now, as it runs or as it would: whole nodes per hour, and the part of the requests that is late."""

    per_hour: Decimal
    late_fraction: float
    measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """One side over the time counted."""

    amount: Decimal = NOTHING
    late: float = 0.0  # requests
    measured: bool = True

    def plus(self, per_hour: Decimal, late: float, measured: bool, hours: Decimal) -> "Sum":
        return Sum(
            amount=self.amount + per_hour * hours,
            late=self.late + late,
            measured=self.measured and measured,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Both sides at one look. Missing: one of them is not known, or there is no saving to speak of."""

    baseline: Baseline
    potential: bool
    requests_per_second: float
    ours: Side
    theirs: Counterfactual


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Sums over all months of one baseline and mode: they never fall, and are exported."""

    baseline: Baseline
    potential: bool
    ours: Sum = field(default_factory=Sum)
    theirs: Sum = field(default_factory=Sum)
    requests: float = 0.0
    seconds: float = 0.0  # in which both sides were known


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsMemory:
    """Sums of one month, baseline and mode. Times are epoch seconds."""

    baseline: Baseline
    potential: bool
    since: float
    last_at: float
    shadows: Shadows = field(default_factory=Shadows)
    ours: Sum = field(default_factory=Sum)
    theirs: Sum = field(default_factory=Sum)
    requests: float = 0.0
    seconds: float = 0.0
    unknown_seconds: float = 0.0
    kept: tuple[Kept, ...] = ()
    look: Look | Missing = Missing(reason=MissingReason.NOT_LEARNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """Of the time counted. `amount` may be negative; Missing where the sides do not meet the same objective."""

    baseline: Baseline
    potential: bool
    since: float
    seconds: float
    unknown_seconds: float
    ours: Decimal
    theirs: Decimal
    ours_late: float  # of the requests
    theirs_late: float
    ours_measured: bool
    theirs_measured: bool
    amount: Decimal | Missing
    look: Look | Missing  # now

    @property
    def fraction(self) -> Decimal | Missing:
        """Of what the baseline costs."""
        if isinstance(self.amount, Missing):
            return self.amount
        if self.theirs == 0:
            return Missing(reason=MissingReason.NO_TRAFFIC, detail="the baseline costs nothing")
        return self.amount / self.theirs


def advanced(
    memory: SavingsMemory | None,
    look: Look | Missing,
    *,
    baseline: Baseline,
    potential: bool,
    at: float,
    shadows: Shadows,
    gap_after_seconds: float,
) -> SavingsMemory:
    """Count the time since the last look, then remember this one."""
    counted = _counted(memory, at, gap_after_seconds) if memory is not None else None
    if counted is None or _begins_anew(counted, baseline, potential, at):
        kept = () if counted is None else counted.kept
        counted = SavingsMemory(
            baseline=baseline, potential=potential, since=at, last_at=at, kept=kept
        )
    return replace(
        counted,
        look=look,
        shadows=shadows,
        last_at=max(at, counted.last_at),
        kept=_from_zero(counted.kept, baseline, potential=potential),
    )


def _from_zero(kept: tuple[Kept, ...], baseline: Baseline, *, potential: bool) -> tuple[Kept, ...]:
    """What is new begins at zero: `increase()` sees nothing of a series before its first sample."""
    if any((one.baseline, one.potential) == (baseline, potential) for one in kept):
        return kept
    return (*kept, Kept(baseline=baseline, potential=potential))


def _begins_anew(memory: SavingsMemory, baseline: Baseline, potential: bool, at: float) -> bool:
    return (memory.baseline, memory.potential, month_of(memory.since)) != (
        baseline,
        potential,
        month_of(at),
    )


def _counted(memory: SavingsMemory, at: float, gap_after_seconds: float) -> SavingsMemory:
    seconds = at - memory.last_at
    if seconds <= 0:
        return memory
    look = memory.look
    if isinstance(look, Missing) or seconds > gap_after_seconds:
        return replace(memory, unknown_seconds=memory.unknown_seconds + seconds)
    hours = hours_between(memory.last_at, at)
    requests = look.requests_per_second * seconds
    late = requests * look.ours.late_fraction, requests * look.theirs.late_fraction

    def ours(before: Sum) -> Sum:
        return before.plus(look.ours.per_hour, late[0], look.ours.measured, hours)

    def theirs(before: Sum) -> Sum:
        return before.plus(look.theirs.per_hour, late[1], look.theirs.measured, hours)

    return replace(
        memory,
        ours=ours(memory.ours),
        theirs=theirs(memory.theirs),
        requests=memory.requests + requests,
        seconds=memory.seconds + seconds,
        kept=tuple(
            replace(
                one,
                ours=ours(one.ours),
                theirs=theirs(one.theirs),
                requests=one.requests + requests,
                seconds=one.seconds + seconds,
            )
            if (one.baseline, one.potential) == (look.baseline, look.potential)
            else one
            for one in memory.kept
        ),
    )


def savings_of(memory: SavingsMemory, allowed_late: float) -> Savings:
    """`allowed_late`: part of the requests that the objective lets be late."""
    asked = max(memory.requests, 1e-9)
    ours_late, theirs_late = memory.ours.late / asked, memory.theirs.late / asked
    return Savings(
        baseline=memory.baseline,
        potential=memory.potential,
        since=memory.since,
        seconds=memory.seconds,
        unknown_seconds=memory.unknown_seconds,
        ours=memory.ours.amount,
        theirs=memory.theirs.amount,
        ours_late=ours_late,
        theirs_late=theirs_late,
        ours_measured=memory.ours.measured,
        theirs_measured=memory.theirs.measured,
        amount=_amount(memory, ours_late, theirs_late, allowed_late),
        look=memory.look,
    )


def _amount(
    memory: SavingsMemory, ours_late: float, theirs_late: float, allowed: float
) -> Decimal | Missing:
    if memory.seconds == 0:
        if isinstance(memory.look, Missing):
            return memory.look
        return Missing(reason=MissingReason.NOT_LEARNED, detail="nothing was counted yet")
    for late, whose in ((ours_late, "the policy"), (theirs_late, "the baseline")):
        if late > allowed:
            return Missing(
                reason=MissingReason.NOT_COMPARABLE,
                detail=f"{whose} has {100 * late:.2f} % of the requests late, where the objective allows"
                f" {100 * allowed:.2f} %: at unlike objectives there is no saving",
            )
    return memory.theirs.amount - memory.ours.amount
