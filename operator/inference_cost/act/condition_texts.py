"""Sentences of the conditions: what was found, the field or setting it depends on, and the fix."""

from collections.abc import Sequence
from math import isfinite
from typing import assert_never

from inference_cost.api.annotations import PAUSED, PAUSED_REPLICAS
from inference_cost.decide.explain.sentences import keeps_one_unseen, reason_sentence
from inference_cost.decide.latency.loads import OVERLOADED_SECONDS
from inference_cost.model.observation import PolicyObservation, PolicyRefusal
from inference_cost.model.plan import Attainment, Evenness, LimitedBy, Plan, Prediction
from inference_cost.model.policy import (
    DrainObjective,
    LatencyObjective,
    Mode,
    Objective,
    Pause,
    Policy,
    QueueTimeObjective,
)
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import Signals
from inference_cost.model.workload import ConflictKind, Pod, TargetProblem

NOT_ACCEPTED = "Not looked at: see the condition `Accepted`."
INTERNAL_ERROR = (
    "The operator failed on this policy and keeps its replicas as they are; other policies go on. "
    "Its log has the error: please report it."
)
PARTIAL_RESPONSE = (
    "Prometheus says its answer is partial: replicas may be added on it, none are removed. "
    "Check the stores behind `prometheus.url`."
)

TARGET_FIXES = {
    TargetProblem.NOT_FOUND: "`spec.scaleTargetRef`: {target} does not exist in this namespace. "
    "Create it; or delete this policy, and create one for another.",
    TargetProblem.KIND_NOT_ENABLED: "`spec.scaleTargetRef.kind`: {target} is of a kind this "
    "installation does not scale. Add it to `rbac.scaleTargets` in the operator's values.",
    TargetProblem.NO_SCALE: "`spec.scaleTargetRef`: {target} has no scale subresource. "
    "Delete this policy, and create one for an object that has one, for example a Deployment.",
    TargetProblem.OWNED_BY: "`spec.scaleTargetRef`: {target} belongs to another controller, which "
    "would revert our replicas. Delete this policy, and create one for that controller's object.",
}

CONFLICT_FIXES = {
    ConflictKind.AUTOSCALER: "`spec.scaleTargetRef`: {other} scales the same target. "
    "Delete it, or pause it, to hand the replicas over.",
    ConflictKind.POLICY: "`spec.scaleTargetRef`: the older policy {other} has the same target. "
    "Delete one of the two.",
    ConflictKind.REVERTED: "{other} keeps reverting the replicas. Leave `replicas` out of its "
    "manifest, or have it ignore `/spec/replicas`.",
}

PODS_NAMED = 5

_METRICS = {
    MissingReason.SOURCE_UNREACHABLE: "Prometheus does not answer{detail}. Check `prometheus.url` in "
    "the operator's values, and that Prometheus runs.",
    MissingReason.UNAUTHORIZED: "Prometheus refuses the operator's credentials{detail}. Check "
    "`prometheus.existingSecret` and `prometheus.bearerTokenKey` in the operator's values.",
    MissingReason.QUERY_FAILED: "Prometheus answered with an error or in part{detail}. Check its log and "
    "its query limits.",
    MissingReason.EMPTY_RESULT: "No Triton metrics for {target}{detail}. Check that Prometheus scrapes "
    "the pods' metrics port (8002 by default) and keeps the labels `namespace` and `pod`, and that "
    "`prometheus.matchers` in the operator's values fits.",
    MissingReason.STALE: "The newest Triton metrics of {target} are too old{detail}. Check the scrape "
    "target in Prometheus.",
    MissingReason.NOT_FINITE: "Triton metrics of {target} are not usable numbers{detail}.",
    MissingReason.AMBIGUOUS: "More than one series where one is expected{detail}. Narrow "
    "`prometheus.matchers` in the operator's values to this cluster.",
    MissingReason.PARTIAL: "Too few ready pods of {target} report metrics{detail}. Check the scrape "
    "targets in Prometheus.",
    MissingReason.WARMING_UP: "The pods of {target} are too young for a full rate window{detail}. "
    "Nothing to do.",
    MissingReason.NO_READY_PODS: "No pod of {target} is ready. See its pods with "
    "`kubectl describe pod`.",
    MissingReason.NO_TRAFFIC: "{target} reports metrics and gets no requests{detail}.",
    MissingReason.NOT_EXPORTED: "The pods of {target} do not export the Triton counters needed{detail}. "
    "Start tritonserver with `--allow-metrics=true` and without `counter_latencies=false`.",
    MissingReason.NOT_CONFIGURED: "No source of metrics is set up{detail}. Set `prometheus.url` in the "
    "operator's values.",
    MissingReason.MODEL_NOT_LOADED: "`spec.serving.models`: a named model is not loaded on "
    "{target}{detail}. Load the model, or correct the name.",
}
_METRICS_OTHERWISE = "Metrics of {target} are not available{detail}."

