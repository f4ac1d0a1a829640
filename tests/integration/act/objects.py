"""Manifests that the tests of the writers put on the API server."""

from typing import Any

from inference_cost.api.group import API_VERSION

Manifest = dict[str, Any]


def deployment(name: str = "resnet", *, replicas: int = 3) -> Manifest:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "triton", "image": "tritonserver"}]},
            },
        },
    }


def policy(name: str = "resnet", *, mode: str = "Recommend", **spec: Any) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": "InferenceCostPolicy",
        "metadata": {"name": name},
        "spec": {
            "mode": mode,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 2,
            "maxReplicas": 10,
            "slo": {"latency": {"thresholdMilliseconds": 100, "target": "99.0"}},
        }
        | spec,
    }
