"""The whole operator as a process, against a real API server and no Prometheus."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, wait_for
from inference_cost.api.group import API_VERSION
from tests.integration.act.objects import deployment, policy
from tests.integration.control.operators import OperatorProcess

ENFORCE = {"INFERENCE_COST_ENFORCE__ENABLED": "true"}
LEASES = "coordination.k8s.io/v1"
KIND = "InferenceCostPolicy"


@pytest.fixture
def space(own_kube: KubeClient) -> Iterator[str]:
    """A namespace of its own. Policies are deleted first, so that the next operator does not see them."""
    name = f"team-{uuid4().hex[:8]}"
    own_kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    for found in own_kube.list(API_VERSION, KIND, namespace=name):
        own_kube.delete(API_VERSION, KIND, found["metadata"]["name"], namespace=name)
    own_kube.delete("v1", "Namespace", name)


class World:
    """One namespace as a test reads it."""

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        self.kube = kube
        self.namespace = namespace

    def add(self, name: str = "resnet", *, replicas: int = 3, **spec: Any) -> None:
        self.kube.apply(
            deployment(name, replicas=replicas), policy(name, **spec), namespace=self.namespace
        )

    def status(self, name: str = "resnet") -> dict[str, Any]:
        found = self.kube.get(API_VERSION, KIND, name, namespace=self.namespace)
        status: dict[str, Any] = found.get("status", {})
        return status

    def condition(self, kind: str, name: str = "resnet") -> tuple[str, str]:
        for condition in self.status(name).get("conditions", ()):
            if condition["type"] == kind:
                return condition["status"], condition["reason"]
        return "", ""

    def wait_for_condition(
        self, kind: str, want: tuple[str, str], name: str = "resnet", *, seconds: float = 30.0
    ) -> None:
        wait_for(
            lambda: self.condition(kind, name) == want,
            timeout_seconds=seconds,
            what=f"{kind} {want} (now {self.condition(kind, name)})",
        )

    def replicas(self, name: str = "resnet") -> int:
        found = self.kube.get("apps/v1", "Deployment", name, namespace=self.namespace)
        return int(found["spec"]["replicas"])

    def events(self) -> list[str]:
        found = self.kube.list("events.k8s.io/v1", "Event", namespace=self.namespace)
        ours = [e for e in found if e.get("reportingController") == "inferencecost.dev/operator"]
        return [e["reason"] for e in ours]


@pytest.fixture
def world(own_kube: KubeClient, space: str) -> World:
    return World(own_kube, space)


def lease_holder(kube: KubeClient) -> str:
    lease = kube.find(LEASES, "Lease", "inference-cost-operator")
    return str(lease["spec"].get("holderIdentity", "")) if lease else ""


def test_without_prometheus_it_says_so_and_holds(
    own_cluster: Cluster, own_kube: KubeClient, world: World, tmp_path: Path
) -> None:
    world.add(mode="Enforce")
    with OperatorProcess("one", own_cluster.kubeconfig, tmp_path, ENFORCE) as operator:
        world.wait_for_condition("MetricsAvailable", ("False", "NotConfigured"))
        assert world.condition("Ready")[0] == "True"
        assert world.status()["replicas"] == {"current": 3, "ready": 0, "desired": 3}
        assert "MetricsUnavailable" in world.events()
        assert operator.get("/livez")[0] == 200
        assert operator.get("/readyz")[0] == 200
        assert operator.metric("inference_cost_leader") == 1
        assert lease_holder(own_kube).startswith("one_")

        started = time.monotonic()
        assert operator.terminate() == 0
        assert time.monotonic() - started < 3
    assert lease_holder(own_kube) == ""
    assert world.replicas() == 3
    assert "Task" not in operator.log.read_text()  # nothing was left pending or destroyed


def test_replicas_below_the_minimum_are_raised_by_our_name_and_an_event_says_so(
    own_cluster: Cluster, world: World, tmp_path: Path
) -> None:
    world.add(mode="Enforce", replicas=1)
    with OperatorProcess("one", own_cluster.kubeconfig, tmp_path, ENFORCE) as operator:
        wait_for(lambda: world.replicas() == 2, timeout_seconds=20, what="two replicas")
        wait_for(lambda: "ScaledOut" in world.events(), timeout_seconds=5, what="the event")
        (scaled,) = operator.events("scale")
        assert (scaled["from"], scaled["to"], scaled["outcome"]) == (1, 2, "Written")


def test_the_global_switch_works_within_one_tick_and_without_a_restart(
    own_cluster: Cluster, world: World, tmp_path: Path
) -> None:
    world.add(mode="Enforce")
    file = tmp_path / "settings.yaml"
    file.write_text("enforce: {enabled: false}\n")
    settings = {"INFERENCE_COST_CONFIG_FILE": str(file)}
    with OperatorProcess("one", own_cluster.kubeconfig, tmp_path, settings) as operator:
        world.wait_for_condition("MetricsAvailable", ("False", "NotConfigured"))
        world.kube.scale("resnet", 1, namespace=world.namespace)
        time.sleep(3)
        assert world.replicas() == 1  # only recommended
        assert operator.metric("inference_cost_enforce_enabled") == 0
        file.write_text("enforce: {enabled: true}\n")
        wait_for(lambda: world.replicas() == 2, timeout_seconds=4, what="two replicas")


def test_a_deleted_policy_leaves_replicas_and_nothing_hangs(
    own_cluster: Cluster, world: World, tmp_path: Path
) -> None:
    world.add(mode="Enforce")
    with OperatorProcess("one", own_cluster.kubeconfig, tmp_path, ENFORCE) as operator:
        world.wait_for_condition("MetricsAvailable", ("False", "NotConfigured"))
        assert 'policy="resnet"' in operator.get("/metrics")[1]
        world.kube.delete(API_VERSION, KIND, "resnet", namespace=world.namespace)
        assert world.kube.find(API_VERSION, KIND, "resnet", namespace=world.namespace) is None
        operator.wait_for_event("policy_gone")
        wait_for(
            lambda: 'policy="resnet"' not in operator.get("/metrics")[1],
            timeout_seconds=5,
            what="the series to go",
        )
    assert world.replicas() == 3


def test_a_broken_policy_is_told_why_and_others_go_on(
    own_cluster: Cluster, world: World, tmp_path: Path
) -> None:
    world.add("good", mode="Enforce", replicas=1)
    world.kube.apply(policy("lost"), namespace=world.namespace)
    with OperatorProcess("one", own_cluster.kubeconfig, tmp_path, ENFORCE):
        world.wait_for_condition("Accepted", ("False", "TargetNotFound"), "lost")
        wait_for(lambda: world.replicas("good") == 2, timeout_seconds=20, what="two replicas")
        world.kube.apply(deployment("lost"), namespace=world.namespace)
        world.wait_for_condition("Accepted", ("True", "Accepted"), "lost", seconds=5)


def test_the_leader_is_killed_and_the_other_goes_on_without_deciding_twice(
    own_cluster: Cluster, own_kube: KubeClient, world: World, tmp_path: Path
) -> None:
    world.add(mode="Enforce")
    with (
        OperatorProcess("one", own_cluster.kubeconfig, tmp_path, ENFORCE) as first,
        OperatorProcess("two", own_cluster.kubeconfig, tmp_path, ENFORCE) as second,
    ):
        world.wait_for_condition("MetricsAvailable", ("False", "NotConfigured"))
        leader, standby = (
            (first, second) if lease_holder(own_kube).startswith("one_") else (second, first)
        )
        assert standby.get("/readyz")[0] == 200
        assert standby.get("/livez")[0] == 200
        assert "api_writes" not in _samples(standby)
        before = world.status()

        leader.kill()
        started = time.monotonic()
        standby.wait_for_event("restored", seconds=10)
        assert time.monotonic() - started <= 3 + 3 * 0.4 + 1
        world.kube.scale("resnet", 1, namespace=world.namespace)
        wait_for(lambda: world.replicas() == 2, timeout_seconds=10, what="two replicas")
        assert world.events().count("MetricsUnavailable") == 1
        assert _transition_times(world.status()) == _transition_times(before)


def test_a_frozen_leader_writes_nothing_more_and_ends(
    own_cluster: Cluster, own_kube: KubeClient, world: World, tmp_path: Path
) -> None:
    world.add(mode="Enforce")
    with OperatorProcess("one", own_cluster.kubeconfig, tmp_path, ENFORCE) as frozen:
        world.wait_for_condition("MetricsAvailable", ("False", "NotConfigured"))
        frozen.freeze()
        with OperatorProcess("two", own_cluster.kubeconfig, tmp_path, ENFORCE) as other:
            other.wait_for_event("restored", seconds=15)
            frozen.thaw()
            assert frozen.wait(seconds=10) == 1
            assert frozen.events("leadership_lost")
            assert lease_holder(own_kube).startswith("two_")


def test_an_unchanged_world_costs_lease_renewals_alone(
    own_cluster: Cluster, world: World, tmp_path: Path
) -> None:
    """A hundred policies over twenty ticks, counted in the API server's audit log."""
    for number in range(100):
        world.add(f"model-{number}", replicas=2)
    settings = {"INFERENCE_COST_WRITES__STATUS_PER_SECOND": "100"}
    with OperatorProcess("one", own_cluster.kubeconfig, tmp_path, settings) as operator:
        for number in range(100):
            world.wait_for_condition(
                "MetricsAvailable", ("False", "NotConfigured"), f"model-{number}"
            )
        _wait_until_quiet(operator)
        begin = own_cluster.audit_log.stat().st_size
        ticks = operator.metric('inference_cost_pass_duration_seconds_count{phase="act"}')
        wait_for(
            lambda: (
                operator.metric('inference_cost_pass_duration_seconds_count{phase="act"}')
                >= ticks + 20
            ),
            timeout_seconds=60,
            what="twenty ticks",
        )
        writes = _operator_writes(own_cluster, begin)
    assert set(writes) == {("update", "leases")}, writes


def _wait_until_quiet(operator: OperatorProcess) -> None:
    """Until the first statuses and checkpoints are out and pods no longer age into another condition."""

    def writes() -> list[str]:
        text = operator.get("/metrics")[1].splitlines()
        return [li for li in text if "api_writes" in li and "leases" not in li]

    def quiet() -> bool:
        before = writes()
        time.sleep(5)
        return writes() == before

    wait_for(quiet, timeout_seconds=60, what="the writes of the start to end")


def _operator_writes(cluster: Cluster, begin: int) -> list[tuple[str, str]]:
    """(verb, resource) of each completed write by the operator's client since a place in the audit log."""
    with cluster.audit_log.open() as log:
        log.seek(begin)
        entries = [json.loads(line) for line in log if line.endswith("\n")]
    return [
        (entry["verb"], entry["objectRef"]["resource"])
        for entry in entries
        if entry.get("stage") == "ResponseComplete"
        and entry.get("userAgent", "").startswith(("inference-cost-operator", "kopf"))
        and entry["verb"] not in ("get", "list", "watch")
    ]


def _samples(operator: OperatorProcess) -> str:
    lines = operator.get("/metrics")[1].splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


def _transition_times(status: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["lastTransitionTime"] for c in status["conditions"]}
