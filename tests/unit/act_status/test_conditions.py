"""What a person reads for each thing that can be wrong: condition, reason, field and fix, keyed by a sentence."""

from dataclasses import dataclass, replace

import pytest

from inference_cost.act.conditions import Finding, View, find, find_refused, to_conditions
from inference_cost.api.conditions import ConditionType as Type
from inference_cost.api.fields import MESSAGE_LENGTH
from inference_cost.decide.mix.grant import Full
from inference_cost.decide.mix.told import full_reason
from inference_cost.model.observation import PolicyObservation, PolicyRefusal
from inference_cost.model.plan import Evenness, LimitedBy, Plan, Reason
from inference_cost.model.policy import DrainObjective, GpuSignal, Mode, Pause, QueueTimeObjective
from inference_cost.model.reading import MissingReason
from inference_cost.model.workload import Conflict, ConflictKind, TargetProblem
from tests.unit.account.worlds import NOON, key
from tests.unit.act_status.views import (
    PREDICTED,
    asleep,
    attained,
    enforced,
    limited,
    missing,
    plan,
    refused,
    refused_by_quota,
    seen,
    signals,
    with_pod,
    with_policy,
)

STICKY = Evenness(
    pods=3,
    effective=1.8,
    hottest="p2",
    hottest_fraction=0.66,
    idle=1,
    windows=3,
    looked_at=NOON - 15.0,
)


