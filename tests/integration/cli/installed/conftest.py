"""A cluster with the chart's objects, two fleets on priced nodes, and a Prometheus that has their series.

The pods are simulated: they are ready and run nothing. What they would export is one page, scraped as each of them.
"""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import yaml

from e2e.rig.binaries import Binaries
from e2e.rig.cluster import Cluster
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.kube import KubeClient, wait_for
from e2e.rig.kwok.nodes import add_nodes, kwok_node
from inference_cost.cli.doctor.metrics import REQUIRED
from inference_cost.cli.doctor.metrics_reading import RUNS
from inference_cost.cli.prometheus import Prometheus
from inference_cost.cli.prometheus_access import PrometheusAccess
from inference_cost.observe.queries import PENDING, RESPONSE_BUCKET, SUCCESS
from tests.integration.chart.conftest import Manifest, Render, helm, render, tools
from tests.unit.act_status.views import attained, plan, seen
from tests.unit.cli.doctor.facts import CONTAINER
from tests.unit.cli.objects import decided
from tests.unit.cli.served import served

__all__ = ["helm", "render", "tools"]  # fixtures of the chart's tests

NAMESPACE, OPERATOR = "team-a", "inference-cost"
FLEETS = {"resnet": "Enforce", "bert": "Recommend"}
REPLICAS = 2
KWOK = {"inferencecost.dev/node-kind": "kwok"}
POLICY = ("inferencecost.dev/v1alpha1", "InferenceCostPolicy")
SCRAPE_SECONDS = 1.0
FAMILIES = (*REQUIRED, PENDING, RESPONSE_BUCKET)
PAGE = "".join(f'{name}{{model="m",version="1"}} 1\n' for name in FAMILIES)
OPERATOR_PAGE = 'inference_cost_build_info{version="0.1.0"} 1\n'
# The `namespace` of the target goes before it, as it does without honor_labels.
POLICY_PAGE = 'inference_cost_policy_info{namespace="team-a",policy="resnet",mode="Enforce"} 1\n'


class World:
    """`objects`: what was applied, to bring it back."""

    def __init__(self, cluster: Cluster, kube: KubeClient, objects: list[Manifest]) -> None:
        self.cluster = cluster
        self.kube = kube
        self.objects = objects
        self.pages: dict[str, str] = {}  # addresses, by what they export

    @property
    def prometheus(self) -> str:
        assert self.cluster.prometheus_url
        return self.cluster.prometheus_url

    def pods(self, namespace: str, **labels: str) -> list[str]:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = self.kube.list("v1", "Pod", namespace=namespace, label_selector=selector)
        return sorted(pod["metadata"]["name"] for pod in found)

    def operator_pods(self) -> list[str]:
        return self.pods(OPERATOR, **{"app.kubernetes.io/name": "inference-cost-operator"})

    def scrape(self, job: str, page: str, namespace: str, pod: str) -> None:
        self.cluster.add_scrape_target(
            f"{job}-{pod}", self.pages[page], {"namespace": namespace, "pod": pod}
        )

    def forget(self, job: str, pod: str) -> None:
        (self.cluster.scrape_targets / f"{job}-{pod}.json").unlink()


@pytest.fixture(scope="package")
def world(
    cluster_programs: Binaries, tmp_path_factory: pytest.TempPathFactory, render: Render
) -> Iterator[World]:
    assert cluster_programs
    settings = ControlPlaneSettings(
        state_folder=tmp_path_factory.mktemp("installed"),
        name="installed",
        scrape_interval_seconds=SCRAPE_SECONDS,
    )
    with (
        ControlPlane.start(settings) as control_plane,
        KubeClient(control_plane.cluster.kubeconfig) as kube,
        served(page(PAGE)) as triton,
        served(page(OPERATOR_PAGE)) as operator,
        served(page(POLICY_PAGE)) as policies,
    ):
        made = World(control_plane.cluster, kube, [])
        made.pages = {
            "triton": triton.removeprefix("http://"),
            "operator": operator.removeprefix("http://"),
            "policies": policies.removeprefix("http://"),
        }
        fill(made, render)
        yield made