_GATEWAY_HINT = (
    "Set `gateway.preset` in the operator's values (for example `envoy`), so that latency is "
    "measured in front of the fleet; or let tritonserver tell it: `--metrics-config "
    "histogram_latencies=true` (from 26.01 on; before, for decoupled models alone) or "
    "`summary_latencies=true`."
)

EVENNESS_UNKNOWN = "Not measured: at least two pods, ready for a full rate window, with 20 requests each are needed."

_LIMITS = {
    LimitedBy.MIN_REPLICAS: "Fewer would do; `spec.minReplicas` keeps {desired}.",
    LimitedBy.MAX_REPLICAS: "The need is {needed}; `spec.maxReplicas` allows {desired}. "
    "Raise it, or relax `spec.slo`.",
    LimitedBy.SCHEDULE: "The need is {needed}; `spec.schedules` has {desired} now, or in as long "
    "as a replica takes to start.",
    LimitedBy.BEHAVIOR: "The need is {needed}; `spec.behavior` allows {desired} for now.",
    LimitedBy.STABILIZATION: "The need is {needed}; the target is held at {desired} until that has lasted for a "
    "while.",
    LimitedBy.ROLLOUT: "A rollout of {target} is in progress: nothing is removed until it ends.",
    LimitedBy.METRICS_UNAVAILABLE: "The target is held at {desired} without metrics: see "
    "`MetricsAvailable`.",
    LimitedBy.FALLBACK: "`spec.fallback` sets {desired} without metrics: see `MetricsAvailable`.",
    LimitedBy.LEARNING: "What one replica carries is still being learned: nothing is removed until "
    "it is known.",
    LimitedBy.MODEL_INACCURATE: "Requests take longer than the latency model says at the loads seen: nothing is "
    "removed meanwhile. Check that nothing else uses the GPUs and CPUs of {target}, and the way from the gateway to "
    "its pods. `status.decision.message` has the figures.",
    LimitedBy.GPU_GUARD: "The GPUs of {target} are nearly always busy, or more than Triton's own work explains: "
    "nothing is removed. Look for other processes on them. `status.decision.message` has the figures.",
    LimitedBy.TRAFFIC_UNEVEN: "A ready pod gets no requests, so one more would get none either: the target is held at "
    "{desired}. See `TrafficUneven`.",
    LimitedBy.SUSPECTED_OUTAGE: "Requests to {target} stopped at once, which looks like an outage in "
    "front of it: the target is held at {desired} for a while. See `status.decision`.",
    LimitedBy.CAPACITY: "Replicas that were asked for cannot start: see `CapacityAvailable`.",
    LimitedBy.POOL_LIMIT: "The need is {needed}; a CapacityPool's `spec.limits` leave {desired}.",
    LimitedBy.MAX_HOURLY_COST: "The need is {needed}; `spec.maxHourlyCost` allows {desired} at today's prices. "
    "Raise it, or relax `spec.slo`.",
    LimitedBy.FLEET_GUARD: "Many policies ask for fewer replicas at once: removals are spread over "
    "time. See `settings.decision.fleet_guard_removal_fraction` and those beside it in the operator's values.",
    LimitedBy.PAUSED: "Paused by the annotation `inferencecost.dev/paused`: remove it to go on.",
    LimitedBy.CONFLICT: "Something else scales {target}: see `Conflicted`.",
    LimitedBy.NO_TARGET: "There is nothing to scale: see `Accepted`.",
    LimitedBy.INTERNAL_ERROR: "The decision failed: the target is held at {desired}. See `Ready`.",
}


