"""One workload looked at: what it costs and does, what a policy would change, and what cannot be said of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

import numpy as np

from inference_cost.api.group import API_VERSION, POLICY
from inference_cost.cli.failure import CommandError
from inference_cost.cli.listing import Unread
from inference_cost.cli.scan import obstacles, suggestion, words
from inference_cost.cli.scan.amounts import DOLLARS, Amounts
from inference_cost.cli.scan.autoscalers import Autoscaler
from inference_cost.cli.scan.document import AutoscalerPart, SavingPart, Unknown, WorkloadPart
from inference_cost.cli.scan.learned import (
    Learned,
    busy_fraction,
    learn_service,
    replicas_by_window,
    serving_models,
)
from inference_cost.cli.scan.prices import WorkloadCost
from inference_cost.cli.scan.replay import Report, Subject, replay
from inference_cost.cli.scan.saving import money, saving_of
from inference_cost.cli.scan.signals import Signals
from inference_cost.cli.scan.suggestion import Bounds, Objective
from inference_cost.cli.scan.whole_nodes import a_node_each
from inference_cost.cli.scan.workloads import Found
from inference_cost.model.reading import Missing

CANNOT: Final = "Cannot be said: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The objective where no policy tells it. `threshold_milliseconds`: None where it is to be assumed."""

    threshold_milliseconds: int | None
    target: str
    amounts: Amounts = field(default_factory=lambda: Amounts(DOLLARS))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """All that is known of one workload. `policy`: the InferenceCostPolicy that it has already."""

    found: Found
    cost: WorkloadCost
    autoscaler: Autoscaler
    signals: Signals | Unread
    policy: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Told:
    """What is to be said of use and saving. Something may be unknown beside a saving."""

    verdict: str = ""
    saving: SavingPart | None = None
    policy: str = ""
    models: tuple[str, ...] = ()
    busy: float | None = None
    unknown: tuple[Unknown, ...] = field(default=())

    def but(self, reason: Unknown) -> "_Told":
        """The same, and why no saving is told."""
        return replace(self, verdict=f"{CANNOT}{reason.why}.", unknown=(reason,))


def inspect(seen: Seen, wanted: Wanted, report: Report) -> WorkloadPart:
    """Does not fail for one workload: what goes wrong is what cannot be said of it."""
    told = _told(seen, wanted, report)
    found, cost, busy = seen.found, seen.cost, told.busy
    priced = cost.per_hour if isinstance(cost.per_hour, Decimal) else None
    waste = None if priced is None or busy is None else priced * Decimal(str(1 - busy))
    return WorkloadPart(
        namespace=found.key.namespace,
        kind=found.key.kind,
        name=found.key.name,
        replicas=found.replicas,
        ready=found.ready,
        gpus=sum(pod.gpus for pod in found.bound),
        gpu_products=cost.gpu_products,
        models=told.models,
        per_hour=None if priced is None else money(priced),
        priced=", ".join(cost.origins),
        busy_percent=None if busy is None else round(100 * busy, 1),
        waste_per_hour=None if waste is None else money(waste),
        autoscaler=_autoscaler(seen.autoscaler),
        verdict=told.verdict,
        saving=told.saving,
        unknown=(*obstacles.price_unknown(cost), *told.unknown),
        policy=told.policy,
    )


def _autoscaler(one: Autoscaler) -> AutoscalerPart:
    return AutoscalerPart(
        kind=one.kind,
        name=one.name,
        rule=one.rule,
        min_replicas=one.min_replicas,
        max_replicas=one.max_replicas,
        paused=one.paused,
        traps=one.traps,
    )


