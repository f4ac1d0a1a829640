"""An installation as it should be, to be broken in one place at a time."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from inference_cost.api.crds import all_crds
from inference_cost.cli.doctor.facts import (
    Definitions,
    Facts,
    Metrics,
    Operator,
    Right,
    Target,
)
from inference_cost.cli.doctor.findings import Level
from inference_cost.cli.doctor.metrics import REQUIRED
from inference_cost.cli.doctor.report import diagnose, has_problems
from inference_cost.cli.doctor.rights import OWN, duties_of
from inference_cost.cli.scan.workloads import WorkloadKey
from inference_cost.observe.queries import PENDING, RESPONSE_BUCKET, TRITON_GPU

SCHEMAS = {
    crd["spec"]["names"]["plural"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for crd in all_crds()
}
Row = tuple[Callable[[], Facts], Level, str, str]  # facts, level, words of message and of fix
VERSION = "0.1.0"
PODS = ("resnet-a-00001", "resnet-a-00002")
CONTAINER: dict[str, Any] = {
    "name": "triton",
    "image": "nvcr.io/nvidia/tritonserver:26.01-py3",
    "args": ["tritonserver", "--exit-timeout-secs=30"],
    "resources": {"limits": {"nvidia.com/gpu": "1"}},
    "readinessProbe": {"httpGet": {"path": "/v2/health/ready", "port": 8000}},
    "livenessProbe": {"httpGet": {"path": "/v2/health/live", "port": 8000}},
    "startupProbe": {"httpGet": {"path": "/v2/health/ready", "port": 8000}},
    "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
}
BUDGET: dict[str, Any] = {
    "metadata": {"name": "resnet", "namespace": "vision"},
    "spec": {"maxUnavailable": 1},
}


def workload(**container: Any) -> dict[str, Any]:
    """A Deployment of two replicas; keywords change its container, or `grace` and `metadata`."""
    grace, metadata = container.pop("grace", 45), container.pop("metadata", {})
    annotations = container.pop("annotations", {})
    pod = {"terminationGracePeriodSeconds": grace, "containers": [CONTAINER | container]}
    return {
        "kind": "Deployment",
        "metadata": {"name": "resnet", "namespace": "vision"} | metadata,
        "spec": {
            "replicas": 2,
            "template": {"metadata": {"annotations": annotations}, "spec": pod},
        },
    }


def target(**changes: Any) -> Target:
    given: dict[str, Any] = {
        "policy": "vision/resnet",
        "mode": "Enforce",
        "key": WorkloadKey(namespace="vision", kind="Deployment", name="resnet"),
        "workload": workload(),
        "ready_pods": PODS,
        "budgets": (BUDGET,),
    }
    return Target(**(given | changes))


def operator(**changes: Any) -> Operator:
    given: dict[str, Any] = {
        "namespace": "inference-cost",
        "name": "inference-cost-operator",
        "version": VERSION,
        "replicas": 2,
        "ready": 2,
        "account": "system:serviceaccount:inference-cost:inference-cost-operator",
        "settings": {
            "enforce": {"enabled": True},
            "prometheus": {"url": "http://prometheus.monitoring.svc:9090"},
        },
    }
    made = Operator(**(given | changes))
    return made if "rights" in changes else replace(made, rights=granted(made))


def granted(
    one: Operator,
    *,
    warm_pools: Mapping[str, str] | None = None,
    but: str = "",
    kinds: tuple[str, ...] = (),
) -> dict[Right, bool]:
    """What the chart grants, the switches being what they are; `but` what is of this template."""
    duties = duties_of(
        one, scaled=frozenset(kinds or ("Deployment", "StatefulSet")), warm_pools=warm_pools or {}
    )
    return {
        right: duty.on is not False and duty.template != but
        for duty in duties
        for right in duty.rights
    }


def metrics(**changes: Any) -> Metrics:
    given: dict[str, Any] = {
        "url": "http://prometheus",
        "families": frozenset({*REQUIRED, PENDING, RESPONSE_BUCKET, TRITON_GPU}),
        "scrape_seconds": 15.0,
        "series": {("vision", pod): 1 for pod in PODS},
        "scraped_as": {("vision", pod): ("triton at 10.0.0.1:8002",) for pod in PODS},
        "operator_ages": (3.0, 11.0),
    }
    return Metrics(**(given | changes))


def facts(**changes: Any) -> Facts:
    given: dict[str, Any] = {
        "version": VERSION,
        "own_schemas": SCHEMAS,
        "definitions": Definitions(installed=frozenset(SCHEMAS), schemas=SCHEMAS),
        "operators": (operator(),),
        "own_rights": dict.fromkeys(OWN, True),
        "metrics": metrics(),
        "targets": (target(),),
    }
    found = given | changes
    if "metrics" not in changes:
        replicas = sum(one.ready for one in found["operators"])
        found["metrics"] = metrics(operator_ages=(3.0,) * replicas)
    return Facts(**found)


def without(families: frozenset[str], *names: str) -> Metrics:
    return replace(metrics(), families=families - frozenset(names))


def settings(**changes: Any) -> dict[str, Any]:
    """Sections of the operator's settings, in place of its own."""
    return dict(operator().settings or {}) | changes


def found_alone(row: Row) -> None:
    """The one finding that is not fine, at its level, with the words of message and fix."""
    make, level, message, fix = row
    bad = [one for one in diagnose(make()) if one.level is not Level.OK]
    assert [one.level for one in bad] == [level], [one.message for one in bad]
    assert message in bad[0].message
    assert fix in bad[0].fix
    assert has_problems(bad) is (level is Level.PROBLEM)
