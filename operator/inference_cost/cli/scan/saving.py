"""What a policy would have changed on a workload's own traffic, at the same objective, and how sure that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import floor, sqrt
from typing import Final

import numpy as np

from inference_cost.cli.scan.document import ObjectivePart, SavingPart, Side
from inference_cost.cli.scan.learned import Learned
from inference_cost.cli.scan.signals import Floats
from inference_cost.cli.scan.suggestion import Objective
from inference_cost.simulate.outcome import Course, Outcome
from inference_cost.simulate.scenario import Scenario

MONTH_HOURS: Final = 730.0
DAY_SECONDS: Final = 86_400.0
FEWEST_DAYS: Final = 2  # whole ones, from which the difference between days is known
REPLAY_ERROR: Final = 0.05  # of cost: the replay against real servers (docs/simulator.md)
DEVIATIONS: Final = 2.0
CENT: Final = Decimal("0.01")
SAME_PERCENT: Final = 1.0  # of replica-hours
LEAST_MONTH_HOURS: Final = 2.0  # of history, below which nothing is said of a month


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Both sides on the same traffic. `price_known`: else dollars are of a price of 1 and are not shown."""

    scenario: Scenario
    today: Outcome
    policy: Outcome
    learned: Learned
    objective: Objective
    price_known: bool
    assumptions: tuple[str, ...]


def saving_of(run: Replayed) -> SavingPart:
    hours = (run.scenario.traffic.seconds - run.scenario.exclude_first_seconds) / 3600
    today, policy = _side(run, run.today, hours), _side(run, run.policy, hours)
    known = run.price_known and policy.meets_objective and hours >= LEAST_MONTH_HOURS
    per_hour = (run.today.cost_dollars - run.policy.cost_dollars) / hours
    error = _error_per_hour(run)
    return SavingPart(
        per_month=money(per_hour * MONTH_HOURS) if known else None,
        error=money(error * MONTH_HOURS) if known and error is not None else None,
        worthwhile=policy.meets_objective
        and _change(_hours(run.today), _hours(run.policy)) <= -SAME_PERCENT
        and per_hour > (error or 0.0),
        replica_hours_percent=round(_change(_hours(run.today), _hours(run.policy)), 1),
        hours=round(hours, 2),
        objective=ObjectivePart(
            threshold_milliseconds=run.objective.threshold_milliseconds,
            target_percent=float(run.objective.target),
            source=run.objective.source,
        ),
        today=today,
        policy=policy,
        assumptions=run.assumptions,
    )


def money(amount: float | Decimal) -> str:
    return str(Decimal(str(amount)).quantize(CENT, ROUND_HALF_UP) + 0)


def _side(run: Replayed, outcome: Outcome, hours: float) -> Side:
    attained = outcome.attained_fraction
    return Side(
        per_hour=money(outcome.cost_dollars / hours) if run.price_known else None,
        mean_replicas=round(_hours(outcome) / hours, 2),
        attained_percent=floor(attained * 10_000) / 100,
        meets_objective=attained >= float(run.objective.target) / 100,
    )


def _hours(outcome: Outcome) -> float:
    return outcome.replica_hours.on_demand


def _change(before: float, after: float) -> float:
    return 100 * (after / before - 1) if before > 0 else 0.0


def _error_per_hour(run: Replayed) -> float | None:
    """Two standard deviations: days differ, service times are estimates, and the replay is not the cluster.

    None with fewer than two whole days.
    """
    days = [float(one.sum()) for one in _days(run)]
    if len(days) < FEWEST_DAYS:
        return None
    between = DEVIATIONS * float(np.std(days, ddof=1)) / sqrt(len(days)) / (DAY_SECONDS / 3600)
    hours = (run.scenario.traffic.seconds - run.scenario.exclude_first_seconds) / 3600
    own = run.policy.cost_dollars / hours
    return sqrt(between**2 + (own * run.learned.error_fraction) ** 2 + (own * REPLAY_ERROR) ** 2)


def _days(run: Replayed) -> Iterator[Floats]:
    """Dollars saved in the bins of each whole day that counts."""
    width = run.policy.course.width_seconds
    first = round(run.scenario.exclude_first_seconds / width)
    saved = _dollars(run.today.course)[first:] - _dollars(run.policy.course)[first:]
    bins = round(DAY_SECONDS / width)
    for start in range(0, len(saved) - bins + 1, bins):
        yield saved[start : start + bins]


def _dollars(course: Course) -> Floats:
    return course.dollars
