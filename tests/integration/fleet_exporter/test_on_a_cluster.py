"""The exporter on a real cluster: pods of kwok nodes, scraped by a real Prometheus."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from e2e.rig.cluster import Cluster
from e2e.rig.fleet_exporter.client import ExporterClient, ExporterError
from e2e.rig.fleet_exporter.loads import ArrivalProcess
from e2e.rig.fleet_exporter.simulated_fleet import SimulatedFleet
from e2e.rig.fleet_exporter.triton_settings import ANNOTATION, TritonSettings
from e2e.rig.kube import KubeClient, wait_for
from e2e.rig.kwok.nodes import add_nodes

RATE = 40.0
START_SECONDS = 3


@pytest.fixture(scope="module")
def fleet(client: KubeClient, exporter: ExporterClient) -> Iterator[SimulatedFleet]:
    """Two replicas that become Ready three seconds after their start, under load from the beginning."""
    namespace = f"fleet-{uuid.uuid4().hex[:6]}"
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    fleet = SimulatedFleet(
        name="resnet",
        namespace=namespace,
        replicas=2,
        start_delay=f"{START_SECONDS}s",
        triton=TritonSettings(gpu_metrics=True),
    )
    add_nodes(client, *fleet.nodes(1, gpus=8))
    wait_for(
        lambda: client.find("v1", "ServiceAccount", "default", namespace=namespace),
        timeout_seconds=10,
        what="the default ServiceAccount",
    )
    load = fleet.load(RATE, arrivals=ArrivalProcess.REGULAR, gateway=True)
    exporter.set_load(load)
    client.apply(*fleet.manifests())
    yield fleet
    exporter.remove_load(load)
    client.delete("v1", "Namespace", namespace)


def query(http: requests.Session, cluster: Cluster, expression: str) -> list[dict[str, Any]]:
    url = f"{cluster.prometheus_url}/api/v1/query"
    answer = http.get(url, params={"query": expression}, timeout=5)
    assert answer.status_code == 200, answer.text
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    return result


def pods(client: KubeClient, fleet: SimulatedFleet) -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in client.list("v1", "Pod", namespace=fleet.namespace, label_selector="app=resnet")
    ]


def test_a_pod_is_down_until_it_is_ready_and_then_starts_at_zero(
    client: KubeClient, fleet: SimulatedFleet, exporter: ExporterClient
) -> None:
    first, _ = wait_for(
        lambda: p if len(p := pods(client, fleet)) == 2 else None,
        timeout_seconds=5,
        what="two pods",
    )
    with pytest.raises(ExporterError, match="503"):
        exporter.metrics(fleet.namespace, first)

    def answers() -> str | None:
        try:
            return exporter.metrics(fleet.namespace, first)
        except ExporterError:
            return None

    page = wait_for(answers, timeout_seconds=START_SECONDS + 5, what="a page", poll=0.02)
    [line] = [x for x in page.splitlines() if x.startswith("nv_inference_request_success{")]
    assert int(line.split()[-1]) <= 2


def test_prometheus_sees_each_pod_and_the_rate_of_the_load(
    http: requests.Session, watched: Cluster, client: KubeClient, fleet: SimulatedFleet
) -> None:
    name = f'namespace="{fleet.namespace}"'
    per_pod = f"rate(nv_inference_request_success{{{name}}}[5s])"
    found = wait_for(
        lambda: r if len(r := query(http, watched, f"{per_pod} > 15")) == 2 else None,
        timeout_seconds=25,
        what="the rate of both pods",
    )
    assert {series["metric"]["pod"] for series in found} == set(pods(client, fleet))
    time.sleep(3)
    total = float(query(http, watched, f"sum({per_pod})")[0]["value"][1])
    assert total == pytest.approx(RATE, rel=0.1)
    # Twenty a second leave batches of one or two.
    service = (
        f"sum(rate(nv_inference_compute_infer_duration_us{{{name}}}[5s]))"
        f" / sum(rate(nv_inference_request_success{{{name}}}[5s]))"
    )
    assert 44_000 < float(query(http, watched, service)[0]["value"][1]) < 51_000
    assert len(query(http, watched, f"nv_gpu_utilization{{{name}}}")) == 2


def test_the_gateway_is_scraped_under_envoy_s_names(
    http: requests.Session, watched: Cluster, fleet: SimulatedFleet
) -> None:
    cluster = f'envoy_cluster_name="{fleet.namespace}/resnet"'
    healthy = f"envoy_cluster_membership_healthy{{{cluster}}} == 2"
    wait_for(lambda: query(http, watched, healthy), timeout_seconds=25, what="the gateway's page")
    # Prometheus writes bounds as floats.
    inside = f'envoy_cluster_upstream_rq_time_bucket{{{cluster},le="300.0"}}'
    all_of_them = f"envoy_cluster_upstream_rq_time_count{{{cluster}}}"
    found = query(http, watched, f"({inside}) / ignoring(le) ({all_of_them})")
    assert float(found[0]["value"][1]) > 0.99


def test_a_deleted_pod_is_followed_by_a_new_one_at_zero(
    client: KubeClient, fleet: SimulatedFleet, exporter: ExporterClient
) -> None:
    before = set(pods(client, fleet))
    gone = min(before)
    client.delete("v1", "Pod", gone, namespace=fleet.namespace)
    wait_for(
        lambda: exporter.loads()[0]["pods"] == 1, timeout_seconds=5, what="one pod in rotation"
    )
    wait_for(lambda: exporter.loads()[0]["pods"] == 2, timeout_seconds=15, what="two again")
    [new] = set(pods(client, fleet)) - before
    page = exporter.metrics(fleet.namespace, new)
    [line] = [x for x in page.splitlines() if x.startswith("nv_inference_request_success{")]
    assert int(line.split()[-1]) < RATE
    with pytest.raises(ExporterError, match="no simulated pod"):
        exporter.metrics(fleet.namespace, gone)


def test_a_wrong_annotation_is_told_on_the_page(
    client: KubeClient, fleet: SimulatedFleet, exporter: ExporterClient
) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "wrong",
            "namespace": fleet.namespace,
            "annotations": {ANNOTATION: '{"alphaMilliseconds": -1}'},
        },
        "spec": {
            "nodeSelector": {"inferencecost.dev/node-kind": "kwok"},
            "containers": [{"name": "triton", "image": "triton"}],
        },
    }
    client.create(pod, namespace=fleet.namespace)

    def problem() -> str:
        try:
            return exporter.metrics(fleet.namespace, "wrong")
        except ExporterError as error:
            return str(error) if "alphaMilliseconds" in str(error) else ""

    assert "greater than or equal to 0" in wait_for(problem, timeout_seconds=10, what="the reason")


def test_an_impossible_load_is_refused_with_its_reason(
    http: requests.Session, exporter: ExporterClient
) -> None:
    url = f"http://{exporter.address}/loads"
    answer = http.put(url, data='{"namespace": "x", "selector": {"a": "b"}}', timeout=5)
    assert answer.status_code == 422
    assert "exactly one of requestsPerSecond, steps and trace" in answer.text
