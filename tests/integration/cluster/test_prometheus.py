"""One job finds real and simulated pods; extra targets need no restart."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
import requests

from e2e.rig.addresses import loopback_address
from e2e.rig.binaries import Binaries
from e2e.rig.cluster import Cluster
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.kube import KubeClient, Manifest, wait_for
from e2e.rig.kwok.nodes import add_nodes, kwok_node

# Discovery tells Prometheus about new targets every few seconds.
SAMPLE_SECONDS = 20
METRICS_PORT = 8002


class _Exporter(BaseHTTPRequestHandler):
    """Says whom it was asked for."""

    def do_GET(self) -> None:
        asked = {key: values[0] for key, values in parse_qs(urlparse(self.path).query).items()}
        labels = ",".join(f'asked_{key}="{value}"' for key, value in sorted(asked.items()))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(f"answered{{{labels}}} 1\n".encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def exporter(host: str, port: int) -> Iterator[None]:
    with ThreadingHTTPServer((host, port), _Exporter) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def control_plane(
    cluster_programs: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    assert cluster_programs
    settings = ControlPlaneSettings(
        state_folder=tmp_path_factory.mktemp("prometheus"), scrape_interval_seconds=0.5
    )
    with ControlPlane.start(settings) as control_plane:
        yield control_plane


@pytest.fixture(scope="module")
def client(control_plane: ControlPlane) -> Iterator[KubeClient]:
    with KubeClient(control_plane.cluster.rig_kubeconfig) as client:
        yield client


def query(cluster: Cluster, expression: str) -> list[dict[str, Any]]:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            f"{cluster.prometheus_url}/api/v1/query", params={"query": expression}, timeout=5
        )
    assert answer.status_code == 200, answer.text
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    return result


def sample(cluster: Cluster, expression: str) -> dict[str, str]:
    """Labels of the only series of an expression, once there is one."""
    [series] = wait_for(
        lambda: query(cluster, expression), timeout_seconds=SAMPLE_SECONDS, what=expression
    )
    labels: dict[str, str] = series["metric"]
    return labels


def pod(name: str, *, node: str = "") -> Manifest:
    container = {
        "name": "triton",
        "image": "triton",
        "ports": [
            {"name": "http", "containerPort": 8000},
            {"name": "metrics", "containerPort": METRICS_PORT},
        ],
    }
    placed = {"nodeName": node, "tolerations": [{"operator": "Exists"}]} if node else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **placed},
    }


def test_a_simulated_pod_is_asked_from_the_exporter(
    control_plane: ControlPlane, client: KubeClient
) -> None:
    cluster = control_plane.cluster
    host, port = cluster.exporter_address.split(":")
    with exporter(host, int(port)):
        add_nodes(client, kwok_node("simulated-node"))
        client.apply(pod("simulated"))
        labels = sample(cluster, 'answered{pod="simulated"}')
    pod_ip = client.get("v1", "Pod", "simulated")["status"]["podIP"]
    assert labels == {
        "__name__": "answered",
        "asked_namespace": "default",
        "asked_pod": "simulated",
        "instance": f"{pod_ip}:{METRICS_PORT}",
        "job": "triton",
        "namespace": "default",
        "node": "simulated-node",
        "pod": "simulated",
    }


def test_a_pod_of_a_process_node_is_asked_on_its_loopback_address(
    control_plane: ControlPlane, client: KubeClient
) -> None:
    cluster = control_plane.cluster
    pod_ip = next(cluster.pods.process_pod_addresses())
    node = {"name": "process-node", "labels": {"inferencecost.dev/node-kind": "process"}}
    client.apply({"apiVersion": "v1", "kind": "Node", "metadata": node})
    client.apply(pod("real", node="process-node"))
    status = {"status": {"phase": "Running", "podIP": pod_ip, "podIPs": [{"ip": pod_ip}]}}
    path = "/api/v1/namespaces/default/pods/real/status"
    client.request("PATCH", path, body=status, content_type="application/merge-patch+json")
    with exporter(loopback_address(pod_ip), METRICS_PORT):
        labels = sample(cluster, 'answered{pod="real"}')
    assert labels["instance"] == f"{pod_ip}:{METRICS_PORT}"
    assert labels["node"] == "process-node"
    assert not [name for name in labels if name.startswith("asked")]


def test_an_extra_target_is_scraped_without_a_restart(control_plane: ControlPlane) -> None:
    cluster = control_plane.cluster
    address = cluster.pods.node_address
    with exporter(loopback_address(address), 8080):
        target = f"{loopback_address(address)}:8080"
        cluster.add_scrape_target("load-balancer", target, {"tier": "edge"})
        labels = sample(cluster, 'answered{job="load-balancer"}')
    assert labels["tier"] == "edge"
    assert labels["instance"] == target


def test_prometheus_can_be_stopped_and_comes_back_with_its_data(
    control_plane: ControlPlane,
) -> None:
    cluster = control_plane.cluster
    began = query(cluster, "vector(time())")[0]["value"][1]
    seen = f"count(count_over_time(answered[5m] @ {began}))"
    before = query(cluster, seen)[0]["value"][1]
    control_plane.stop_prometheus()
    with pytest.raises(requests.ConnectionError):
        query(cluster, "up")
    control_plane.start_prometheus()
    assert query(cluster, seen)[0]["value"][1] == before


def test_no_scrape_is_longer_than_the_interval(control_plane: ControlPlane) -> None:
    text = (control_plane.cluster.state_folder / "prometheus.yml").read_text()
    assert "scrape_interval: 500ms" in text
    assert "scrape_timeout: 375ms" in text