def page(text: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def fill(world: World, render: Render) -> None:
    """Everything as it should be."""
    kube = world.kube
    common = {
        "karpenter.sh/nodepool": "gpu",
        "topology.kubernetes.io/region": "us-east-1",
        "nvidia.com/gpu.product": "A10G",
    }
    add_nodes(kube, *(kwok_node(f"n{i}", labels=common) for i in range(5)))
    for name in (NAMESPACE, OPERATOR):
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    values = {
        "enforce": {"enabled": True},
        "scaleInOrder": {"enabled": True},
        "warm": {"enabled": True},
        "prometheus": {"url": world.prometheus},
        "nodeSelector": KWOK,
    }
    world.objects = [*render(values), pool("gpu", warm={"max": 1}), pool("other")]
    for name in FLEETS:
        world.objects += [deployment(name), budget(name)]
    world.objects.append(autoscaler("bert"))
    kube.apply(*world.objects, namespace=OPERATOR)
    for name, mode in FLEETS.items():
        add_policy(kube, name, mode)
    wait_for(lambda: all_ready(kube), timeout_seconds=40, what="ready replicas")
    for name in FLEETS:
        for pod in world.pods(NAMESPACE, app=name):
            world.scrape("triton", "triton", NAMESPACE, pod)
    for pod in world.operator_pods():
        world.scrape("operator", "operator", OPERATOR, pod)
    pods = (len(FLEETS) * REPLICAS, REPLICAS)
    wait_for(lambda: counted(world) == pods, timeout_seconds=20, what="the first scrapes")


def counted(world: World) -> tuple[int, ...]:
    """Series of the fleets and of the operator that Prometheus has."""
    prometheus = Prometheus(PrometheusAccess(url=world.prometheus))
    return tuple(len(prometheus.at(name, time.time())) for name in (SUCCESS, RUNS))


def all_ready(kube: KubeClient) -> bool:
    wanted = [(NAMESPACE, name) for name in FLEETS] + [(OPERATOR, "inference-cost-operator")]
    found = (kube.get("apps/v1", "Deployment", name, namespace=where) for where, name in wanted)
    return all(one.get("status", {}).get("readyReplicas") == REPLICAS for one in found)


def pool(name: str, **spec: Any) -> Manifest:
    """Of the nodes whose Karpenter pool has this name."""
    return {
        "apiVersion": POLICY[0],
        "kind": "CapacityPool",
        "metadata": {"name": name},
        "spec": {
            "nodeSelector": {"matchLabels": {"karpenter.sh/nodepool": name}},
            "offerings": [{"instanceType": "g5.xlarge", "perNodeHour": "1.00"}],
            **spec,
        },
    }


def deployment(name: str) -> Manifest:
    labels = {"app": name}
    pod = {
        "terminationGracePeriodSeconds": 45,
        "nodeSelector": KWOK,
        "containers": [CONTAINER],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def budget(name: str) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}},
    }


def autoscaler(name: str) -> Manifest:
    """It has nothing to go by, and leaves the replicas alone."""
    target = {"type": "Utilization", "averageUtilization": 80}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"{name}-hpa", "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": REPLICAS,
            "maxReplicas": 8,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def add_policy(kube: KubeClient, name: str, mode: str, *, kind: str = "Deployment") -> None:
    """With the status that the operator writes of a fleet whose objective is met."""
    made: dict[str, Any] = decided(plan(attainment=attained(0.995)), seen(), "1.00")
    status = made.pop("status")
    made["metadata"] = {"name": name, "namespace": NAMESPACE}
    made["spec"] = {
        "mode": mode,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name},
        "minReplicas": 1,
        "maxReplicas": 8,
        "slo": {"latency": {"thresholdMilliseconds": 100, "target": "99.0"}},
    }
    kube.create(made, namespace=NAMESPACE)
    path = f"/apis/{POLICY[0]}/namespaces/{NAMESPACE}/inferencecostpolicies/{name}/status"
    body = {"status": status}
    kube.request("PATCH", path, body=body, content_type="application/merge-patch+json")


def settings_with(world: World, **sections: Any) -> Manifest:
    """A merge patch of the operator's settings file."""
    found = next(
        one
        for one in world.objects
        if one["kind"] == "ConfigMap" and "settings.yaml" in one["data"]
    )
    changed = yaml.safe_load(found["data"]["settings.yaml"])
    for name, section in sections.items():
        changed[name] = changed.get(name, {}) | section
    return {"data": {"settings.yaml": yaml.safe_dump(changed)}}
