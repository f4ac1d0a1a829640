"""`split` against a real API server: what it prints is accepted as it is, and keeps the pods of both apart."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient
from inference_cost.cli.split.workload import VARIANT

COMMAND = Path(sys.executable).with_name("kubectl-inference_cost")
TAINT = {"key": "spot", "value": "true", "effect": "NoSchedule"}


def pool(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "inferencecost.dev/v1alpha1",
        "kind": "CapacityPool",
        "metadata": {"name": name},
        "spec": {
            "nodeSelector": {"matchLabels": {"pool": name}},
            "offerings": [{"instanceType": "g6.xlarge", "perNodeHour": "0.80"}],
        },
    }


def node(name: str, *taints: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"pool": name}}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": {"taints": list(taints)},
    }


def deployment() -> dict[str, Any]:
    labels = {"app": "resnet"}
    container = {"name": "triton", "image": "nvidia/tritonserver:24.10-py3"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "resnet", "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def split(cluster: Cluster, *arguments: str) -> list[dict[str, Any]]:
    command = [str(COMMAND), "split", "deploy/resnet", "--pools", "od,spot", *arguments]
    command += ["--kubeconfig", str(cluster.kubeconfig)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def test_what_is_printed_can_be_applied(own_cluster: Cluster) -> None:
    with KubeClient(own_cluster.kubeconfig) as kube:
        kube.apply_files(*sorted(Path("crds").glob("*.yaml")))
        kube.apply(pool("od"), pool("spot"), deployment())
        for one in (node("od"), node("spot", TAINT)):
            kube.create(one)
        first = split(own_cluster, "--threshold-milliseconds", "300", "--max-replicas", "8")
        kube.apply(*first)
        second = kube.get("apps/v1", "Deployment", "resnet-spot", namespace="default")
        template = second["spec"]["template"]
        assert second["spec"]["replicas"] == 0
        assert template["metadata"]["labels"] == {"app": "resnet", VARIANT: "spot"}
        assert [one["key"] for one in template["spec"]["tolerations"]] == ["spot"]
        policy = kube.get(
            "inferencecost.dev/v1alpha1", "InferenceCostPolicy", "resnet", namespace="default"
        )
        assert [v["name"] for v in policy["spec"]["variants"]] == ["od", "spot"]
    again = split(own_cluster, "--threshold-milliseconds", "300", "--max-replicas", "8")
    kinds = [one["kind"] for one in again]
    assert "PodDisruptionBudget" not in kinds, "the one that is there is over both"