_PARTIAL_LIMIT = (
    "Metrics of {target} are there in part only, so nothing is removed: see `MetricsAvailable`."
)


_UPGRADE_LIMIT = (
    "The operator was upgraded just now: nothing is removed for "
    "`settings.decision.upgrade_hold_seconds` in its values."
)


# Limits of one name and several causes: which it is, their own sentences tell.
_TOLD_BY_REASONS = frozenset({"late", "warming", "not-yet-zero", "expected-soon", "zero-unseen"})
_OF_POOLS = frozenset({"pool-full", "pool-short", "pool-elsewhere"})
# More replicas than there are would be asked for, but for these.
_HOLDING_BACK = frozenset(
    {
        LimitedBy.PAUSED,
        LimitedBy.CONFLICT,
        LimitedBy.CAPACITY,
        LimitedBy.POOL_LIMIT,
        LimitedBy.MAX_HOURLY_COST,
        LimitedBy.TRAFFIC_UNEVEN,
        LimitedBy.METRICS_UNAVAILABLE,
    }
)


def refused(refusal: PolicyRefusal) -> str:
    """Messages of the schema begin with the field."""
    if not refusal.field or refusal.message.startswith(refusal.field):
        return refusal.message
    return f"`{refusal.field}`: {refusal.message}"


def missing_metrics(missing: Missing, target: str) -> str:
    detail = f" ({missing.detail})" if missing.detail else ""
    return _METRICS.get(missing.reason, _METRICS_OTHERWISE).format(target=target, detail=detail)


def partial_metrics(signals: Signals) -> str:
    """Which of the two causes it is. A partial answer explains silent pods, so it comes first."""
    if signals.source_partial or not signals.silent_pods:
        return PARTIAL_RESPONSE
    named = ", ".join(signals.silent_pods[:PODS_NAMED])
    more = len(signals.silent_pods) - PODS_NAMED
    named += f" and {more} more" if more > 0 else ""
    return (
        f"{_pods(len(signals.silent_pods))} ready for a full rate window without Triton metrics: {named}. "
        "Replicas may be added, none are removed. Check that Prometheus scrapes these pods."
    )


def paused(pause: Pause) -> str:
    if pause.replicas is None:
        return (
            f"Kept as it is by the annotation `{PAUSED}` on the {pause.source}. Remove it to go on."
        )
    return (
        f"Kept at {replicas(pause.replicas)} by the annotation `{PAUSED_REPLICAS}` on the "
        f"{pause.source}. Remove it, and `{PAUSED}` where that is set too, to go on."
    )


def enforcing(target: str) -> str:
    return f"{target} is scaled by this policy."


def recommending(target: str, asked: Mode) -> str:
    if asked is Mode.ENFORCE:
        return (
            f"`spec.mode` is Enforce, but this installation only recommends: {target} is not "
            "changed. Set `enforce.enabled=true` in the operator's values."
        )
    return f"{target} is not changed. Set `spec.mode` to Enforce to have it scaled."


def not_measured(missing: Missing, signals: Signals | Missing) -> str:
    """Why there is no measurement, and what to add."""
    if isinstance(signals, Missing):
        return "Not measured: there are no metrics, see `MetricsAvailable`."
    if missing.reason is MissingReason.NOT_CONFIGURED:
        return f"Not measured. {_GATEWAY_HINT}"
    if missing.reason in (MissingReason.NO_TRAFFIC, MissingReason.WARMING_UP):
        return "Not measured: too few requests were answered in the window."
    if missing.reason is MissingReason.AMBIGUOUS:
        return f"Not measured: {missing.detail or 'the threshold lies between two buckets'}."
    detail = f": {missing.detail}" if missing.detail else ""
    return (
        f"Not measured: the measurement is missing ({missing.reason.value}{detail}). Check `gateway` "
        "in the operator's values, and that Prometheus scrapes the gateway."
    )


