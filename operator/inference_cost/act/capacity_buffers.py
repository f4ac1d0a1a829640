"""A CapacityBuffer and the PodTemplate that it names. Pure.

The autoscaler counts as many pods like the template as the buffer has replicas among those that wait for a node, and
keeps what they need; they are never created. Fields: kubernetes/autoscaler `apis/capacitybuffer`, v1beta1.
"""

from collections.abc import Mapping
from typing import Final

from inference_cost.act.placeholders import Json, PlaceholderSettings, owned_by
from inference_cost.act.resources import CAPACITY_BUFFERS
from inference_cost.api.placeholders import (
    MANAGED_BY,
    POOL_LABEL,
    TEMPLATE_LABEL,
    placeholder_name,
    pool_label,
)
from inference_cost.model.warm import WarmPool

STRATEGY: Final = (
    "buffer.x-k8s.io/active-capacity"  # running nodes; the other ones are of single clouds
)


def buffer(
    pool: WarmPool, replicas: int, digest: str, settings: PlaceholderSettings, owner_uid: str
) -> Json:
    """`digest`: of the template, which the cluster cache does not hold."""
    name = placeholder_name(pool.name)
    labels = {POOL_LABEL: pool_label(pool.name), TEMPLATE_LABEL: digest}
    return {
        "apiVersion": f"{CAPACITY_BUFFERS.group}/{CAPACITY_BUFFERS.version}",
        "kind": "CapacityBuffer",
        "metadata": _metadata(name, labels, settings, owner_uid),
        "spec": {
            "provisioningStrategy": STRATEGY,
            "podTemplateRef": {"name": name},
            "replicas": replicas,
        },
    }


def stored_template(
    name: str, template: Json, settings: PlaceholderSettings, owner_uid: str
) -> Json:
    """With the label of its pods' pool."""
    labels = {POOL_LABEL: template["metadata"]["labels"][POOL_LABEL]}
    return {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": _metadata(name, labels, settings, owner_uid),
        "template": template,
    }


def buffer_change(uid: str, replicas: int, digest: str) -> list[Json]:
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "add", "path": "/spec/replicas", "value": replicas},
        {"op": "add", "path": _label(TEMPLATE_LABEL), "value": digest},
    ]


def template_change(template: Json) -> list[Json]:
    """Of one that is ours: a name may be somebody else's."""
    pool = template["metadata"]["labels"][POOL_LABEL]
    return [
        {"op": "test", "path": _label(POOL_LABEL), "value": pool},
        {"op": "add", "path": "/template", "value": template},
    ]


def _label(name: str) -> str:
    """As a JSON patch names it."""
    return f"/metadata/labels/{name.replace('/', '~1')}"


def _metadata(
    name: str, labels: Mapping[str, str], settings: PlaceholderSettings, owner_uid: str
) -> Json:
    """Owned as the placeholders are, by a priority class that goes with the chart's switch for buffers."""
    return {
        "name": name,
        "namespace": settings.namespace,
        "labels": {**labels, **MANAGED_BY},
        "ownerReferences": owned_by(settings.buffer_priority_class, owner_uid),
    }
