"""Each thing that can be wrong, one at a time: found, at its level, with a fix; and nothing else with it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from inference_cost.cli.doctor.facts import Definitions, Facts
from inference_cost.cli.doctor.findings import Level
from inference_cost.cli.doctor.installation import missing_fields
from inference_cost.cli.doctor.metrics import REQUIRED
from inference_cost.cli.doctor.report import diagnose, summary
from inference_cost.cli.listing import Unread
from inference_cost.cli.scan.autoscalers import Autoscaler
from inference_cost.observe.queries import (
    EXECUTIONS,
    PENDING,
    REQUEST_SUMMARY,
    RESPONSE_BUCKET,
    SUCCESS,
    TRITON_GPU,
)
from tests.unit.cli.doctor.facts import (
    BUDGET,
    PODS,
    SCHEMAS,
    Row,
    facts,
    found_alone,
    metrics,
    operator,
    settings,
    target,
    workload,
)

PROBLEM, WARNING, UNKNOWN, OK = Level.PROBLEM, Level.WARNING, Level.UNKNOWN, Level.OK
ALL = metrics().families
HPA = Autoscaler(kind="HorizontalPodAutoscaler", name="resnet-hpa")


def of(**changes: Any) -> Facts:
    """With another target."""
    return facts(targets=(target(**changes),))


def container(**changes: Any) -> Facts:
    return of(workload=workload(**changes))


def budget(name: str = "b", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "vision"}, "spec": spec}


def node_pool(**disruption: str) -> dict[str, Any]:
    return {"metadata": {"name": "gpu"}, "spec": {"disruption": disruption}}


def without_field() -> dict[str, Any]:
    """The policies' schema of an older version."""
    schema = SCHEMAS["inferencecostpolicies"]
    spec = schema["properties"]["spec"]
    older = {k: v for k, v in spec["properties"].items() if k != "spotRisk"}
    properties = schema["properties"] | {"spec": spec | {"properties": older}}
    return SCHEMAS | {"inferencecostpolicies": schema | {"properties": properties}}


def owned_by(manager: str) -> Facts:
    fields = [{"manager": manager, "fieldsV1": {"f:spec": {"f:replicas": {}}}}]
    return container(metadata={"managedFields": fields})


def told(kind: str, reason: str) -> Facts:
    condition = {"type": kind, "status": "False", "reason": reason, "message": "what to do"}
    return of(conditions={kind: condition})


