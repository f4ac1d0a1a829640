"""Every panel of every dashboard returns data: the operator at work, scraped by a real Prometheus.

Two namespaces with a gateway: a policy that enforces, over spot and on-demand nodes of priced CapacityPools and at its
`maxReplicas`, and one that only recommends.
"""

import contextlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from e2e.rig.cluster import Cluster
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.fleet_exporter.loads import Load
from e2e.rig.fleet_exporter.simulated_fleet import SimulatedFleet
from e2e.rig.fleet_exporter.triton_settings import TritonSettings
from e2e.rig.kube import KubeClient, Manifest, condition, wait_for
from e2e.rig.kwok.nodes import add_nodes, kwok_node
from e2e.rig.serving import policy
from inference_cost.api.group import API_VERSION
from tests.integration.control.operators import OperatorProcess

BOARDS = sorted(Path("charts/inference-cost-operator/dashboards").glob("*.json"))
TEAM, OTHER = "drawn", "drawn-too"
POOLS = {"spot": ("spot", "0.40"), "safe": ("on-demand", "1.20")}
POOL_LABEL = "inferencecost.dev/drawn"
GPUS = TritonSettings(gpu_metrics=True)
SPOT_REPLICAS = 3  # as many starts must be seen until one is expected
DRAWN_WITHIN_SECONDS = 90.0
SETTINGS = {
    "INFERENCE_COST_ENFORCE__ENABLED": "true",
    "INFERENCE_COST_DECISION__RATE_WINDOW_SECONDS": "8",
    "INFERENCE_COST_DECISION__START_UP_SECONDS_PRIOR": "10",
    "INFERENCE_COST_GATEWAY__PRESET": "envoy",
}
# As Grafana would fill in, for a world that is a minute old.
FILLED = {
    "$__rate_interval": "10s",
    "$__range": "1m",
    '~"$namespace"': f'~"{TEAM}|{OTHER}"',
    "$namespace": TEAM,
    "$policy": "shop",
}
WITHOUT_DATA = {
    ("operator", "Writes that failed"): "the API server refuses nothing here",
}


def fleet(name: str, namespace: str, pool: str, replicas: int) -> SimulatedFleet:
    return SimulatedFleet(
        name=name,
        namespace=namespace,
        replicas=replicas,
        triton=GPUS,
        start_delay="2s",
        node_selector={POOL_LABEL: pool},
    )


def served_together(manifest: Manifest) -> Manifest:
    """Of one Service: `shop`, whatever the workload is called."""
    together = {"served": "shop"}
    if manifest["kind"] == "Service":
        manifest["spec"]["selector"] = together
    else:
        manifest["spec"]["template"]["metadata"]["labels"] |= together
    return manifest


SAFE, SPOT = fleet("shop", TEAM, "safe", 1), fleet("shop-spot", TEAM, "spot", SPOT_REPLICAS)
DESK = fleet("desk", OTHER, "safe", 2)
LOADS = (
    Load(namespace=TEAM, selector={"served": "shop"}, requests_per_second=300.0, service="shop"),
    DESK.load(20.0, gateway=True),
)


def manifests() -> Iterator[Manifest]:
    for pool, (_, price) in POOLS.items():
        offering = {"instanceType": "g5.xlarge", "perNodeHour": price}
        yield {
            "apiVersion": API_VERSION,
            "kind": "CapacityPool",
            "metadata": {"name": pool},
            "spec": {
                "nodeSelector": {"matchLabels": {POOL_LABEL: pool}},
                "offerings": [offering],
            },
        }
    yield from map(served_together, [*SAFE.manifests(), SPOT.deployment()])
    yield from DESK.manifests()
    variants = [
        {
            "name": name,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": one.name},
            "poolRef": {"name": name},
            "minReplicas": 0,
        }
        for name, one in (("safe", SAFE), ("spot", SPOT))
    ]
    shop = policy(SAFE, mode="Enforce", maximum=SPOT_REPLICAS + 1, variants=variants)  # type: ignore[arg-type]  # name and namespace
    del shop["spec"]["scaleTargetRef"]
    shop["spec"] |= {"baseline": "HPA", "costCenter": "vision", "monthlyBudget": "900.00"}
    yield shop
    yield policy(DESK)  # type: ignore[arg-type]  # name and namespace


