"""The conditions of a policy: what each says, when, and what a person can do about it.

Every condition is written on every visit. `True` or `False` is said only of what is known; the rest is `Unknown`.
A message names the field or setting to change, in backquotes, and never carries the body of an answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from inference_cost.act import condition_texts as texts
from inference_cost.model.observation import DecisionSettings, PolicyObservation, PolicyRefusal
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import LatencyObjective, Mode
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import NoWorkload, Pod, TargetProblem, Workload

MESSAGE_LIMIT = 1024  # characters


class ConditionType(StrEnum):
    READY = "Ready"
    ACCEPTED = "Accepted"
    METRICS_AVAILABLE = "MetricsAvailable"
    SLO_MET = "SLOMet"
    CAPACITY_AVAILABLE = "CapacityAvailable"
    SCALING_LIMITED = "ScalingLimited"
    CONFLICTED = "Conflicted"


class ConditionStatus(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one condition says now. `reason` is CamelCase."""

    status: ConditionStatus
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the conditions are derived from. `plan` is None when the decision for this policy failed."""

    seen: PolicyObservation
    plan: Plan | None
    at: float  # epoch seconds
    settings: DecisionSettings = DecisionSettings()

    @property
    def mode(self) -> Mode:
        return self.plan.mode if self.plan is not None else self.seen.policy.mode

    @property
    def rejected(self) -> NoWorkload | None:
        return next((w for w in self.seen.workloads if isinstance(w, NoWorkload)), None)

    @property
    def target(self) -> str:
        return ", ".join(str(v.target) for v in self.seen.policy.variants)

    @property
    def pods(self) -> list[Pod]:
        return [p for w in self.seen.workloads if isinstance(w, Workload) for p in w.pods]


def is_true(reason: str, message: str) -> Finding:
    return Finding(status=ConditionStatus.TRUE, reason=reason, message=message)


def is_false(reason: str, message: str) -> Finding:
    return Finding(status=ConditionStatus.FALSE, reason=reason, message=message)


def is_unknown(reason: str, message: str) -> Finding:
    return Finding(status=ConditionStatus.UNKNOWN, reason=reason, message=message)


def find(view: View) -> dict[ConditionType, Finding]:
    """Every condition of a policy whose spec is valid."""
    return {kind: rule(view) for kind, rule in _RULES.items()}


def find_refused(refusal: PolicyRefusal) -> dict[ConditionType, Finding]:
    """Every condition of a policy whose spec cannot be followed; nothing but the spec is known."""
    message = texts.refused(refusal)
    waiting = is_unknown("NotAccepted", texts.NOT_ACCEPTED)
    findings = dict.fromkeys(ConditionType, waiting)
    findings[ConditionType.READY] = is_false("InvalidSpec", message)
    findings[ConditionType.ACCEPTED] = is_false("InvalidSpec", message)
    return findings


def find_unvisited() -> dict[ConditionType, Finding]:
    """Every condition before the first decision."""
    return dict.fromkeys(ConditionType, is_unknown("Pending", texts.PENDING))


def merge_conditions(
    findings: Mapping[ConditionType, Finding],
    *,
    previous: Iterable[Mapping[str, Any]],
    generation: int,
    at: float,
) -> list[dict[str, Any]]:
    """API conditions in a fixed order; `lastTransitionTime` moves only when the status does."""
    before = {str(c.get("type")): c for c in previous}
    return [
        {
            "type": kind.value,
            "status": found.status.value,
            "reason": found.reason,
            "message": cap(found.message),
            "observedGeneration": generation,
            "lastTransitionTime": _transition(before.get(kind.value), found.status, at),
        }
        for kind, found in ((kind, findings[kind]) for kind in ConditionType)
    ]


def cap(message: str, limit: int = MESSAGE_LIMIT) -> str:
    return message if len(message) <= limit else message[: limit - 1] + "…"


def timestamp(at: float) -> str:
    """Kubernetes time: UTC, whole seconds."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _transition(before: Mapping[str, Any] | None, status: ConditionStatus, at: float) -> str:
    if before is not None and before.get("status") == status.value:
        kept = before.get("lastTransitionTime")
        if kept:
            return str(kept)
    return timestamp(at)


def _ready(view: View) -> Finding:
    """Spec valid, target found, decisions made, nobody else writes. Never flips for a gap in the metrics."""
    accepted = _accepted(view)
    if accepted.status is not ConditionStatus.TRUE:
        return accepted
    conflicted = _conflicted(view)
    if conflicted.status is ConditionStatus.TRUE:
        return is_false("Conflicted", conflicted.message)
    if view.plan is None:
        return is_false("InternalError", texts.INTERNAL_ERROR)
    if view.seen.policy.pause is not None:
        return is_true("Paused", texts.paused(view.seen.policy.pause))
    if view.mode is Mode.ENFORCE:
        return is_true("Enforcing", texts.enforcing(view.target))
    return is_true("Recommending", texts.recommending(view.target, view.seen.policy.mode))


