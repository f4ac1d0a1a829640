"""`scan` with view rights where nothing of ours is installed, and a Prometheus that has two days behind it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from math import cos, sin, tau
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.rig.cluster import Cluster
from e2e.rig.fleet_exporter.simulated_fleet import SimulatedFleet
from e2e.rig.kube import KubeClient, wait_for
from e2e.rig.kwok.nodes import add_nodes, kwok_node
from tests.integration.cli.past import DAY, PastFleet, prometheus_with
from tests.integration.cli.users import user

COMMAND = Path(sys.executable).with_name("kubectl-inference_cost")
DAYS = 2.1
FLEETS = {"vision": ("resnet", 5), "nlp": ("bert", 2)}
NODE_READER = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "node-reader"},
    "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}],
}
HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "resnet-hpa", "namespace": "vision"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "resnet"},
        "minReplicas": 2,
        "maxReplicas": 8,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 80},
                },
            }
        ],
    },
}


def rate(t: float) -> float:
    """Requests/s, with a day's course."""
    return 40 * (1.2 - cos(t / DAY * tau))


MEAN_RATE = 48 - 40 * sin(DAYS * tau) / (DAYS * tau)


@pytest.fixture(scope="module")
def fleet(own_cluster: Cluster) -> Iterator[KubeClient]:
    """Five replicas of resnet and two of bert, each on a node of its own, and a node that nobody uses."""
    with KubeClient(own_cluster.kubeconfig) as kube:
        region = {"topology.kubernetes.io/region": "us-east-1", "karpenter.sh/nodepool": "gpu"}
        add_nodes(kube, *(kwok_node(f"n{i}", labels=region) for i in range(8)))
        kube.apply(NODE_READER)
        for namespace, (name, replicas) in FLEETS.items():
            kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            made = SimulatedFleet(name=name, namespace=namespace, replicas=replicas)
            kube.apply(made.deployment())
        kube.apply(HPA)
        wait_for(lambda: _all_ready(kube), timeout_seconds=40, what="seven ready replicas")
        yield kube


def _all_ready(kube: KubeClient) -> bool:
    status = (
        kube.get("apps/v1", "Deployment", name, namespace=namespace).get("status", {})
        for namespace, (name, _) in FLEETS.items()
    )
    return sum(one.get("readyReplicas", 0) for one in status) == 7


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    resnet = PastFleet(
        namespace="vision",
        name="resnet",
        days=DAYS,
        rate=rate,
        pods=lambda _: 5,
        batch_seconds=0.03,
    )
    bert = PastFleet(
        namespace="nlp",
        name="bert",
        days=DAYS,
        rate=lambda _: 5.0,
        pods=lambda _: 2,
        batch_seconds=0.05,
        model="bert",
    )
    with prometheus_with(tmp_path_factory.mktemp("past"), resnet, bert) as url:
        yield url


def scan(kubeconfig: Path, *arguments: str) -> dict[str, Any]:
    command = [str(COMMAND), "scan", "-o", "json", "--kubeconfig", str(kubeconfig), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_view_rights_alone_name_what_is_missing_and_change_nothing(
    own_cluster: Cluster, fleet: KubeClient, tmp_path: Path
) -> None:
    config = user(own_cluster, fleet, "guest", tmp_path, "view")
    found = scan(config, "--prometheus-url", "http://127.0.0.1:9")
    assert [one["name"] for one in found["workloads"]] == ["bert", "resnet"]
    unread = {one["what"]: one["why"] for one in found["unread"]}
    assert unread["nodes"] == "you may not list nodes"
    assert "Connection refused" in unread["traffic"]
    assert "inferencecostpolicies" not in unread, "what is not installed is not missing"
    assert [one["perHour"] for one in found["workloads"]] == [None, None]


def test_with_view_rights_and_nodes(
    own_cluster: Cluster, fleet: KubeClient, prometheus: str, tmp_path: Path
) -> None:
    config = user(own_cluster, fleet, "planner", tmp_path, "view", "node-reader")
    found = scan(config, "--prometheus-url", prometheus)
    bert, resnet = found["workloads"]
    assert [(one["name"], one["ready"], one["perHour"]) for one in (bert, resnet)] == [
        ("bert", 2, "2.01"),
        ("resnet", 5, "5.03"),
    ]
    assert found["unread"] == []
    [pool] = found["pools"]
    assert (pool["nodes"], pool["gpusRequested"], pool["idlePerHour"]) == (8, 7, "1.01")
    # 30 ms on five pods; 50 ms on two.
    assert resnet["busyPercent"] == pytest.approx(100 * MEAN_RATE * 0.03 / 5, abs=0.5)
    assert bert["busyPercent"] == pytest.approx(100 * 5 * 0.05 / 2, abs=0.5)
    assert resnet["autoscaler"]["rule"] == "cpu at 80 % of requests"
    saving = resnet["saving"]
    assert saving["worthwhile"]
    assert saving["today"]["meanReplicas"] == pytest.approx(5, abs=0.05)
    assert saving["policy"]["meetsObjective"]
    expected = (float(saving["today"]["perHour"]) - float(saving["policy"]["perHour"])) * 730
    assert float(saving["perMonth"]) == pytest.approx(expected, rel=0.02)
    assert 0 < float(saving["error"]) < float(saving["perMonth"])
    assert bert["saving"] is None
    assert bert["verdict"].startswith("Nothing can be saved by scaling: 2 replicas ran at most")
    fleet.apply_files(*sorted(Path("crds").glob("*.yaml")))
    for one in found["workloads"]:
        fleet.create(yaml.safe_load(one["policy"]), namespace=one["namespace"])


def test_doctor_names_what_is_wrong_there(
    own_cluster: Cluster, fleet: KubeClient, prometheus: str
) -> None:
    """With the policies of before: an operator without rights that is not ready, and pods without series."""
    labels = {
        "app.kubernetes.io/name": "inference-cost-operator",
        "app.kubernetes.io/version": "0.0.9",
    }
    pod = {"containers": [{"name": "operator", "image": "x"}], "nodeSelector": {"no": "node"}}
    operator = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "operator", "namespace": "default", "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    fleet.apply(operator)
    command = [str(COMMAND), "doctor", "-A", "-o", "json", "--prometheus-url", prometheus]
    command += ["--kubeconfig", str(own_cluster.kubeconfig)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)["findings"]
    told = {(one["level"], one["area"], one["message"].partition(":")[0]) for one in found}
    for expected in (
        ("ok", "Installation", "installed, with all fields of version 0.1.0"),
        ("problem", "Installation", "0 of 2 replicas are ready"),
        ("problem", "Metrics", "5 of 5 ready pods have no series"),
        (
            "ok",
            "Workloads",
            "HorizontalPodAutoscaler/resnet-hpa scales it; Recommend runs beside it",
        ),
        ("warning", "Workloads", "it has no PodDisruptionBudget"),
    ):
        assert expected in told
    [rights] = [one for one in found if one["area"] == "Rights"]
    assert rights["level"] == "problem"
    assert rights["message"].startswith("it may not ")