NO_ROOM = (
    full_reason(
        Full(pool="g6-spot", limit="nodes", most=12.0, takers=("team-b/ranker",), higher=True)
    ),
    Reason(code="pool-short", values=(("replicas", 1),)),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """Seen and planned; the condition to look at, as "Status/Reason", and what its message must name."""

    seen: PolicyObservation
    plan: Plan | None = None
    kind: Type
    says: str
    names: tuple[str, ...]


NO_METRICS = missing(
    MissingReason.EMPTY_RESULT, 'tried nv_inference_request_success{namespace="team-a"}'
)
HPA = Conflict(kind=ConflictKind.AUTOSCALER, other="HorizontalPodAutoscaler/resnet", message="")
SLOW_POD = Reason(
    code="slow-pods", values=(("pod", "p2"), ("times", 2.5), ("others", 0), ("percent", 33))
)
LATE = Reason(code="late", values=(("percent", 5),))
NOT_READY = Reason(code="stuck", values=(("pods", 1), ("trouble", "not ready for too long")))
UNSEEN_AT_ZERO = replace(
    limited(LimitedBy.MIN_REPLICAS, 0, 1), reasons=(Reason(code="zero-unseen"),)
)
ZERO = replace(seen().policy.variants[0], min_replicas=0)
TWIN = Conflict(kind=ConflictKind.POLICY, other="team-a/older", message="")

ROWS: dict[str, Row] = {
    # What people get wrong, one by one.
    "the target does not exist": Row(
        seen=refused(TargetProblem.NOT_FOUND), kind=Type.ACCEPTED, says="False/TargetNotFound",
        names=("`spec.scaleTargetRef`", "Deployment/resnet", "Create it"),
    ),
    "the target does not exist, so the policy is not ready": Row(
        seen=refused(TargetProblem.NOT_FOUND), kind=Type.READY, says="False/TargetNotFound",
        names=("`spec.scaleTargetRef`",),
    ),
    "the observer's own words about the target win": Row(
        seen=refused(TargetProblem.NOT_FOUND, "no Deployment called resnet"), kind=Type.ACCEPTED,
        says="False/TargetNotFound", names=("no Deployment called resnet",),
    ),
    "the target's kind is not enabled": Row(
        seen=refused(TargetProblem.KIND_NOT_ENABLED), kind=Type.ACCEPTED,
        says="False/KindNotEnabled", names=("`spec.scaleTargetRef.kind`", "`rbac.scaleTargets`"),
    ),
    "the target has no scale subresource": Row(
        seen=refused(TargetProblem.NO_SCALE), kind=Type.ACCEPTED,
        says="False/NoScaleSubresource", names=("`spec.scaleTargetRef`",),
    ),
    "the target belongs to another controller": Row(
        seen=refused(TargetProblem.OWNED_BY), kind=Type.ACCEPTED, says="False/OwnedBy",
        names=("`spec.scaleTargetRef`", "another controller"),
    ),
    "Prometheus does not answer": Row(
        seen=seen(signals=missing(MissingReason.SOURCE_UNREACHABLE, "connection refused")),
        kind=Type.METRICS_AVAILABLE, says="False/SourceUnreachable",
        names=("connection refused", "`prometheus.url`"),
    ),
    "a metrics outage leaves the policy ready": Row(
        seen=seen(signals=missing(MissingReason.SOURCE_UNREACHABLE)), kind=Type.READY,
        says="True/Ready", names=(),
    ),
    "Prometheus refuses the credentials": Row(
        seen=seen(signals=missing(MissingReason.UNAUTHORIZED)), kind=Type.METRICS_AVAILABLE,
        says="False/Unauthorized", names=("`prometheus.existingSecret`",),
    ),
    "there are no Triton metrics": Row(
        seen=seen(signals=NO_METRICS), kind=Type.METRICS_AVAILABLE, says="False/EmptyResult",
        names=("Deployment/resnet", "tried nv_inference_request_success{", "8002", "`prometheus.matchers`"),
    ),
    "no replica on purpose is a state as good as any": Row(
        seen=asleep(0), kind=Type.METRICS_AVAILABLE, says="True/MetricsFresh",
        names=("No pod runs", "gateway"),
    ),
    "a pod that starts reports nothing, whatever the gateway says": Row(
        seen=asleep(1), kind=Type.METRICS_AVAILABLE, says="Unknown/NoReadyPods",
        names=("kubectl describe pod",),
    ),
    "a replica stays where no gateway would tell of a request": Row(
        seen=with_policy(variants=(ZERO,)), plan=UNSEEN_AT_ZERO,
        kind=Type.SCALING_LIMITED, says="True/MinReplicas",
        names=("minReplicas is 0", "one replica stays", "gateway.preset"),
    ),
    "and that is said where a schedule has the minimum of 0": Row(
        seen=seen(), plan=UNSEEN_AT_ZERO, kind=Type.SCALING_LIMITED, says="True/MinReplicas",
        names=("A schedule has minReplicas 0 now", "one replica stays", "gateway.preset"),
    ),
    "a pool has no room for all": Row(
        seen=seen(), plan=replace(limited(LimitedBy.POOL_LIMIT, 3, 2), reasons=NO_ROOM), kind=Type.SCALING_LIMITED,
        says="True/PoolLimit", names=("g6-spot", "limits.nodes allows 12 nodes", "team-b/ranker", "1 replica fewer"),
    ),
    "a pool without room is capacity that is missing": Row(
        seen=seen(), plan=replace(limited(LimitedBy.POOL_LIMIT, 3, 2), reasons=NO_ROOM), kind=Type.CAPACITY_AVAILABLE,
        says="False/PoolLimit", names=("team-b/ranker, of higher priority",),
    ),
    "the cap on the cost is reached": Row(
        seen=seen(), plan=limited(LimitedBy.MAX_HOURLY_COST, 3, 2), kind=Type.SCALING_LIMITED,
        says="True/MaxHourlyCost", names=("The need is 3 replicas", "`spec.maxHourlyCost` allows 2 replicas"),
    ),
    "a schedule limits": Row(
        seen=seen(), plan=limited(LimitedBy.SCHEDULE, 2, 5), kind=Type.SCALING_LIMITED,
        says="True/Schedule", names=("`spec.schedules`", "5 replicas"),
    ),
    "Prometheus is not configured": Row(
        seen=seen(signals=missing(MissingReason.NOT_CONFIGURED)), kind=Type.METRICS_AVAILABLE,
        says="False/NotConfigured", names=("`prometheus.url`",),
    ),
    "a named model is not loaded": Row(
        seen=seen(configurations=missing(MissingReason.MODEL_NOT_LOADED, "bert; loaded: resnet")),
        kind=Type.METRICS_AVAILABLE, says="False/ModelNotLoaded",
        names=("`spec.serving.models`", "bert; loaded: resnet", "correct the name"),
    ),
    "a named model has no series": Row(
        seen=seen(signals=missing(MissingReason.MODEL_NOT_LOADED, "bert")),
        kind=Type.METRICS_AVAILABLE, says="False/ModelNotLoaded", names=("`spec.serving.models`",),
    ),
    "two policies have one Deployment, in Enforce": Row(
        seen=seen(conflict=TWIN), plan=enforced(), kind=Type.CONFLICTED, says="True/Policy",
        names=("`spec.scaleTargetRef`", "team-a/older", "Delete one", "nothing is written"),
    ),
    "two policies have one Deployment, in Recommend": Row(
        seen=seen(conflict=TWIN), kind=Type.CONFLICTED, says="False/Policy",
        names=("team-a/older", "In Recommend nothing is written"),
    ),
    "an HPA scales the target, in Enforce": Row(
        seen=seen(conflict=HPA), plan=enforced(), kind=Type.CONFLICTED, says="True/Autoscaler",
        names=("HorizontalPodAutoscaler/resnet", "hand the replicas over"),
    ),
    "a conflict in Enforce makes the policy not ready": Row(
        seen=seen(conflict=HPA), plan=enforced(), kind=Type.READY, says="False/Autoscaler",
        names=("HorizontalPodAutoscaler/resnet",),
    ),
    "a policy in Enforce beside an HPA, where the installation only recommends": Row(
        seen=with_policy(seen(conflict=HPA), mode=Mode.ENFORCE), kind=Type.CONFLICTED,
        says="False/Autoscaler", names=("HorizontalPodAutoscaler/resnet",),
    ),
    "somebody reverts the replicas": Row(
        seen=seen(conflict=Conflict(kind=ConflictKind.REVERTED, other="argocd", message="")),
        plan=enforced(), kind=Type.CONFLICTED, says="True/Reverted",
        names=("argocd", "`/spec/replicas`"),
    ),
    # Metrics that are there, more or less.
    "metrics are there": Row(
        seen=seen(), kind=Type.METRICS_AVAILABLE, says="True/MetricsFresh", names=("1 of 1",),
    ),
    "a partial answer": Row(
        seen=seen(signals=signals(partial=True)), kind=Type.METRICS_AVAILABLE,
        says="True/Partial", names=("none are removed",),
    ),
    "a partial answer is the source's": Row(
        seen=seen(signals=signals(partial=True, source_partial=True, silent_pods=("p2",))),
        kind=Type.METRICS_AVAILABLE, says="True/Partial", names=("Prometheus says", "`prometheus.url`"),
    ),
    "a pod that is not scraped": Row(
        seen=seen(signals=signals(partial=True, silent_pods=("p2", "p3"))), kind=Type.METRICS_AVAILABLE,
        says="True/Partial", names=("2 pods ready", "p2, p3", "scrapes these pods", "none are removed"),
    ),
    "nothing is removed on a part of the metrics": Row(
        seen=seen(signals=signals(partial=True)),
        plan=replace(limited(LimitedBy.METRICS_UNAVAILABLE), reasons=(Reason(code="partial-metrics"),)),
        kind=Type.SCALING_LIMITED, says="True/MetricsUnavailable", names=("in part only",),
    ),
    "pods too young to tell": Row(
        seen=seen(signals=missing(MissingReason.WARMING_UP)), kind=Type.METRICS_AVAILABLE,
        says="Unknown/WarmingUp", names=("Deployment/resnet",),
    ),
    "series without traffic": Row(
        seen=seen(signals=missing(MissingReason.NO_TRAFFIC)), kind=Type.METRICS_AVAILABLE,
        says="True/NoTraffic", names=("no requests",),
    ),
    "a reason without words of its own": Row(
        seen=seen(signals=missing(MissingReason.NOT_LEARNED)), kind=Type.METRICS_AVAILABLE,
        says="False/NotLearned", names=("not available",),
    ),
    "metrics of a refused target are not looked at": Row(
        seen=refused(TargetProblem.NOT_FOUND), kind=Type.METRICS_AVAILABLE,
        says="Unknown/NotObserved", names=("`Accepted`",),
    ),
    # The objective: only a measurement decides.
    "nothing measures latency": Row(
        seen=seen(), plan=plan(), kind=Type.SLO_MET, says="Unknown/NotMeasured",
        names=("`gateway.preset`", "`summary_latencies=true`", "80 ms at the 99th percentile", "which meets"),
    ),
    "the gateway's series are missing": Row(
        seen=seen(), plan=plan(attainment=missing(MissingReason.EMPTY_RESULT, "no series")),
        kind=Type.SLO_MET, says="Unknown/NotMeasured", names=("EmptyResult: no series", "`gateway`"),
    ),
    "the threshold lies between two buckets": Row(
        seen=seen(), plan=plan(attainment=missing(MissingReason.AMBIGUOUS)), kind=Type.SLO_MET,
        says="Unknown/NotMeasured", names=("two buckets",),
    ),
    "without metrics the objective is not blamed on the gateway": Row(
        seen=seen(signals=missing(MissingReason.SOURCE_UNREACHABLE)),
        plan=plan(attainment=missing(MissingReason.SOURCE_UNREACHABLE)), kind=Type.SLO_MET,
        says="Unknown/NotMeasured", names=("see `MetricsAvailable`",),
    ),
    "no traffic to measure": Row(
        seen=seen(), plan=plan(attainment=missing(MissingReason.NO_TRAFFIC)), kind=Type.SLO_MET,
        says="Unknown/NotMeasured", names=("too few requests",),
    ),
    "neither measured nor predicted": Row(
        seen=seen(), plan=plan(prediction=missing(MissingReason.NOT_LEARNED)), kind=Type.SLO_MET,
        says="Unknown/NotMeasured", names=("`gateway.preset`",),
    ),
    "measured and met": Row(
        seen=seen(), plan=plan(attainment=attained(0.9934)), kind=Type.SLO_MET, says="True/Met",
        names=("99.34 % of 4000 requests", "within 100 ms", "Gateway", "objective 99 %"),
    ),
    "exactly the target is met": Row(
        seen=seen(), plan=plan(attainment=attained(0.99)), kind=Type.SLO_MET, says="True/Met", names=(),
    ),
    "measured and violated while replicas start": Row(
        seen=seen(), plan=plan(attainment=attained(0.97)), kind=Type.SLO_MET, says="False/Violated",
        names=("97.00 %", "3 replicas wanted, 1 ready"),
    ),
    "measured and violated at the maximum": Row(
        seen=seen(), plan=replace(limited(LimitedBy.MAX_REPLICAS), attainment=attained(0.5)),
        kind=Type.SLO_MET, says="False/Violated", names=("`ScalingLimited`",),
    ),
    "measured and violated while the model wants fewer: that is not what limits": Row(
        seen=seen(), plan=replace(limited(LimitedBy.STABILIZATION, 1, 1), attainment=attained(0.5)),
        kind=Type.SLO_MET, says="False/Violated", names=("arises beside the model", "`spec.routing`"),
    ),
    "measured and violated where replicas follow the GPUs": Row(
        seen=with_policy(gpu_signal=GpuSignal(target_fraction=0.7)),
        plan=plan(1, attainment=attained(0.9), prediction=replace(PREDICTED, meets_objective=False)),
        kind=Type.SLO_MET, says="False/Violated", names=("`spec.signal.targetPercent`", "`spec.signal`"),
    ),
    "late requests keep replicas": Row(
        seen=seen(), plan=replace(limited(LimitedBy.STABILIZATION, 2, 3), reasons=(LATE,)),
        kind=Type.SCALING_LIMITED, says="True/Stabilization", names=("5 % of the newest requests were too late",),
    ),
    "a lower need has not lasted": Row(
        seen=seen(), plan=limited(LimitedBy.STABILIZATION, 2, 3), kind=Type.SCALING_LIMITED,
        says="True/Stabilization", names=("The need is 2 replicas", "held at 3 replicas"),
    ),
    "the operator was upgraded": Row(
        seen=seen(), plan=replace(limited(LimitedBy.FLEET_GUARD, 2, 3), reasons=(Reason(code="upgrade-hold"),)),
        kind=Type.SCALING_LIMITED, says="True/FleetGuard",
        names=("upgraded", "`settings.decision.upgrade_hold_seconds`"),
    ),
    "a pod that does not get ready": Row(
        seen=with_pod(ready_at=None), plan=plan(reasons=(NOT_READY,)), kind=Type.CAPACITY_AVAILABLE,
        says="False/PodsFailing", names=("not ready for too long", "kubectl logs p1"),
    ),
    "measured and violated with all replicas ready, against the prediction": Row(
        seen=seen(), plan=plan(1, attainment=attained(0.9)), kind=Type.SLO_MET,
        says="False/Violated", names=("80 ms", "which meets", "`spec.routing`", "gateway to the pods"),
    ),
    "measured and violated as predicted": Row(
        seen=seen(),
        plan=plan(1, attainment=attained(0.9), prediction=replace(PREDICTED, meets_objective=False)),
        kind=Type.SLO_MET, says="False/Violated", names=("which misses", "`spec.slo`"),
    ),
    "measured and violated before anything is learned": Row(
        seen=seen(),
        plan=plan(1, attainment=attained(0.9), prediction=missing(MissingReason.NOT_LEARNED)),
        kind=Type.SLO_MET, says="False/Violated", names=("not known yet",),
    ),
    "a mean queue time, violated": Row(
        seen=with_policy(objective=QueueTimeObjective(mean_seconds=0.01)),
        plan=plan(1, attainment=attained(0.5, at="Server")), kind=Type.SLO_MET,
        says="False/Violated", names=("about 20 ms", "Server", "objective 10 ms"),
    ),
    "a mean queue time, met": Row(
        seen=with_policy(objective=QueueTimeObjective(mean_seconds=0.01)),
        plan=plan(attainment=attained(1.0, at="Server")), kind=Type.SLO_MET, says="True/Met",
        names=("at most 10 ms",),
    ),
    "a deadline, violated": Row(
        seen=with_policy(objective=DrainObjective(within_seconds=600.0)),
        plan=plan(
            1, attainment=attained(0.9, at="Server"), prediction=replace(PREDICTED, seconds=540.0),
        ),
        kind=Type.SLO_MET, says="False/Violated",
        names=("90.00 %", "waited at most 600 s", "Server", "540 s longest wait", "which meets"),
    ),
    "a deadline, met": Row(
        seen=with_policy(objective=DrainObjective(within_seconds=600.0)),
        plan=plan(attainment=attained(1.0, at="Server")), kind=Type.SLO_MET, says="True/Met",
        names=("waited at most 600 s",),
    ),
    # Evenness.
    "clients that keep their connections": Row(
        seen=seen(), plan=replace(plan(), evenness=STICKY), kind=Type.TRAFFIC_UNEVEN,
        says="True/StickyConnections",
        names=("p2 gets 66 %", "3 pods, 1 pod without any", "1.8", "headless Service", "age of connections"),
    ),
    "uneven for a moment": Row(
        seen=seen(), plan=replace(plan(), evenness=replace(STICKY, windows=2)), kind=Type.TRAFFIC_UNEVEN,
        says="False/Even", names=("66 %",),
    ),
    "a single pod": Row(
        seen=seen(), kind=Type.TRAFFIC_UNEVEN, says="Unknown/NotMeasured", names=("two pods",),
    ),
    "nothing is added for clients that stay": Row(
        seen=seen(), plan=limited(LimitedBy.TRAFFIC_UNEVEN), kind=Type.SCALING_LIMITED,
        says="True/TrafficUneven", names=("`TrafficUneven`",),
    ),
    "a model that is wrong": Row(
        seen=seen(), plan=limited(LimitedBy.MODEL_INACCURATE), kind=Type.SCALING_LIMITED,
        says="True/ModelInaccurate", names=("`status.decision.message`",),
    ),
    # Capacity.
    "all pods have a node": Row(
        seen=seen(), kind=Type.CAPACITY_AVAILABLE, says="True/CapacitySufficient", names=(),
    ),
    "all pods have a node and one is slow": Row(
        seen=seen(), plan=plan(reasons=(SLOW_POD,)), kind=Type.CAPACITY_AVAILABLE,
        says="True/CapacitySufficient", names=("Pod p2 takes 2.5 times as long", "delete it"),
    ),
    "a pod waits for a new node": Row(
        seen=with_pod(on="", unschedulable=True, created_at=NOON - 20), kind=Type.CAPACITY_AVAILABLE,
        says="Unknown/PodsPending", names=("20 s",),
    ),
    "a pod waits for a node for too long": Row(
        seen=with_pod(on="", unschedulable=True, created_at=NOON - 600),
        kind=Type.CAPACITY_AVAILABLE, says="False/PodsPending",
        names=("600 s", "p1", "tolerations", "`spec.maxReplicas`"),
    ),
    "an image that is not there and may not be pulled": Row(
        seen=with_pod(waiting_reason="ErrImageNeverPull"), kind=Type.CAPACITY_AVAILABLE,
        says="False/PodsFailing", names=("ErrImageNeverPull",),
    ),
    "a pod crashes": Row(
        seen=with_pod(waiting_reason="CrashLoopBackOff", restarts=4), kind=Type.CAPACITY_AVAILABLE,
        says="False/PodsFailing", names=("CrashLoopBackOff, 4 restarts", "kubectl describe pod p1"),
    ),
    "a quota refuses pods": Row(
        seen=refused_by_quota("exceeded quota: gpus"),
        kind=Type.CAPACITY_AVAILABLE, says="False/Refused", names=("exceeded quota: gpus", "ResourceQuota"),
    ),
    # Readiness and mode.
    "a policy in Recommend": Row(
        seen=seen(), kind=Type.READY, says="True/Ready", names=("`spec.mode`", "Enforce"),
    ),
    "a policy in Enforce where the switch is off": Row(
        seen=with_policy(mode=Mode.ENFORCE), kind=Type.READY, says="True/Ready",
        names=("`enforce.enabled=true`",),
    ),
    "a policy in Enforce": Row(
        seen=seen(), plan=enforced(), kind=Type.READY, says="True/Ready", names=("is scaled by",),
    ),
    "a pause limits as its annotation says": Row(
        seen=with_policy(pause=Pause(source="namespace", replicas=4)), plan=limited(LimitedBy.PAUSED),
        kind=Type.SCALING_LIMITED, says="True/Paused",
        names=("at 4 replicas", "`inferencecost.dev/paused-replicas` on the namespace"),
    ),
    "a pause by annotation": Row(
        seen=with_policy(pause=Pause(source="namespace", replicas=4)), kind=Type.READY,
        says="True/Paused", names=("at 4 replicas", "`inferencecost.dev/paused`", "namespace"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", ROWS)
def test_condition(sentence: str) -> None:
    row = ROWS[sentence]
    found = find(View(seen=row.seen, plan=row.plan or plan(), at=NOON))[row.kind]
    assert f"{found.status}/{found.reason}" == row.says
    for part in row.names:
        assert part in found.message


@pytest.mark.parametrize("by", [by for by in LimitedBy if by is not LimitedBy.NOTHING])
def test_every_limit_has_its_reason_and_a_sentence(by: LimitedBy) -> None:
    found = find(View(seen=seen(), plan=limited(by), at=NOON))[Type.SCALING_LIMITED]
    assert (found.status, found.reason) == ("True", by.value)
    assert found.message.endswith(".")
    assert "{" not in found.message


def test_a_fault_of_the_operator_is_not_blamed_on_the_spec() -> None:
    fault = PolicyRefusal(key=key(), generation=3, field="", message="", internal=True)
    found = find_refused(fault)
    assert (found[Type.READY].status, found[Type.READY].reason) == ("False", "InternalError")
    assert found[Type.ACCEPTED].status == "Unknown"


def test_replicas_that_follow_the_need_are_not_limited() -> None:
    found = find(View(seen=seen(), plan=plan(), at=NOON))[Type.SCALING_LIMITED]
    assert f"{found.status}/{found.reason}" == "False/NotLimited"


def test_a_single_replica_is_said_in_the_singular() -> None:
    found = find(View(seen=seen(), plan=limited(LimitedBy.METRICS_UNAVAILABLE, 1, 1), at=NOON))
    assert "held at 1 replica without" in found[Type.SCALING_LIMITED].message


def test_the_maximum_names_what_is_needed_and_the_field() -> None:
    found = find(View(seen=seen(), plan=limited(LimitedBy.MAX_REPLICAS), at=NOON))
    assert found[Type.SCALING_LIMITED].message.startswith(
        "The need is 5 replicas; `spec.maxReplicas` allows 3 replicas."
    )


@pytest.mark.parametrize("reason", MissingReason)
def test_every_missing_reading_has_a_sentence(reason: MissingReason) -> None:
    found = find(View(seen=seen(signals=missing(reason, "{odd}")), plan=plan(), at=NOON))
    message = found[Type.METRICS_AVAILABLE].message
    assert ("{odd}" in message) == (reason is not MissingReason.NO_READY_PODS)
    assert "{target}" not in message


def test_a_failed_decision_is_an_internal_error_and_everything_else_goes_on() -> None:
    found = find(View(seen=seen(), plan=None, at=NOON))
    assert f"{found[Type.READY].status}/{found[Type.READY].reason}" == "False/InternalError"
    assert found[Type.SLO_MET].status == found[Type.SCALING_LIMITED].status == "Unknown"
    assert found[Type.METRICS_AVAILABLE].status == "True"


def test_a_decision_that_failed_inside_is_an_internal_error_too() -> None:
    failed = plan(reasons=(Reason(code="internal-error", values=(("error", "KeyError"),)),))
    found = find(View(seen=seen(), plan=failed, at=NOON))[Type.READY]
    assert f"{found.status}/{found.reason}" == "False/InternalError"


REFUSALS: dict[str, tuple[str, str]] = {
    "the minimum is above the maximum": (
        "spec.minReplicas",
        "must be less than or equal to `maxReplicas`; lower the one or raise the other",
    ),
    "the pool does not exist": (
        "spec.variants[0].poolRef.name",
        "there is no CapacityPool gold; known: l4",
    ),
    "an annotation without a field path": ("", "annotation `inferencecost.dev/paused` must be"),
}


@pytest.mark.parametrize("sentence", REFUSALS)
def test_a_spec_that_cannot_be_followed_names_the_field_and_the_fix(sentence: str) -> None:
    field, message = REFUSALS[sentence]
    found = find_refused(PolicyRefusal(key=key(), generation=3, field=field, message=message))
    for kind in (Type.READY, Type.ACCEPTED):
        assert f"{found[kind].status}/{found[kind].reason}" == "False/InvalidSpec"
        assert message in found[kind].message
        assert found[kind].message.startswith(f"`{field}`: " if field else message)
    rest = set(Type) - {Type.READY, Type.ACCEPTED}
    assert {found[kind].status for kind in rest} == {"Unknown"}


ODD = PolicyRefusal(key=key(), generation=1, field="spec.slo", message="set exactly one")


@pytest.mark.parametrize(
    "found",
    [
        find(View(seen=seen(), plan=plan(), at=NOON)),
        find(View(seen=refused(TargetProblem.NOT_FOUND), plan=None, at=NOON)),
        find_refused(ODD),
    ],
    ids=["a usual visit", "a visit to nothing", "a refused spec"],
)
def test_the_full_set_is_written_on_every_visit(found: dict[Type, Finding]) -> None:
    written = to_conditions(found, previous=(), generation=1, at=NOON)
    assert [c.type for c in written] == [kind.value for kind in Type]


def test_the_transition_time_moves_only_when_the_status_does() -> None:
    before = to_conditions(find_refused(ODD), previous=(), generation=1, at=NOON)
    stored = [c.to_object() for c in before]
    found = find(View(seen=seen(), plan=plan(), at=NOON + 60))
    after = {c.type: c for c in to_conditions(found, previous=stored, generation=2, at=NOON + 60)}
    assert after["SLOMet"].last_transition_time.timestamp() == NOON  # still Unknown
    assert after["Ready"].last_transition_time.timestamp() == NOON + 60
    assert {c.observed_generation for c in after.values()} == {2}


def test_a_stored_condition_that_cannot_be_read_counts_as_new() -> None:
    damaged = [{"type": "Ready", "status": "Perhaps"}, {}]
    written = to_conditions(find_refused(ODD), previous=damaged, generation=1, at=NOON)
    assert written[0].last_transition_time.timestamp() == NOON


def test_a_long_message_is_cut_to_what_the_schema_admits() -> None:
    refusal = PolicyRefusal(key=key(), generation=1, field="spec", message="x" * 5000)
    written = to_conditions(find_refused(refusal), previous=(), generation=1, at=NOON)
    assert len(written[0].message) == MESSAGE_LENGTH