def _accepted(view: View) -> Finding:
    rejected = view.rejected
    if rejected is None:
        return is_true("Accepted", f"The spec is valid and {view.target} can be scaled.")
    message = rejected.message or texts.TARGET_FIXES[TargetProblem(rejected.problem)].format(
        target=rejected.target
    )
    return is_false(rejected.problem.value, message)


def _metrics_available(view: View) -> Finding:
    if view.rejected is not None:
        return is_unknown("NotAccepted", texts.NOT_ACCEPTED)
    signals, configurations = view.seen.signals, view.seen.configurations
    if isinstance(signals, Missing):
        return _missing_metrics(view, signals)
    if isinstance(configurations, Missing) and (
        configurations.reason is MissingReason.MODEL_NOT_LOADED
    ):
        return _missing_metrics(view, configurations)
    if signals.partial:
        return is_true("PartialResponse", texts.PARTIAL_RESPONSE)
    pods, ready = len(signals.pods), sum(1 for p in view.pods if p.ready)
    return is_true("MetricsReported", f"{pods} of {ready} ready pods report Triton metrics.")


def _missing_metrics(view: View, missing: Missing) -> Finding:
    message = texts.missing_metrics(missing, view.target)
    if missing.reason in (MissingReason.WARMING_UP, MissingReason.NO_READY_PODS):
        return is_unknown(missing.reason.value, message)
    if missing.reason is MissingReason.NO_TRAFFIC:
        return is_true(missing.reason.value, message)
    return is_false(missing.reason.value, message)


def _slo_met(view: View) -> Finding:
    """True or False only from a measurement; a prediction is named, and stays Unknown."""
    plan, objective = view.plan, view.seen.policy.objective
    if view.rejected is not None:
        return is_unknown("NotAccepted", texts.NOT_ACCEPTED)
    if plan is None:
        return is_unknown("InternalError", texts.INTERNAL_ERROR)
    measured = plan.attainment
    if isinstance(measured, Missing):
        predicted = texts.predicted(plan, objective)
        return is_unknown("NotMeasured", f"{texts.not_measured(view.seen)} {predicted}".strip())
    wanted = objective.target_fraction if isinstance(objective, LatencyObjective) else 1.0
    message = texts.measured(measured, objective)
    if measured.fraction >= wanted:
        return is_true("Met", message)
    return is_false("Violated", f"{message} {texts.violated(plan)}".strip())


def _capacity_available(view: View) -> Finding:
    if view.rejected is not None:
        return is_unknown("NotAccepted", texts.NOT_ACCEPTED)
    refusal = next(
        (
            w.quota_refusal
            for w in view.seen.workloads
            if isinstance(w, Workload) and w.quota_refusal
        ),
        "",
    )
    if refusal:
        return is_false("QuotaExceeded", texts.quota(refusal))
    failing = [p for p in view.pods if p.waiting_reason in texts.FAILING_REASONS]
    if failing:
        return is_false(failing[0].waiting_reason, texts.failing(failing))
    pending = [p for p in view.pods if p.unschedulable and not p.terminating]
    if not pending:
        return is_true("AllPodsPlaced", "No pod waits for a node.")
    waited = view.at - min(p.created_at for p in pending)
    if waited > view.settings.start_up_seconds_prior:
        return is_false("Unschedulable", texts.unschedulable(pending, waited))
    return is_unknown("WaitingForNodes", texts.waiting_for_nodes(pending, waited))


def _scaling_limited(view: View) -> Finding:
    if view.rejected is not None:
        return is_true(LimitedBy.NO_TARGET.value, texts.NOT_ACCEPTED)
    if view.plan is None:
        return is_unknown("InternalError", texts.INTERNAL_ERROR)
    if view.plan.limited_by is LimitedBy.NOTHING:
        return is_false("NotLimited", "Replicas follow the need.")
    return is_true(view.plan.limited_by.value, texts.limited(view.plan, view.seen.policy))


def _conflicted(view: View) -> Finding:
    conflict = view.seen.conflict
    if conflict is None:
        return is_false("NoConflict", "Nothing else is known to scale the target.")
    message = conflict.message or texts.CONFLICT_FIXES[conflict.kind].format(other=conflict.other)
    if view.mode is Mode.ENFORCE:
        return is_true(conflict.kind.value, f"{message} Nothing is written until then.")
    return is_false("RunsBeside", f"{message} In Recommend nothing is written, so both can stay.")


_RULES: Mapping[ConditionType, Callable[[View], Finding]] = {
    ConditionType.READY: _ready,
    ConditionType.ACCEPTED: _accepted,
    ConditionType.METRICS_AVAILABLE: _metrics_available,
    ConditionType.SLO_MET: _slo_met,
    ConditionType.CAPACITY_AVAILABLE: _capacity_available,
    ConditionType.SCALING_LIMITED: _scaling_limited,
    ConditionType.CONFLICTED: _conflicted,
}
