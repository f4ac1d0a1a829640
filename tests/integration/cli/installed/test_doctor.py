"""`doctor` on a broken installation of each kind: broken on a real cluster, found with its fix, mended again."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from e2e.rig.kube import KubeClient, Manifest, wait_for
from tests.integration.chart.values_table import ROLLOUT
from tests.integration.cli.installed.conftest import (
    NAMESPACE,
    OPERATOR,
    World,
    add_policy,
    autoscaler,
    budget,
    settings_with,
)
from tests.unit.cli.test_command import run

NAME = "inference-cost-operator"
RBAC = "rbac.authorization.k8s.io/v1"
WITHIN_SECONDS = 15.0
Doctor = Callable[[], list[dict[str, str]]]


@pytest.fixture
def doctor(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    """Its findings that are not fine."""

    def found() -> list[dict[str, str]]:
        where = (
            "--kubeconfig",
            str(world.cluster.kubeconfig),
            "--prometheus-url",
            world.prometheus,
        )
        code = run(monkeypatch, "doctor", "-A", "-o", "json", *where)
        told = json.loads(capsys.readouterr().out)["findings"]
        assert code == int(any(one["level"] == "problem" for one in told))
        return [one for one in told if one["level"] != "ok"]

    return found


@pytest.fixture
def mended(world: World) -> Iterator[None]:
    """Everything as it was, whatever the test did."""
    yield
    world.kube.apply(*world.objects, namespace=OPERATOR)


def test_as_it_should_be(doctor: Doctor) -> None:
    wait_for(lambda: doctor() == [], timeout_seconds=WITHIN_SECONDS, what="nothing to fix")


def test_what_prometheus_scrapes(world: World, doctor: Doctor) -> None:
    """A pod by two targets, another by none, one replica of two of the operator, and its labels pushed aside."""
    twice, never = world.pods(NAMESPACE, app="resnet")
    gone, left = world.operator_pods()
    world.scrape("again", "triton", NAMESPACE, twice)
    world.forget("triton", never)
    world.forget("operator", gone)
    world.scrape("renamed", "policies", OPERATOR, left)
    expected = {
        f"{twice}, which counts its load 2 times": "drop one of ServiceMonitor and PodMonitor",
        f"1 of 2 ready pods have no series: {never}": "let the PodMonitor select them",
        "it scrapes 1 of 2 ready replicas of the operator": "metrics.podMonitor",
        "1 of the operator's series have their namespace in exported_namespace": "honorLabels: true",
    }

    def seen() -> dict[str, dict[str, str]]:
        found = doctor()
        words = {text: one for text in expected for one in found if text in one["message"]}
        return words if len(words) == len(expected) else {}

    found = wait_for(seen, timeout_seconds=WITHIN_SECONDS, what="all findings")
    assert all(fix in found[text]["fix"] for text, fix in expected.items())
    world.forget("again", twice)
    world.forget("renamed", left)
    world.scrape("triton", "triton", NAMESPACE, never)
    world.scrape("operator", "operator", OPERATOR, gone)
    wait_for(lambda: doctor() == [], timeout_seconds=WITHIN_SECONDS, what="nothing to fix")


def settings(**sections: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.kube.merge(
            "v1", "ConfigMap", NAME, settings_with(world, **sections), namespace=OPERATOR
        )

    return change


def unbound(kind: str, name: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.kube.delete(RBAC, kind, name, namespace=OPERATOR)

    return change


def older_definitions(world: World) -> None:
    """Without a field that came later."""
    name = "inferencecostpolicies.inferencecost.dev"
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/spotRisk"
    world.kube.request(
        "PATCH",
        f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}",
        body=[{"op": "remove", "path": path}],
        content_type="application/json-patch+json",
    )


def scaled(replicas: int) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.kube.scale(NAME, replicas, namespace=OPERATOR)

    return change


def installed_twice(world: World) -> None:
    again = next(
        one
        for one in world.objects
        if one["kind"] == "Deployment" and one["metadata"]["name"] == NAME
    )
    world.kube.apply(again | {"metadata": again["metadata"] | {"namespace": "default"}})


def applied(*manifests: Manifest) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.kube.apply(*manifests, namespace=NAMESPACE)

    return change


def another_kind(world: World) -> None:
    add_policy(world.kube, "rolled", "Recommend", kind="Rollout")


def removed(api_version: str, kind: str, name: str, namespace: str) -> Callable[[KubeClient], None]:
    return lambda kube: kube.delete(api_version, kind, name, namespace=namespace)


def nothing(_: KubeClient) -> None:
    """What was changed is applied again as it was."""


Row = tuple[Callable[[World], None], str, str, str, Callable[[KubeClient], None]]
# What is done, the level, words of message and fix, and what else takes it back.
BROKEN: dict[str, Row] = {
    "may not scale": (
        unbound("ClusterRoleBinding", f"{NAME}-enforce"),
        "problem", "it may not get deployments/scale.apps, patch deployments/scale.apps: nothing is scaled",
        "rbac-enforce.yaml", nothing,
    ),
    "may not keep nodes ready": (
        unbound("RoleBinding", f"{NAME}-warm"),
        "problem", f"it may not create deployments.apps in namespace {OPERATOR}", "rbac-warm.yaml", nothing,
    ),
    "may not mark pods": (
        unbound("ClusterRoleBinding", f"{NAME}-scale-in-order"),
        "problem", "it may not patch pods: any replica goes", "rbac-scale-in-order.yaml", nothing,
    ),
    "may not lead": (
        unbound("RoleBinding", f"{NAME}-lease"),
        "problem", "none of its replicas leads", "rbac-operator.yaml", nothing,
    ),
    "may not see": (
        unbound("ClusterRoleBinding", NAME), "problem", "what it does not see it does not decide", "rbac-operator.yaml",
        nothing,
    ),
    "a kind that its roles do not know": (
        settings(cluster={"scale_targets": [ROLLOUT]}),
        "problem", "it may not get rollouts.argoproj.io", "rbac-operator.yaml", nothing,
    ),
    "a kind that is not enabled": (
        another_kind, "problem", "Rollout is not among the kinds that the installation scales", "rbac.scaleTargets",
        removed("inferencecost.dev/v1alpha1", "InferenceCostPolicy", "rolled", NAMESPACE),
    ),
    "the switch is off": (
        settings(enforce={"enabled": False}),
        "problem", "team-a/resnet ask for Enforce, and enforce.enabled is false", "enforce.enabled=true", nothing,
    ),
    "rights beyond the switch": (
        settings(scale_in_order={"enabled": False}),
        "warning", "it may patch pods, although enforce.enabled or scaleInOrder.enabled is false", "delete the binding",
        nothing,
    ),
    "nodes are not kept ready": (
        settings(warm={"enabled": False}),
        "warning", "CapacityPool gpu asks for nodes kept ready (Placeholder), and warm.enabled is false",
        "warm.enabled=true", nothing,
    ),
    "no Prometheus": (
        settings(prometheus={"url": ""}), "problem", "prometheus.url is empty", "prometheus.url=", nothing,
    ),
    "older definitions": (
        older_definitions, "problem", "inferencecostpolicies spec.spotRisk", "crds.install=true", nothing,
    ),
    "one replica": (scaled(1), "warning", "1 of 1 replicas are ready: nobody stands by", "replicaCount", nothing),
    "two installations": (
        installed_twice, "problem", "it is installed 2 times", "helm uninstall",
        removed("apps/v1", "Deployment", NAME, "default"),
    ),
    "another autoscaler": (
        applied(autoscaler("resnet")),
        "problem", "HorizontalPodAutoscaler/resnet-hpa scales it too", "adopt resnet -n team-a",
        removed("autoscaling/v2", "HorizontalPodAutoscaler", "resnet-hpa", NAMESPACE),
    ),
    "two budgets": (
        applied({**budget("resnet"), "metadata": {"name": "more", "namespace": NAMESPACE}}),
        "problem", "PodDisruptionBudgets more, resnet select the same pods", "keep one",
        removed("policy/v1", "PodDisruptionBudget", "more", NAMESPACE),
    ),
}  # fmt: skip


def told(findings: list[dict[str, str]], level: str, message: str) -> dict[str, str]:
    return next(
        (one for one in findings if one["level"] == level and message in one["message"]), {}
    )


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("sentence", BROKEN)
def test_broken(sentence: str, world: World, doctor: Doctor) -> None:
    change, level, message, fix, back = BROKEN[sentence]
    change(world)
    try:
        found = wait_for(
            lambda: told(doctor(), level, message), timeout_seconds=WITHIN_SECONDS, what=message
        )
    finally:
        back(world.kube)
    assert fix in found["fix"]
