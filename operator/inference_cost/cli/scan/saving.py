"""What a policy would have changed on a workload's own traffic, at the same objective, and how sure that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import floor, sqrt
from typing import Final

import numpy as np
from scipy.special import stdtrit

from inference_cost.cli.scan.document import ObjectivePart, SavingPart, Side
from inference_cost.cli.scan.learned import Learned
from inference_cost.cli.scan.signals import Floats
from inference_cost.cli.scan.suggestion import Objective
from inference_cost.cli.scan.whole_nodes import NodeCosts
from inference_cost.simulate.outcome import Outcome
from inference_cost.simulate.scenario import Scenario

MONTH_HOURS: Final = 730.0
DAY_SECONDS: Final = 86_400.0
FEWEST_DAYS: Final = 2  # whole ones, from which the difference between days is known
REPLAY_ERROR: Final = 0.05  # of cost: the replay against real servers (docs/simulator.md)
UPPER: Final = 0.975  # of the 95 % in the middle
CENT: Final = Decimal("0.01")
SAME_PERCENT: Final = 1.0  # of replica-hours
LEAST_MONTH_HOURS: Final = 2.0  # of history, below which nothing is said of a month


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Both sides on the same traffic. `price_known`: else each node is taken to cost 1, and no amount is shown."""

    scenario: Scenario
    today: Outcome
    policy: Outcome
    learned: Learned
    objective: Objective
    nodes: NodeCosts
    price_known: bool
    assumptions: tuple[str, ...]


def saving_of(run: Replayed) -> SavingPart:
    hours = _hours(run)
    before, after = _per_hour(run, run.today, run.nodes), _per_hour(run, run.policy, run.nodes)
    at_best = before - _per_hour(run, run.policy, run.nodes.at_best)
    today, policy = _side(run, run.today, before), _side(run, run.policy, after)
    known = run.price_known and policy.meets_objective and hours >= LEAST_MONTH_HOURS
    error = _error_per_hour(run, after)
    replicas = _change(_replica_hours(run.today), _replica_hours(run.policy))
    return SavingPart(
        per_month=money((before - after) * MONTH_HOURS) if known else None,
        error=money(error * MONTH_HOURS) if known and error is not None else None,
        at_best_per_month=money(at_best * MONTH_HOURS) if known else None,
        worthwhile=policy.meets_objective
        and replicas <= -SAME_PERCENT
        and error is not None
        and before - after > error,
        replica_hours_percent=round(replicas, 1),
        node_cost_percent=round(_change(before, after), 1),
        error_percent=None if error is None else _percent(error, before),
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


def _side(run: Replayed, outcome: Outcome, per_hour: float) -> Side:
    attained = outcome.attained_fraction
    return Side(
        per_hour=money(per_hour) if run.price_known else None,
        mean_replicas=round(_replica_hours(outcome) / _hours(run), 2),
        attained_percent=floor(attained * 10_000) / 100,
        meets_objective=attained >= float(run.objective.target) / 100,
    )


def _hours(run: Replayed) -> float:
    return (run.scenario.traffic.seconds - run.scenario.exclude_first_seconds) / 3600


def _replica_hours(outcome: Outcome) -> float:
    return outcome.replica_hours.on_demand


def _change(before: float, after: float) -> float:
    return 100 * (after / before - 1) if before > 0 else 0.0


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole > 0 else 0.0


def _per_hour(run: Replayed, outcome: Outcome, nodes: NodeCosts) -> float:
    """Of whole nodes. Starts that were paid for beside the course cost what a replica more costs on average."""
    width = outcome.course.width_seconds / 3600
    billed = outcome.course.billed[_first(run) :]
    beside = max(_replica_hours(outcome) - float(billed.sum()) * width, 0.0)
    whole = float(nodes.over(billed).sum()) * width
    return (whole + beside * _slope(nodes, billed)) / _hours(run)


def _slope(nodes: NodeCosts, billed: Floats) -> float:
    fewest, most = float(billed.min(initial=np.inf)), float(billed.max(initial=0.0))
    if most <= fewest:
        return 0.0
    low, high = nodes.over(np.array([fewest, most]))
    return float(high - low) / (most - fewest)


def _first(run: Replayed) -> int:
    """Bin from which on all counts."""
    return round(run.scenario.exclude_first_seconds / run.policy.course.width_seconds)


def _error_per_hour(run: Replayed, own: float) -> float | None:
    """Half of the 95 % interval: days differ, service times are estimates, and the replay is not the cluster.

    `own`: what the policy's nodes cost per hour. None with fewer than two whole days.
    """
    days = [float(one.mean()) for one in _days(run)]
    if len(days) < FEWEST_DAYS:
        return None
    # Few days say little of how days differ: Student's t in place of two standard deviations.
    times = float(stdtrit(len(days) - 1, UPPER))
    between = times * float(np.std(days, ddof=1)) / sqrt(len(days))
    return sqrt(between**2 + (own * run.learned.error_fraction) ** 2 + (own * REPLAY_ERROR) ** 2)


def _days(run: Replayed) -> Iterator[Floats]:
    """Saved per hour, in the bins of each whole day that counts."""
    first = _first(run)
    today, policy = (run.nodes.over(one.course.billed[first:]) for one in (run.today, run.policy))
    bins = round(DAY_SECONDS / run.policy.course.width_seconds)
    for start in range(0, len(policy) - bins + 1, bins):
        yield today[start : start + bins] - policy[start : start + bins]
