"""Manifests that need no server: targets whose pods wait for a node for ever, and policies."""

from e2e.rig.kube import Manifest

POLICY_VERSION = "inferencecost.dev/v1alpha1"
POLICY_KIND = "InferenceCostPolicy"


def idle_target(name: str, *, kind: str = "Deployment", replicas: int = 1) -> Manifest:
    """A target that can be scaled on any cluster; its pods fit no node, so nothing runs."""
    labels = {"app": name}
    container = {"name": "server", "image": "nvidia/tritonserver:24.10-py3"}
    spec: Manifest = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "nodeSelector": {"inferencecost.dev/no-such-node": "true"},
                "containers": [container],
            },
        },
    }
    if kind == "StatefulSet":
        spec |= {"serviceName": name, "podManagementPolicy": "Parallel"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def six_line_policy(name: str, target: str, **spec: object) -> Manifest:
    """The smallest policy (mode Recommend by default), and what `spec` adds or replaces."""
    return {
        "apiVersion": POLICY_VERSION,
        "kind": POLICY_KIND,
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "minReplicas": 2,
            "maxReplicas": 10,
            "slo": {"latency": {"thresholdMilliseconds": 300, "target": "99.0"}},
            **spec,
        },
    }


def autoscaler(target: str) -> Manifest:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"{target}-hpa"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "minReplicas": 1,
            "maxReplicas": 5,
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


def keda_definition() -> Manifest:
    """What KEDA would install, as far as others look at it."""
    return _definition("keda.sh", "ScaledObject", scope="Namespaced")


def karpenter_definitions() -> list[Manifest]:
    """What Karpenter would install of what the operator reads (e2e/karpenter has the real ones)."""
    return [
        _definition("karpenter.sh", "NodeOverlay", scope="Cluster"),
        _definition("karpenter.sh", "NodeClaim", scope="Cluster", version="v1"),
    ]


def _definition(group: str, kind: str, *, scope: str, version: str = "v1alpha1") -> Manifest:
    singular = kind.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{singular}s.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": f"{singular}s",
                "singular": singular,
            },
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "x-kubernetes-preserve-unknown-fields": True,
                        }
                    },
                }
            ],
        },
    }


def scaled_object(target: str) -> Manifest:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": f"{target}-keda"},
        "spec": {"scaleTargetRef": {"name": target}, "minReplicaCount": 1, "maxReplicaCount": 5},
    }