@pytest.fixture(scope="module")
def nodes(client: KubeClient) -> Iterator[None]:
    """Two namespaces, and nodes of both pools."""
    for namespace in (TEAM, OTHER):
        client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    client.apply_files(*sorted(Path("crds").glob("*.yaml")))
    made = [
        kwok_node(f"{pool}-{n}", gpus=1, capacity_type=capacity_type, labels={POOL_LABEL: pool})
        for pool, (capacity_type, _) in POOLS.items()
        for n in range(SPOT_REPLICAS + 1)
    ]
    add_nodes(client, *made)
    yield
    for namespace in (TEAM, OTHER):
        client.delete("v1", "Namespace", namespace)
    for node in made:
        client.delete("v1", "Node", node["metadata"]["name"])


@pytest.fixture(scope="module")
def operator(
    nodes: None, watched: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """It leads, and Prometheus scrapes it."""
    del nodes
    settings = {**SETTINGS, "INFERENCE_COST_PROMETHEUS__URL": str(watched.prometheus_url)}
    folder = tmp_path_factory.mktemp("drawn")
    with OperatorProcess("drawn", watched.kubeconfig, folder, settings) as running:
        port = running.wait_for_event("listening")["port"]
        watched.add_scrape_target("inference-cost-operator", f"127.0.0.1:{port}", {})
        running.wait_for_event("restored", seconds=60)
        yield running


@pytest.fixture(scope="module")
def world(
    operator: OperatorProcess, client: KubeClient, exporter: ExporterClient
) -> Iterator[OperatorProcess]:
    """The operator sees the pods start, which is how it learns how long that takes."""
    client.apply(*manifests())
    wait_for(lambda: ready(client) == SPOT_REPLICAS + 3, timeout_seconds=30, what="all pods")
    for load in LOADS:
        exporter.set_load(load)
    yield operator
    for load in LOADS:
        exporter.remove_load(load)
    for namespace in (TEAM, OTHER):
        for found in client.list(API_VERSION, "InferenceCostPolicy", namespace=namespace):
            name = found["metadata"]["name"]
            client.delete(API_VERSION, "InferenceCostPolicy", name, namespace=namespace)
    for pool in POOLS:
        client.delete(API_VERSION, "CapacityPool", pool)


def ready(client: KubeClient) -> int:
    pods = [p for namespace in (TEAM, OTHER) for p in client.list("v1", "Pod", namespace=namespace)]
    return sum(condition(pod, "Ready") == "True" for pod in pods)


class Drawn:
    """Asks Prometheus what Grafana would ask. `left`: queries that have returned nothing so far."""

    def __init__(self, http: requests.Session, cluster: Cluster) -> None:
        self._http = http
        self._url = f"{cluster.prometheus_url}/api/v1/query"
        self.left = asked()

    def ask(self) -> bool:
        """Whether all that should have returned data did."""
        self.left = [one for one in self.left if not self._has_data(one[2])]
        return all(one[:2] in WITHOUT_DATA for one in self.left)

    def _has_data(self, expression: str) -> bool:
        answer = self._http.get(self._url, params={"query": expression}, timeout=5)
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        result = answer.json()["data"]["result"]
        return any(math.isfinite(float(one["value"][1])) for one in result)


def asked() -> list[tuple[str, str, str]]:
    """(dashboard, panel, expression)."""
    boards: dict[str, Any] = {file.stem: json.loads(file.read_text()) for file in BOARDS}
    return [
        (name, panel["title"], filled(target["expr"]))
        for name, board in boards.items()
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]


def filled(expression: str) -> str:
    for variable, value in FILLED.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression, expression
    return expression


def test_every_panel_returns_data(
    world: OperatorProcess, watched: Cluster, http: requests.Session
) -> None:
    drawn = Drawn(http, watched)
    with contextlib.suppress(TimeoutError):
        wait_for(drawn.ask, timeout_seconds=DRAWN_WITHIN_SECONDS, what="every panel", poll=2.0)
    assert {one[:2] for one in drawn.left} == set(WITHOUT_DATA), drawn.left
    assert world.terminate() == 0