def predicted(plan: Plan, objective: Objective) -> str:
    prediction = plan.prediction
    if isinstance(prediction, Missing):
        return ""
    verdict = "which meets" if prediction.meets_objective else "which misses"
    number = replicas(prediction.replicas)
    if not isinstance(objective, DrainObjective) and prediction.seconds >= OVERLOADED_SECONDS:
        return f"Predicted at {number}: a queue that grows, {verdict} the objective."
    return (
        f"Predicted at {number}: {_predicted_time(prediction, objective)} "
        f"{figure_of(objective)}, {verdict} the objective."
    )


def _predicted_time(prediction: Prediction, objective: Objective) -> str:
    if isinstance(objective, DrainObjective):
        return f"{prediction.seconds:.0f} s"
    return milliseconds(prediction.seconds)


def measured(attainment: Attainment, objective: Objective) -> str:
    where = attainment.measured_at
    share = f"{100 * attainment.fraction:.2f} % of {attainment.requests:.0f} requests"
    match objective:
        case LatencyObjective():
            return (
                f"{share} finished within {milliseconds(objective.threshold_seconds)} "
                f"(measured at: {where}; objective {100 * objective.target_fraction:g} %)."
            )
        case DrainObjective():
            return (
                f"{share} waited at most {objective.within_seconds:.0f} s, as far as their pods' mean "
                f"waits tell (measured at: {where}; objective: all)."
            )
        case QueueTimeObjective():
            return _mean_queue_time(attainment, objective)
        case _ as unknown:
            assert_never(unknown)


def _mean_queue_time(attainment: Attainment, objective: QueueTimeObjective) -> str:
    mean = objective.mean_seconds / attainment.fraction if attainment.fraction > 0 else float("inf")
    figure = "at most" if attainment.fraction >= 1 else "about"
    return (
        f"The mean queue time of {attainment.requests:.0f} requests is {figure} {milliseconds(mean)} "
        f"(measured at: {attainment.measured_at}; objective {milliseconds(objective.mean_seconds)})."
    )


def violated(plan: Plan, policy: Policy) -> str:
    """Why, as far as is known, and what to check."""
    needed = sum(variant.needed for variant in plan.variants)
    if plan.desired < needed or plan.limited_by in _HOLDING_BACK:
        return "Scaling is limited: see `ScalingLimited`."
    if plan.desired > plan.ready:
        return f"{replicas(plan.desired)} wanted, {plan.ready} ready."
    said = predicted(plan, policy.objective)
    if policy.gpu_signal is not None:
        return (
            f"{said} Replicas follow GPU utilization: lower `spec.signal.targetPercent`, or remove `spec.signal` to "
            "have them follow the objective."
        ).strip()
    if not said:
        return "What a replica can carry is not known yet, so no more are asked for."
    if isinstance(plan.prediction, Missing) or not plan.prediction.meets_objective:
        return f"{said} Relax `spec.slo`, or make the model faster."
    return (
        f"{said} What is measured and not predicted arises beside the model: check that requests are "
        "spread over all replicas as `spec.routing` says, that nothing else uses their GPUs or CPUs, and "
        "the way from the gateway to the pods."
    )


def uneven(evenness: Evenness) -> str:
    """What is seen, and the ways to have connections spread."""
    idle = f", {_pods(evenness.idle)} without any" if evenness.idle else ""
    share = f"{100 * evenness.hottest_fraction:.0f} % of the requests of {_pods(evenness.pods)}"
    return (
        f"{evenness.hottest} gets {share}{idle}: they carry what {evenness.effective:.1f} would if loaded alike. "
        "Clients keep their connections: balance in the client over a headless Service, limit the age of connections, "
        "or use a proxy or mesh that balances requests."
    )


def even(evenness: Evenness) -> str:
    return f"Of {_pods(evenness.pods)}, the busiest gets {100 * evenness.hottest_fraction:.0f} % of the requests."


