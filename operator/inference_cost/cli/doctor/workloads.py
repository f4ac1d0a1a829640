"""Checks of the workloads of policies: other writers of replicas, disruption, pod templates, what the operator says."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from inference_cost.api.conditions import ConditionType
from inference_cost.cli.doctor.facts import Facts, Target
from inference_cost.cli.doctor.findings import Area, Finding, Level
from inference_cost.cli.doctor.installation import ENFORCE
from inference_cost.cli.doctor.pods import check_template
from inference_cost.observe.fields import mapping, sequence

GITOPS: Final = ("argocd", "kustomize-controller", "helm-controller", "fluxcd")
TELLING: Final = (
    ConditionType.ACCEPTED,
    ConditionType.METRICS_AVAILABLE,
    ConditionType.CAPACITY_AVAILABLE,
)
UNDERUTILIZED: Final = "WhenEmptyOrUnderutilized"


def check(facts: Facts) -> Iterator[Finding]:
    if not facts.targets:
        yield _finding(Level.OK, "policies", "there are none here; -A looks in all namespaces")
    for target in facts.targets:
        found = list(_of(target, facts.scalable))
        yield from found or [_finding(Level.OK, str(target), "nothing stands against scaling it")]


def _finding(level: Level, subject: str, message: str, fix: str = "") -> Finding:
    return Finding(level=level, area=Area.WORKLOADS, subject=subject, message=message, fix=fix)


def _of(target: Target, scalable: frozenset[str] | None) -> Iterator[Finding]:
    if scalable is not None and target.key.kind not in scalable:
        yield _finding(
            Level.PROBLEM,
            str(target),
            f"{target.key.kind} is not among the kinds that the installation scales: policy {target.policy} is not "
            "accepted",
            f"add {{kind: {target.key.kind}, group: …, version: …, plural: …}} to rbac.scaleTargets",
        )
        return
    yield from _told(target)
    yield from _autoscaler(target)
    if target.workload is None:
        yield _finding(
            Level.UNKNOWN,
            str(target),
            "it is not there, or may not be read: its pods and budgets are not looked at",
            "see what was not read below, and the policy's Accepted condition",
        )
        return
    yield from _git(target, target.workload)
    yield from _budgets(target, target.workload)
    yield from _karpenter(target, target.workload)
    for message, fix in check_template(_pod_spec(target.workload)):
        yield _finding(Level.WARNING, str(target), message, fix)


def _told(target: Target) -> Iterator[Finding]:
    """What the operator says itself, which knows more."""
    for kind in TELLING:
        condition = target.conditions.get(kind)
        if condition is not None and condition.get("status") == "False":
            yield _finding(
                Level.PROBLEM,
                f"InferenceCostPolicy {target.policy}",
                f"{kind}=False ({condition.get('reason', '')}): {condition.get('message', '')}",
                f"kubectl inference-cost explain {target.policy.partition('/')[2]} -n {target.key.namespace}",
            )


def _autoscaler(target: Target) -> Iterator[Finding]:
    one = target.autoscaler
    if not one.name or one.paused:
        return
    named = f"{one.kind}/{one.name}"
    if target.mode == ENFORCE:
        yield _finding(
            Level.PROBLEM,
            str(target),
            f"{named} scales it too: the operator writes nothing",
            f"kubectl inference-cost adopt {target.policy.partition('/')[2]} -n {target.key.namespace}",
        )
    else:
        yield _finding(Level.OK, str(target), f"{named} scales it; Recommend runs beside it")


def _git(target: Target, workload: Mapping[str, Any]) -> Iterator[Finding]:
    """GitOps that owns `spec.replicas` undoes each decision."""
    managers = [
        str(entry.get("manager", ""))
        for entry in sequence(mapping(workload.get("metadata")).get("managedFields"))
        if "f:replicas" in mapping(mapping(entry.get("fieldsV1")).get("f:spec"))
    ]
    owners = [one for one in managers if any(name in one.lower() for name in GITOPS)]
    if owners and target.mode == ENFORCE:
        yield _finding(
            Level.PROBLEM,
            str(target),
            f"{owners[0]} owns spec.replicas, and sets it back",
            "leave replicas out of what Git applies; with Argo CD ignoreDifferences needs "
            "RespectIgnoreDifferences=true as well",
        )


def _budgets(target: Target, workload: Mapping[str, Any]) -> Iterator[Finding]:
    replicas = int(mapping(workload.get("spec")).get("replicas") or 0)
    names = [str(one["metadata"]["name"]) for one in target.budgets]
    if len(names) > 1:
        yield _finding(
            Level.PROBLEM,
            str(target),
            f"PodDisruptionBudgets {', '.join(names)} select the same pods: these cannot be evicted at all, nor their "
            "nodes drained",
            "keep one",
        )
    elif not names and replicas > 1:
        yield _finding(
            Level.WARNING,
            str(target),
            "it has no PodDisruptionBudget: a drain or consolidation may take all replicas at once",
            "add one with maxUnavailable 1",
        )
    for one in target.budgets:
        yield from _blocking(target, one, replicas)


def _blocking(target: Target, budget: Mapping[str, Any], replicas: int) -> Iterator[Finding]:
    spec = mapping(budget.get("spec"))
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    never = str(most) in {"0", "0%"} or str(least) == "100%"
    if never or (isinstance(least, int) and replicas and least >= replicas):
        told = f"maxUnavailable {most}" if most is not None else f"minAvailable {least}"
        yield _finding(
            Level.WARNING,
            str(target),
            f"PodDisruptionBudget/{budget['metadata']['name']} ({told}) lets no pod go at {replicas} replicas: nodes "
            "cannot be drained, and empty ones are not saved",
            "use maxUnavailable 1, which holds at any number of replicas",
        )


def _karpenter(target: Target, workload: Mapping[str, Any]) -> Iterator[Finding]:
    template = mapping(mapping(workload.get("spec")).get("template"))
    annotations = mapping(mapping(template.get("metadata")).get("annotations"))
    if annotations.get("karpenter.sh/do-not-disrupt") == "true":
        yield _finding(
            Level.WARNING,
            str(target),
            "karpenter.sh/do-not-disrupt keeps a node of its pods from being consolidated, also when it is half empty",
            "leave it out: a PodDisruptionBudget protects the pods",
        )
        return
    for pool in target.node_pools:
        disruption = mapping(mapping(pool.get("spec")).get("disruption"))
        if disruption.get("consolidationPolicy", UNDERUTILIZED) == UNDERUTILIZED:
            yield _finding(
                Level.WARNING,
                str(target),
                f"NodePool/{pool['metadata']['name']} consolidates underused nodes: replicas are moved while they "
                "serve, and each move is a start",
                "use consolidationPolicy WhenEmpty, or budgets, for GPU pools",
            )


def _pod_spec(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(mapping(workload.get("spec")).get("template")).get("spec"))
