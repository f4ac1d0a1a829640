"""Simulated nodes, run by kwok: no process behind them, so there may be hundreds."""

from collections.abc import Mapping

from e2e.rig.kube import KubeClient, Manifest, condition, wait_for

NODE_READY_SECONDS = 15.0
# Go durations such as "6s" on a pod: time from bound to Ready, and from deletion to gone.
START_DELAY_ANNOTATION = "inferencecost.dev/start-delay"
STOP_DELAY_ANNOTATION = "inferencecost.dev/stop-delay"


def kwok_node(
    name: str,
    *,
    gpus: int = 1,
    zone: str = "zone-a",
    instance_type: str = "g5.xlarge",
    capacity_type: str = "on-demand",
    labels: Mapping[str, str] | None = None,
) -> Manifest:
    """Make a GPU node with the labels that Karpenter and the GPU operator would put on it."""
    capacity = {"cpu": "32", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            # kwok manages only nodes that say so.
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "inferencecost.dev/node-kind": "kwok",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "node.kubernetes.io/instance-type": instance_type,
                "karpenter.sh/capacity-type": capacity_type,
                "topology.kubernetes.io/zone": zone,
                **(labels or {}),
            },
        },
        "status": {"capacity": capacity, "allocatable": capacity},
    }


def add_nodes(client: KubeClient, *nodes: Manifest) -> None:
    """Create nodes and wait until all are Ready; pods made sooner would pile up on the first."""
    wanted = {node["metadata"]["name"] for node in nodes}

    def ready() -> bool:
        listed = client.list("v1", "Node")
        return wanted <= {n["metadata"]["name"] for n in listed if condition(n, "Ready") == "True"}

    client.apply(*nodes)
    wait_for(ready, timeout_seconds=NODE_READY_SECONDS, what=f"nodes {sorted(wanted)} to be Ready")
