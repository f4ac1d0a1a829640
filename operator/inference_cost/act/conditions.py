"""The conditions of a policy: what each says, when, and what a person can do about it.

Every condition is written on every visit. `True` or `False` is said only of what is known; the rest is `Unknown`.
A message names the field or setting to change, in backquotes. It quotes Kubernetes where that refuses pods, and no
other answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from inference_cost.act import condition_texts as texts
from inference_cost.api.conditions import Condition, ConditionStatus, ConditionType
from inference_cost.api.fields import shorten
from inference_cost.api.pool_status import PoolConditionType
from inference_cost.decide.attainment import objective_met
from inference_cost.decide.evenness import lasts
from inference_cost.decide.pods import CANNOT_START
from inference_cost.model.observation import DecisionSettings, PolicyObservation, PolicyRefusal
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import Mode
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import NoWorkload, Pod, TargetProblem, Workload

INTERNAL_ERROR = "internal-error"  # the reason code of a decision that failed


class ConditionReason(StrEnum):
    """Reasons beyond those of a missing reading, a refused target, a limit or a conflict, which have their own."""

    NOT_OBSERVED = "NotObserved"
    READY = "Ready"
    PAUSED = "Paused"
    ACCEPTED = "Accepted"
    INVALID_SPEC = "InvalidSpec"
    INTERNAL_ERROR = "InternalError"
    METRICS_FRESH = "MetricsFresh"
    MET = "Met"
    VIOLATED = "Violated"
    NOT_MEASURED = "NotMeasured"
    CAPACITY_SUFFICIENT = "CapacitySufficient"
    PODS_PENDING = "PodsPending"
    PODS_FAILING = "PodsFailing"
    REFUSED = "Refused"
    NOT_LIMITED = "NotLimited"
    EVEN = "Even"
    STICKY_CONNECTIONS = "StickyConnections"
    NO_CONFLICT = "NoConflict"


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
    def failed(self) -> bool:
        codes = (r.code for r in self.plan.reasons) if self.plan is not None else (INTERNAL_ERROR,)
        return INTERNAL_ERROR in codes

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
    if refusal.internal:
        return _find_failed()
    message = texts.refused(refusal)
    waiting = is_unknown(ConditionReason.NOT_OBSERVED, texts.NOT_ACCEPTED)
    findings = dict.fromkeys(ConditionType, waiting)
    findings[ConditionType.READY] = is_false(ConditionReason.INVALID_SPEC, message)
    findings[ConditionType.ACCEPTED] = is_false(ConditionReason.INVALID_SPEC, message)
    return findings


def _find_failed() -> dict[ConditionType, Finding]:
    """Every condition of a policy that the operator failed on before anything was decided."""
    unknown = is_unknown(ConditionReason.INTERNAL_ERROR, texts.INTERNAL_ERROR)
    findings = dict.fromkeys(ConditionType, unknown)
    findings[ConditionType.READY] = is_false(ConditionReason.INTERNAL_ERROR, texts.INTERNAL_ERROR)
    return findings


def to_conditions(
    findings: Mapping[ConditionType, Finding] | Mapping[PoolConditionType, Finding],
    *,
    previous: Iterable[Mapping[str, Any]],
    generation: int,
    at: float,
) -> tuple[Condition, ...]:
    """API conditions in the order of `findings`; `lastTransitionTime` moves only when the status does."""
    since = {(c.type, c.status): c.last_transition_time for c in _readable(previous)}
    now = datetime.fromtimestamp(int(at), UTC)
    return tuple(
        Condition(
            type=kind.value,
            status=found.status,
            reason=found.reason,
            message=shorten(found.message),
            observed_generation=generation,
            last_transition_time=since.get((kind.value, found.status), now),
        )
        for kind, found in findings.items()
    )


def _readable(stored: Iterable[Mapping[str, Any]]) -> list[Condition]:
    """The stored conditions; one that cannot be read counts as new."""
    conditions = []
    for entry in stored:
        try:
            conditions.append(Condition.model_validate(entry))
        except ValidationError:
            continue
    return conditions


def _ready(view: View) -> Finding:
    """Spec valid, target found, decisions made, nobody else writes. Never flips for a gap in the metrics."""
    accepted = _accepted(view)
    if accepted.status is not ConditionStatus.TRUE:
        return accepted
    conflicted = _conflicted(view)
    if conflicted.status is ConditionStatus.TRUE:
        return is_false(conflicted.reason, conflicted.message)
    if view.failed:
        return is_false(ConditionReason.INTERNAL_ERROR, texts.INTERNAL_ERROR)
    if view.seen.policy.pause is not None:
        return is_true(ConditionReason.PAUSED, texts.paused(view.seen.policy.pause))
    if view.mode is Mode.ENFORCE:
        return is_true(ConditionReason.READY, texts.enforcing(view.target))
    return is_true(ConditionReason.READY, texts.recommending(view.target, view.seen.policy.mode))


def _accepted(view: View) -> Finding:
    rejected = view.rejected
    if rejected is None:
        return is_true(
            ConditionReason.ACCEPTED, f"The spec is valid and {view.target} can be scaled."
        )
    message = rejected.message or texts.TARGET_FIXES[TargetProblem(rejected.problem)].format(
        target=rejected.target
    )
    return is_false(rejected.problem.value, message)


def _metrics_available(view: View) -> Finding:
    if view.rejected is not None:
        return is_unknown(ConditionReason.NOT_OBSERVED, texts.NOT_ACCEPTED)
    signals, configurations = view.seen.signals, view.seen.configurations
    if isinstance(signals, Missing):
        return _missing_metrics(view, signals)
    if isinstance(configurations, Missing) and (
        configurations.reason is MissingReason.MODEL_NOT_LOADED
    ):
        return _missing_metrics(view, configurations)
    if not signals.pods:
        return _gateway_alone(view)
    if signals.partial:
        return is_true(MissingReason.PARTIAL, texts.partial_metrics(signals))
    pods, ready = len(signals.pods), sum(1 for p in view.pods if p.ready)
    return is_true(
        ConditionReason.METRICS_FRESH, f"{pods} of {ready} ready pods report Triton metrics."
    )


def _gateway_alone(view: View) -> Finding:
    """No replica on purpose is a state as good as any; one that is not ready yet reports nothing."""
    workloads = [w for w in view.seen.workloads if isinstance(w, Workload)]
    if any(w.desired_replicas for w in workloads):
        return _missing_metrics(view, Missing(reason=MissingReason.NO_READY_PODS))
    return is_true(ConditionReason.METRICS_FRESH, "No pod runs; the gateway reports who asks.")


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
        return is_unknown(ConditionReason.NOT_OBSERVED, texts.NOT_ACCEPTED)
    if plan is None:
        return is_unknown(ConditionReason.INTERNAL_ERROR, texts.INTERNAL_ERROR)
    measured = plan.attainment
    if isinstance(measured, Missing):
        predicted = texts.predicted(plan, objective)
        why = texts.not_measured(measured, view.seen.signals)
        return is_unknown(ConditionReason.NOT_MEASURED, f"{why} {predicted}".strip())
    message = texts.measured(measured, objective)
    if objective_met(measured, objective):
        return is_true(ConditionReason.MET, message)
    return is_false(
        ConditionReason.VIOLATED, f"{message} {texts.violated(plan, view.seen.policy)}".strip()
    )


def _capacity_available(view: View) -> Finding:
    if view.rejected is not None:
        return is_unknown(ConditionReason.NOT_OBSERVED, texts.NOT_ACCEPTED)
    refusal = next(
        (
            w.quota_refusal
            for w in view.seen.workloads
            if isinstance(w, Workload) and w.quota_refusal
        ),
        "",
    )
    if refusal:
        return is_false(ConditionReason.REFUSED, texts.quota(refusal))
    failing = [p for p in view.pods if p.waiting_reason in CANNOT_START]
    if failing:
        return is_false(ConditionReason.PODS_FAILING, texts.failing(failing))
    pending = [p for p in view.pods if p.unschedulable and not p.terminating]
    if not pending:
        return _started(view)
    waited = view.at - min(p.created_at for p in pending)
    if waited > view.settings.start_up_seconds_prior:
        return is_false(ConditionReason.PODS_PENDING, texts.unschedulable(pending, waited))
    return is_unknown(ConditionReason.PODS_PENDING, texts.waiting_for_nodes(pending, waited))


def _started(view: View) -> Finding:
    """No pod waits for a node; one that does not get ready is capacity that is paid for and missing, too."""
    if view.plan is not None and view.plan.limited_by is LimitedBy.POOL_LIMIT:
        return is_false(LimitedBy.POOL_LIMIT.value, texts.of_pools(view.plan, view.seen))
    reasons = view.plan.reasons if view.plan is not None else ()
    stuck = (r for r in reasons if r.code in ("stuck", "replaced"))
    trouble = next((dict(reason.values)["trouble"] for reason in stuck), None)
    waiting = (pod for pod in view.pods if not pod.ready and not pod.terminating)
    late = sorted(waiting, key=lambda pod: pod.created_at)
    if trouble is None or not late:
        return is_true(ConditionReason.CAPACITY_SUFFICIENT, texts.sufficient(view.plan))
    return is_false(ConditionReason.PODS_FAILING, texts.not_ready(late, str(trouble)))


def _scaling_limited(view: View) -> Finding:
    if view.rejected is not None:
        return is_true(LimitedBy.NO_TARGET.value, texts.NOT_ACCEPTED)
    if view.plan is None:
        return is_unknown(ConditionReason.INTERNAL_ERROR, texts.INTERNAL_ERROR)
    if view.plan.limited_by is LimitedBy.NOTHING:
        return is_false(ConditionReason.NOT_LIMITED, "Replicas follow the need.")
    return is_true(view.plan.limited_by.value, texts.limited(view.plan, view.seen))


def _traffic_uneven(view: View) -> Finding:
    if view.rejected is not None:
        return is_unknown(ConditionReason.NOT_OBSERVED, texts.NOT_ACCEPTED)
    if view.plan is None:
        return is_unknown(ConditionReason.INTERNAL_ERROR, texts.INTERNAL_ERROR)
    evenness = view.plan.evenness
    if isinstance(evenness, Missing):
        return is_unknown(ConditionReason.NOT_MEASURED, texts.EVENNESS_UNKNOWN)
    if lasts(evenness, view.at):
        return is_true(ConditionReason.STICKY_CONNECTIONS, texts.uneven(evenness))
    return is_false(ConditionReason.EVEN, texts.even(evenness))


def _conflicted(view: View) -> Finding:
    conflict = view.seen.conflict
    if conflict is None:
        return is_false(ConditionReason.NO_CONFLICT, "Nothing else is known to scale the target.")
    message = conflict.message or texts.CONFLICT_FIXES[conflict.kind].format(other=conflict.other)
    if view.mode is Mode.ENFORCE:
        return is_true(conflict.kind.value, f"{message} Until then nothing is written.")
    return is_false(
        conflict.kind.value, f"{message} In Recommend nothing is written, so both can stay."
    )


_RULES: Mapping[ConditionType, Callable[[View], Finding]] = {
    ConditionType.READY: _ready,
    ConditionType.ACCEPTED: _accepted,
    ConditionType.METRICS_AVAILABLE: _metrics_available,
    ConditionType.SLO_MET: _slo_met,
    ConditionType.CAPACITY_AVAILABLE: _capacity_available,
    ConditionType.SCALING_LIMITED: _scaling_limited,
    ConditionType.TRAFFIC_UNEVEN: _traffic_uneven,
    ConditionType.CONFLICTED: _conflicted,
}