def sufficient(plan: Plan | None) -> str:
    """A pod that is ready and slow is capacity that is paid for and missing."""
    slow = next((r for r in plan.reasons if r.code == "slow-pods"), None) if plan else None
    if slow is None:
        return "No pod waits for a node."
    values = dict(slow.values)
    return (
        f"No pod waits for a node. Pod {values['pod']} takes {values['times']} times as long per batch as its "
        "siblings: look at its GPU and node; delete it if it stays so."
    )


def quota(refusal: str) -> str:
    """The fix first: what Kubernetes says can be long."""
    return (
        "New pods are refused. Raise the ResourceQuota of the namespace, satisfy the admission rule that is named, or "
        f"lower `spec.maxReplicas`. Kubernetes says: {refusal}"
    )


def not_ready(pods: Sequence[Pod], trouble: str) -> str:
    first = pods[0].name
    return (
        f"{_pods(len(pods))} cannot start ({trouble}), for example {first}. See `kubectl describe pod {first}` and "
        f"`kubectl logs {first}`."
    )


def failing(pods: Sequence[Pod]) -> str:
    first = pods[0]
    return (
        f"{_pods(len(pods))} cannot start, for example {first.name} ({first.waiting_reason}, "
        f"{first.restarts} restarts). See `kubectl describe pod {first.name}`."
    )


def unschedulable(pods: Sequence[Pod], waited: float) -> str:
    return (
        f"{_pods(len(pods))} found no node for {waited:.0f} s, for example {pods[0].name}. Add nodes "
        "that fit, check node selectors and tolerations, or lower `spec.maxReplicas`."
    )


def waiting_for_nodes(pods: Sequence[Pod], waited: float) -> str:
    return f"{_pods(len(pods))} found no node yet, for {waited:.0f} s; new nodes take a while."


def limited(plan: Plan, seen: PolicyObservation) -> str:
    policy = seen.policy
    if plan.limited_by is LimitedBy.PAUSED and policy.pause is not None:
        return paused(policy.pause)
    if keeps_one_unseen(plan) or plan.limited_by is LimitedBy.STABILIZATION:
        told = [r for r in plan.reasons if r.code in _TOLD_BY_REASONS]
        if told:
            return " ".join(reason_sentence(reason, plan, seen) for reason in told)
    if plan.limited_by is LimitedBy.POOL_LIMIT and (pools := of_pools(plan, seen)):
        return pools
    needed = sum(v.needed for v in plan.variants)
    target = ", ".join(str(v.target) for v in policy.variants)
    return _limit(plan, needed).format(
        needed=replicas(needed), desired=replicas(plan.desired), target=target
    )


def of_pools(plan: Plan, seen: PolicyObservation) -> str:
    """What limits of pools hold back, who has the room, and what it costs."""
    told = (reason for reason in plan.reasons if reason.code in _OF_POOLS)
    return " ".join(reason_sentence(reason, plan, seen) for reason in told)


def _limit(plan: Plan, needed: int) -> str:
    codes = {reason.code for reason in plan.reasons}
    if "partial-metrics" in codes and plan.limited_by is LimitedBy.METRICS_UNAVAILABLE:
        return _PARTIAL_LIMIT
    if "upgrade-hold" in codes and plan.limited_by is LimitedBy.FLEET_GUARD:
        return _UPGRADE_LIMIT
    if plan.limited_by is LimitedBy.MAX_REPLICAS and needed <= plan.desired:
        return "`spec.maxReplicas` allows {desired}."
    return _LIMITS[plan.limited_by]


def figure_of(objective: Objective) -> str:
    match objective:
        case LatencyObjective():
            return f"at the {100 * objective.target_fraction:g}th percentile"
        case QueueTimeObjective():
            return "mean queue time"
        case DrainObjective():
            return "longest wait"
        case _ as unknown:
            assert_never(unknown)


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if isfinite(seconds) else "unbounded"


def replicas(count: int) -> str:
    return f"{count} replica" if count == 1 else f"{count} replicas"


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"
