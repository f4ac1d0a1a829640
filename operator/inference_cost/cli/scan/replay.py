"""A workload's own traffic, replayed: with the replicas that really ran, and with the policy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import numpy as np

from inference_cost.cli.backtest.fleet import Question, compare_one
from inference_cost.cli.backtest.objects import policy_to_replay
from inference_cost.cli.backtest.options import START_SECONDS
from inference_cost.cli.failure import CommandError
from inference_cost.cli.scan.learned import Learned
from inference_cost.cli.scan.saving import Replayed
from inference_cost.cli.scan.signals import Signals
from inference_cost.cli.scan.suggestion import Objective
from inference_cost.cli.scan.whole_nodes import NodeCosts
from inference_cost.cli.scan.workloads import Found
from inference_cost.model.policy import Routing as PolicyRouting
from inference_cost.simulate.observed import run_observed
from inference_cost.simulate.scenario import Routing, Scenario

EXCLUDED_SECONDS: Final = 600.0
LONGEST_START_SECONDS: Final = 3600.0
TICK_SECONDS: Final = 15.0
LEAST_SECONDS: Final = 2 * EXCLUDED_SECONDS
Report = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """What is replayed. `price_per_hour`: of one replica. `nodes`: under its replicas; without a price each costs 1."""

    found: Found
    signals: Signals
    learned: Learned
    policy: Mapping[str, Any]
    objective: Objective
    price_per_hour: Decimal | None
    nodes: NodeCosts


def replay(subject: Subject, report: Report) -> Replayed:
    """Both sides.

    Raises:
        CommandError: it cannot be replayed; says why.
    """
    signals = subject.signals
    if signals.seconds <= LEAST_SECONDS:
        raise CommandError(
            f"there are {signals.seconds / 60:.0f} minutes of history, and {LEAST_SECONDS / 60:.0f} are the least"
        )
    scenario = _scenario(subject)
    replicas = np.maximum(np.rint(signals.replicas), 0).astype(np.int64)
    try:
        today = run_observed(scenario, replicas, signals.step_seconds)
    except ValueError as error:
        raise CommandError(str(error)) from None
    question = Question(against=(), tuned=False, bound=False)
    compared = compare_one(scenario, question, jobs=1, report=report)
    return Replayed(
        scenario=scenario,
        today=today,
        policy=compared.outcomes[0],
        learned=subject.learned,
        objective=subject.objective,
        nodes=subject.nodes,
        price_known=subject.price_per_hour is not None,
        assumptions=tuple(_assumptions(scenario, signals, subject)),
    )


def _scenario(subject: Subject) -> Scenario:
    found, signals, price = subject.found, subject.signals, subject.price_per_hour
    parsed = policy_to_replay(subject.policy, str(found.key), found.key.namespace)
    balanced = parsed.routing is PolicyRouting.LEAST_REQUEST
    return Scenario(
        policy=parsed,
        traffic=signals.traffic,
        service=subject.learned.service,
        price_per_hour=Decimal(1) if price is None else price,
        price_source="unknown" if price is None else "its nodes",
        start_seconds=start_seconds(found),
        scrape_seconds=signals.scrape_seconds,
        tick_seconds=max(TICK_SECONDS, signals.scrape_seconds),
        routing=Routing.LEAST_REQUEST if balanced else Routing.RANDOM,
        exclude_first_seconds=EXCLUDED_SECONDS,
    )


def start_seconds(found: Found) -> float:
    """From creation to ready, of the slowest pod that never restarted; at least what a backtest takes for granted."""
    seen = [
        pod.ready_at - pod.created_at
        for pod in found.pods
        if pod.ready_at is not None and not pod.restarts
    ]
    usual = [one for one in seen if 0 < one <= LONGEST_START_SECONDS]
    return max([START_SECONDS, *usual])


def _assumptions(scenario: Scenario, signals: Signals, subject: Subject) -> list[str]:
    learned = subject.learned
    service = learned.service
    told = [
        (
            f"{signals.seconds / 3600:.3g} hours of its traffic until {_time(signals.period.end)}, replayed; replicas "
            "that ran are those with metrics"
        ),
        (
            f"a batch takes {service.fixed_seconds * 1000:.3g} ms and {service.per_item_seconds * 1000:.3g} ms per "
            f"request (± {100 * learned.error_fraction:.0f} %), from Triton's counters"
        ),
        f"batches of at most {service.max_batch}, the largest mean seen: a larger max_batch_size carries more",
        f"a replica starts in {scenario.start_seconds:.0f} s",
        subject.nodes.words,
        "requests shed in front of the pods are not in the traffic",
    ]
    if signals.left_out_seconds > signals.step_seconds:
        told.append(
            f"{signals.left_out_seconds / 3600:.3g} hours without metrics, or before them, are left out"
        )
    return told


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ")