RULES: dict[str, Row] = {
    "no custom resources": (
        lambda: facts(definitions=Definitions(installed=frozenset(), schemas={})),
        PROBLEM, "inferencecostpolicies, capacitypools, inferencecostcheckpoints are not installed",
        "crds.install=true",
    ),
    "definitions of an older version": (
        lambda: facts(definitions=Definitions(installed=frozenset(SCHEMAS), schemas=without_field())),
        PROBLEM, "lack fields of version 0.1.0: inferencecostpolicies spec.spotRisk", "crds.install=true",
    ),
    "definitions that may not be read": (
        lambda: facts(definitions=Definitions(installed=frozenset(SCHEMAS), schemas=None)),
        UNKNOWN, "their fields are not compared", "system:discovery",
    ),
    "no operator": (lambda: facts(operators=()), PROBLEM, "no Deployment of inference-cost-operator", "helm install"),
    "two operators": (
        lambda: facts(operators=(operator(), operator(namespace="other"))),
        PROBLEM, "it is installed 2 times", "helm uninstall",
    ),
    "no operator that is ready": (
        lambda: facts(operators=(operator(ready=0),)), PROBLEM, "0 of 2 replicas are ready", "describe pods",
    ),
    "one that is ready": (lambda: facts(operators=(operator(ready=1),)), WARNING, "1 of 2 replicas", "get pods"),
    "a single replica": (
        lambda: facts(operators=(operator(replicas=1, ready=1),)), WARNING, "nobody stands by", "replicaCount",
    ),
    "another version": (
        lambda: facts(operators=(operator(version="0.0.9"),)),
        WARNING, "it is of version 0.0.9, this command of 0.1.0", "same version",
    ),
    "settings that cannot be read": (
        lambda: facts(operators=(operator(settings=None),)), UNKNOWN, "its settings cannot be read", "configmaps",
    ),
    "Enforce without the switch": (
        lambda: facts(operators=(operator(settings=settings(enforce={"enabled": False})),)),
        PROBLEM, "vision/resnet ask for Enforce, and enforce.enabled is false", "enforce.enabled=true",
    ),
    "no Prometheus in the settings": (
        lambda: facts(operators=(operator(settings=settings(prometheus={"url": ""})),)),
        PROBLEM, "prometheus.url is empty", "prometheus.url=",
    ),
    "Prometheus is not reached": (
        lambda: facts(metrics=Unread(what="traffic", why="connection refused", fix="give --prometheus-url")),
        UNKNOWN, "connection refused", "--prometheus-url",
    ),
    "Prometheus has nothing of Triton": (
        lambda: facts(metrics=metrics(families=frozenset())), PROBLEM, "it has no metric of Triton", "PodMonitor",
    ),
    "a family is dropped": (
        lambda: facts(metrics=metrics(families=ALL - {EXECUTIONS})),
        PROBLEM, "it lacks nv_inference_exec_count", "metricRelabelings",
    ),
    "an old Triton": (
        lambda: facts(metrics=metrics(families=ALL - {PENDING})),
        WARNING, "nv_inference_pending_request_count", "23.09",
    ),
    "nothing measures a percentile": (
        lambda: facts(metrics=metrics(families=ALL - {RESPONSE_BUCKET})),
        WARNING, "SLOMet is Unknown, unless a gateway tells", "histogram_latencies=true",
    ),
    "slow scrapes": (lambda: facts(metrics=metrics(scrape_seconds=60.0)), WARNING, "scraped every 60 s", "15s"),
    "a pod without series": (
        lambda: facts(metrics=metrics(series={("vision", PODS[0]): 1})),
        PROBLEM, f"1 of 2 ready pods have no series: {PODS[1]}", "exported_pod",
    ),
    "an HPA under Enforce": (
        lambda: of(autoscaler=HPA),
        PROBLEM, "HorizontalPodAutoscaler/resnet-hpa scales it too", "adopt resnet -n vision",
    ),
    "Argo CD sets the replicas": (
        lambda: owned_by("argocd-controller"),
        PROBLEM, "argocd-controller owns spec.replicas", "RespectIgnoreDifferences",
    ),
    "the operator says it itself": (
        lambda: told("MetricsAvailable", "Stale"),
        PROBLEM, "MetricsAvailable=False (Stale): what to do", "explain resnet",
    ),
    "a workload that may not be read": (
        lambda: of(workload=None), UNKNOWN, "it is not there, or may not be read", "Accepted condition",
    ),
    "no budget": (lambda: of(budgets=()), WARNING, "it has no PodDisruptionBudget", "maxUnavailable 1"),
    "two budgets": (
        lambda: of(budgets=(BUDGET, budget("more", maxUnavailable=1))),
        PROBLEM, "resnet, more select the same pods", "keep one",
    ),
    "a budget that lets nothing go": (
        lambda: of(budgets=(budget(maxUnavailable=0),)),
        WARNING, "(maxUnavailable 0) lets no pod go", "maxUnavailable 1",
    ),
    "a budget of as many as there are": (
        lambda: of(budgets=(budget(minAvailable=2),)),
        WARNING, "(minAvailable 2) lets no pod go at 2 replicas", "maxUnavailable 1",
    ),
    "Karpenter consolidates": (
        lambda: of(node_pools=(node_pool(consolidationPolicy="WhenEmptyOrUnderutilized"),)),
        WARNING, "NodePool/gpu consolidates underused nodes", "WhenEmpty",
    ),
    "Karpenter may not": (
        lambda: container(annotations={"karpenter.sh/do-not-disrupt": "true"}),
        WARNING, "karpenter.sh/do-not-disrupt keeps a node", "PodDisruptionBudget",
    ),
    "nothing requested": (lambda: container(resources={}), WARNING, "its pods request nothing", "nvidia.com/gpu"),
    "no readiness": (lambda: container(readinessProbe=None), WARNING, "no readinessProbe", "/v2/health/ready"),
    "liveness by readiness": (
        lambda: container(livenessProbe={"httpGet": {"path": "/v2/health/ready"}}),
        WARNING, "livenessProbe asks for readiness", "/v2/health/live",
    ),
    "no startup probe": (lambda: container(startupProbe=None), WARNING, "no startupProbe", "failureThreshold"),
    "no time to be forgotten": (lambda: container(lifecycle={}), WARNING, "no preStop sleep", "sleeps 10 s"),
    "a short grace period": (
        lambda: container(grace=30), WARNING, "terminationGracePeriodSeconds 30 cuts off requests", "set it to 45",
    ),
    "a long exit timeout": (
        lambda: container(args=["tritonserver", "--exit-timeout-secs", "60"]), WARNING, "take 75", "set it to 75",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", RULES)
def test_found_alone_and_with_its_fix(sentence: str) -> None:
    found_alone(RULES[sentence])


FINE: dict[str, Callable[[], Facts]] = {
    "as it should be": facts,
    "Recommend beside an HPA": lambda: of(mode="Recommend", autoscaler=HPA),
    "a paused ScaledObject": lambda: of(autoscaler=replace(HPA, paused=True)),
    "Argo CD sets the replicas under Recommend": lambda: replace(
        owned_by("argocd-controller"), targets=(target(mode="Recommend"),)
    ),
    "kubectl wrote the replicas": lambda: owned_by("kubectl-client-side-apply"),
    "no budget of a single replica": lambda: of(
        budgets=(), workload={**workload(), "spec": {**workload()["spec"], "replicas": 1}}
    ),
    "summaries tell the percentile": lambda: facts(
        metrics=metrics(families=(ALL - {RESPONSE_BUCKET}) | {REQUEST_SUMMARY})
    ),
    "no GPU metrics": lambda: facts(metrics=metrics(families=ALL - {TRITON_GPU})),
    "a shell that sleeps": lambda: container(
        lifecycle={"preStop": {"exec": {"command": ["sh", "-c", "sleep 10"]}}}
    ),
    "Karpenter waits until nodes are empty": lambda: of(
        node_pools=(node_pool(consolidationPolicy="WhenEmpty"),)
    ),
    "no ready pod": lambda: replace(of(ready_pods=()), metrics=metrics(series={})),
    "no policy": lambda: facts(targets=()),
}


@pytest.mark.parametrize("sentence", FINE)
def test_nothing_is_found_where_nothing_is_wrong(sentence: str) -> None:
    found = diagnose(FINE[sentence]())
    assert [one.message for one in found if one.level is not OK] == []
    assert summary(found) == "Nothing to fix."
    assert all(not one.fix for one in found)


def test_an_empty_prometheus_is_one_finding_however_many_pods() -> None:
    found = diagnose(facts(metrics=metrics(families=frozenset(), series={})))
    assert sum(one.level is PROBLEM for one in found) == 1


def test_the_worst_of_an_area_comes_first() -> None:
    levels = [one.level for one in diagnose(facts(operators=(operator(version="9", ready=0),)))]
    assert levels.index(PROBLEM) < levels.index(WARNING) < levels.index(OK)


def test_fields_are_compared_also_in_lists() -> None:
    own = {"properties": {"a": {"items": {"properties": {"x": {}, "y": {}}}}, "metadata": {}}}
    installed = {"properties": {"a": {"items": {"properties": {"x": {}}}}}}
    assert missing_fields(installed, own) == ["a[].y"]
    assert missing_fields(own, installed) == []
    assert SUCCESS in REQUIRED