def _told(seen: Seen, wanted: Wanted, report: Report) -> _Told:
    signals = seen.signals
    if isinstance(signals, Unread):
        return _Told().but(obstacles.no_signals(seen.found, signals))
    models = serving_models(signals)
    busy = None if signals.language_models else busy_fraction(signals)
    told = _Told(models=tuple(models), busy=busy)
    obstacle = obstacles.no_replay(seen.found, signals, models)
    if obstacle is not None:
        return told.but(obstacle)
    learned = learn_service(signals.counted[models[0]], replicas_by_window(signals))
    if learned is None:
        return told.but(obstacles.NO_BATCH)
    objective = _objective(seen, wanted, learned)
    if objective is None:
        return told.but(obstacles.no_objective(seen.policy or {}))
    return _compared(seen, signals, learned, objective, wanted.amounts, report, told)


def _objective(seen: Seen, wanted: Wanted, learned: Learned) -> Objective | None:
    """That of its policy; else as wanted; else assumed. None where its policy has one that cannot be replayed."""
    if seen.policy is not None:
        return _of_policy(seen.policy)
    if wanted.threshold_milliseconds is not None:
        return Objective(
            threshold_milliseconds=wanted.threshold_milliseconds,
            target=wanted.target,
            source="--threshold-milliseconds",
        )
    return suggestion.assumed_objective(learned.service, wanted.target)


def _of_policy(policy: Mapping[str, Any]) -> Objective | None:
    latency = (policy["spec"].get("slo") or {}).get("latency")
    if not latency or policy["spec"].get("variants"):
        return None
    return Objective(
        threshold_milliseconds=int(latency["thresholdMilliseconds"]),
        target=str(latency.get("target", "99.0")),
        source=f"{POLICY.kind}/{policy['metadata']['name']}",
    )


def _compared(  # noqa: PLR0917 - handed on from one place
    seen: Seen,
    signals: Signals,
    learned: Learned,
    objective: Objective,
    amounts: Amounts,
    report: Report,
    told: _Told,
) -> _Told:
    most = int(np.rint(signals.replicas.max()))
    limits = suggestion.bounds(seen.autoscaler, seen.found.replicas, most)
    policy = _policy(seen, objective, limits)
    text = suggestion.as_yaml(policy, tuple(_remarks(seen, objective, limits)))
    told = replace(told, policy=text, unknown=tuple(obstacles.beside_a_saving(seen.cost, signals)))
    if seen.policy is None and most <= limits.fewest:
        return replace(told, verdict=words.fewest_run(limits, most))
    price = _replica_price(seen)
    subject = Subject(
        found=seen.found,
        signals=signals,
        learned=learned,
        policy=policy,
        objective=objective,
        price_per_hour=price,
        nodes=seen.cost.nodes or a_node_each(Decimal(1) if price is None else price),
    )
    try:
        saving = saving_of(replay(subject, report))
    except CommandError as error:
        return told.but(obstacles.failed(error))
    return replace(told, verdict=words.verdict(saving, amounts), saving=saving)


def _policy(seen: Seen, objective: Objective, limits: Bounds) -> dict[str, Any]:
    if seen.policy is None:
        return suggestion.policy_object(seen.found, objective, limits)
    return {
        "apiVersion": API_VERSION,
        "kind": POLICY.kind,
        "metadata": {key: seen.policy["metadata"][key] for key in ("name", "namespace")},
        "spec": dict(seen.policy["spec"]),
    }


def _remarks(seen: Seen, objective: Objective, limits: Bounds) -> Iterator[str]:
    if seen.policy is not None:
        yield "The policy that is there."
        return
    yield f"Objective: {objective.source}."
    yield f"minReplicas: {limits.why_fewest}."
    if seen.autoscaler.name:
        other = f"{seen.autoscaler.kind}/{seen.autoscaler.name}"
        yield f"Recommend runs beside {other}; Enforce needs it paused or deleted first."


def _replica_price(seen: Seen) -> Decimal | None:
    """Mean of those that run; None where it is not known, or none runs."""
    per_hour, count = seen.cost.per_hour, len(seen.found.bound)
    if isinstance(per_hour, Missing) or not count or not per_hour:
        return None
    return per_hour / count
