"""The placeholders of one pool as a Deployment. Pure.

Pods of low priority that do nothing: each holds a node until another pod wants it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from inference_cost.api.capacity_pool import SPOT_LABELS
from inference_cost.api.placeholders import (
    MANAGED_BY,
    POOL_LABEL,
    TEMPLATE_LABEL,
    placeholder_name,
    pool_label,
)
from inference_cost.model.warm import NodeShape, WarmBy, WarmPlan, WarmPool

Json = dict[str, Any]

GPU: Final = "nvidia.com/gpu"
_DIGEST: Final = 8  # bytes
_LEAST_CPU: Final = 10  # millicores
_LEAST_MEMORY: Final = 16 * 2**20  # bytes
_SECURITY: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceholderSettings:
    """Of the installation. `priority_class`: made by the chart, with a value of -10 and without preemption.

    `buffer_priority_class`: the like, where CapacityBuffers may be written; "" where not.
    """

    namespace: str
    priority_class: str
    image: str
    buffer_priority_class: str = ""

    def class_of(self, pool: WarmPool) -> str:
        by_buffer = pool.spec is not None and pool.spec.by is WarmBy.CAPACITY_BUFFER
        return self.buffer_priority_class if by_buffer else self.priority_class


def pod_template(
    pool: WarmPool, plan: WarmPlan, shape: NodeShape, settings: PlaceholderSettings
) -> Json:
    """Labels of the pool included, and one that tells when the rest changed. `shape`: the plan's, which has one."""
    spec = _pod_spec(pool, plan, shape, settings)
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    digest = hashlib.blake2b(text.encode(), digest_size=_DIGEST).hexdigest()
    labels = {POOL_LABEL: pool_label(pool.name), TEMPLATE_LABEL: digest}
    return {"metadata": {"labels": labels}, "spec": spec}


def template_digest(template: Mapping[str, Any]) -> str:
    return str(template["metadata"]["labels"][TEMPLATE_LABEL])


def deployment(
    pool: WarmPool, replicas: int, template: Json, settings: PlaceholderSettings, owner_uid: str
) -> Json:
    """Owned by the priority class: where the chart takes that away, all placeholders go with it."""
    labels = {POOL_LABEL: pool_label(pool.name)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": placeholder_name(pool.name),
            "namespace": settings.namespace,
            "labels": {**labels, **MANAGED_BY},
            "ownerReferences": owned_by(settings.priority_class, owner_uid),
        },
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": labels},
            # A new template must not ask for a second set of nodes.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
            },
            "template": template,
        },
    }


def owned_by(priority_class: str, uid: str) -> list[Json]:
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "name": priority_class,
            "uid": uid,
        }
    ]


def change(uid: str, replicas: int, template: Json | None) -> list[Json]:
    """JSON patch: a merge would leave labels of an earlier selector in the template. None: it stays."""
    operations: list[Json] = [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "add", "path": "/spec/replicas", "value": replicas},
    ]
    if template is None:
        return operations
    return [*operations, {"op": "add", "path": "/spec/template", "value": template}]


def _pod_spec(
    pool: WarmPool, plan: WarmPlan, shape: NodeShape, settings: PlaceholderSettings
) -> Json:
    spec: Json = {
        "priorityClassName": settings.class_of(pool),
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": dict(pool.match_labels),
        "affinity": {"nodeAffinity": _never_on_spot()},
        "tolerations": _tolerations(plan),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "placeholder",
                "image": settings.image,
                "resources": _resources(shape),
                "securityContext": _SECURITY,
            }
        ],
    }
    if plan.images:
        spec["initContainers"] = [_puller(i, image) for i, image in enumerate(plan.images)]
    return spec


def _puller(number: int, image: str) -> Json:
    """Started only to have its image on the node."""
    return {
        "name": f"pull-{number}",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", ":"],
        "securityContext": _SECURITY,
    }


def _resources(shape: NodeShape) -> Json:
    requests = {
        GPU: str(shape.gpus),
        "cpu": f"{max(shape.cpu_millicores, _LEAST_CPU)}m",
        "memory": str(max(shape.memory_bytes, _LEAST_MEMORY)),
    }
    return {"requests": requests, "limits": {GPU: str(shape.gpus)}}


def _never_on_spot() -> Json:
    """A pool whose labels leave the capacity type open may have spot nodes tomorrow."""
    values: dict[str, list[str]] = {}
    for key, value in SPOT_LABELS:
        values.setdefault(key, []).append(value)
    expressions = [
        {"key": key, "operator": "NotIn", "values": several} for key, several in values.items()
    ]
    terms = [{"matchExpressions": expressions}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}


def _tolerations(plan: WarmPlan) -> list[Json]:
    """Those of the pool's nodes, and the one that nodes with GPUs mostly have."""
    found: list[Json] = [{"key": GPU, "operator": "Exists"}]
    for one in plan.tolerations:
        if one.key == GPU:
            continue
        exact = {"operator": "Equal", "value": one.value} if one.value else {"operator": "Exists"}
        found.append({"key": one.key, **exact, "effect": one.effect})
    return found
