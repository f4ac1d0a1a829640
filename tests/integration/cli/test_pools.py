"""`pools` against a real API server: what it prints is accepted as it is, and binds the same nodes."""

import json
import subprocess
import sys
from pathlib import Path

import yaml

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient

COMMAND = Path(sys.executable).with_name("kubectl-inference_cost")
ON_DEMAND = {"karpenter.sh/nodepool": "GPU", "karpenter.sh/capacity-type": "on-demand"}
SPOT = {"karpenter.sh/nodepool": "GPU", "karpenter.sh/capacity-type": "spot"}


def node(name: str, labels: dict[str, str]) -> dict[str, object]:
    common = {
        "node.kubernetes.io/instance-type": "g6.xlarge",
        "topology.kubernetes.io/region": "us-east-1",
        "topology.kubernetes.io/zone": "us-east-1a",
        "nvidia.com/gpu.product": "NVIDIA-L4",
    }
    metadata = {"name": name, "labels": common | labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def pools(cluster: Cluster, *arguments: str) -> str:
    command = [str(COMMAND), "pools", *arguments, "--kubeconfig", str(cluster.kubeconfig)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_what_is_inferred_can_be_applied(own_cluster: Cluster) -> None:
    with KubeClient(own_cluster.kubeconfig) as kube:
        for name, labels in (("a", ON_DEMAND), ("b", ON_DEMAND), ("c", SPOT)):
            kube.create(node(name, labels))
        before = {pool["name"]: pool for pool in json.loads(pools(own_cluster, "-o", "json"))}
        assert {name: pool["nodes"] for name, pool in before.items()} == {
            "gpu-on-demand": 2,
            "gpu-spot": 1,
        }
        assert before["gpu-on-demand"]["offerings"][0]["perNodeHour"] == "0.8048"
        kube.apply_files(*sorted(Path("crds").glob("*.yaml")))
        for printed in yaml.safe_load_all(pools(own_cluster, "-o", "yaml")):
            kube.create(printed)
    after = {pool["name"]: pool for pool in json.loads(pools(own_cluster, "-o", "json"))}
    assert {name: (pool["declared"], pool["nodes"]) for name, pool in after.items()} == {
        "gpu-on-demand": (True, 2),
        "gpu-spot": (True, 1),
    }
    assert after["gpu-on-demand"]["offerings"] == before["gpu-on-demand"]["offerings"]
    assert pools(own_cluster, "-o", "yaml") == ""
    assert [line.split()[0] for line in pools(own_cluster).splitlines()[1:]] == [
        "gpu-on-demand",
        "gpu-spot",
    ]
