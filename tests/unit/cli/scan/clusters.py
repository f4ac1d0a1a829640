"""Clusters to scan: Triton fleets on priced nodes, with and without autoscalers."""

from typing import Any

Object = dict[str, Any]
CREATED = "2026-01-30T08:00:00Z"
READY = "2026-01-30T08:01:30Z"
IMAGE = "nvcr.io/nvidia/tritonserver:26.01-py3"


def deployment(namespace: str, name: str, replicas: int, image: str = IMAGE) -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name, "uid": f"d-{namespace}-{name}"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "triton", "image": image}]},
            },
        },
        "status": {"replicas": replicas},
    }


def pod(namespace: str, app: str, number: int, node: str, image: str = IMAGE) -> Object:
    """As the Deployment's ReplicaSet makes it."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"{app}-7d9f8b",
        "controller": True,
    }
    name = f"{app}-7d9f8b-{number:05d}"
    resources = {"limits": {"nvidia.com/gpu": "1"}, "requests": {"cpu": "2", "memory": "8Gi"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": f"p-{namespace}-{name}",
            "labels": {"app": app, "pod-template-hash": "7d9f8b"},
            "creationTimestamp": CREATED,
            "ownerReferences": [owner],
        },
        "spec": {
            "nodeName": node,
            "containers": [{"name": "triton", "image": image, "resources": resources}],
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": READY}],
        },
    }


def node(name: str, *, gpus: int = 1, instance_type: str = "g6.xlarge", **labels: str) -> Object:
    common = {
        "node.kubernetes.io/instance-type": instance_type,
        "topology.kubernetes.io/region": "us-east-1",
        "topology.kubernetes.io/zone": "us-east-1a",
        "nvidia.com/gpu.product": "NVIDIA-L4",
        "karpenter.sh/nodepool": "gpu",
        "karpenter.sh/capacity-type": "on-demand",
    }
    allocatable = {"nvidia.com/gpu": str(gpus), "cpu": "3920m", "memory": "14Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "uid": f"n-{name}",
            "labels": common | labels,
            "creationTimestamp": CREATED,
        },
        "status": {
            "allocatable": allocatable,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def fleet(namespace: str, name: str, replicas: int) -> list[Object]:
    """A Deployment of one-GPU replicas, each on a node of its own."""
    nodes = [f"{name}-{i}" for i in range(replicas)]
    return [
        deployment(namespace, name, replicas),
        *(pod(namespace, name, i, one) for i, one in enumerate(nodes)),
        *(node(one) for one in nodes),
    ]


def hpa(
    namespace: str, name: str, *metrics: Object, lowest: int | None = 2, most: int = 10
) -> Object:
    spec: Object = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "maxReplicas": most,
        "metrics": list(metrics) or [CPU],
    }
    if lowest is not None:
        spec["minReplicas"] = lowest
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"namespace": namespace, "name": f"{name}-hpa"},
        "spec": spec,
    }


CPU: Object = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}


def scaled_object(namespace: str, name: str, **metadata: str) -> Object:
    trigger = {
        "type": "prometheus",
        "metadata": {"query": "sum(rate(x[1m]))", "threshold": "20"} | metadata,
    }
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"namespace": namespace, "name": f"{name}-keda"},
        "spec": {
            "scaleTargetRef": {"name": name},
            "minReplicaCount": 2,
            "maxReplicaCount": 12,
            "triggers": [trigger],
        },
    }
