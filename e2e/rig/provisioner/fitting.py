"""Whether a pod could run on a node of a pool: the scheduler's filters, as far as pools differ. Pure.

Not looked at: affinity between pods, topology spread, volumes, ports.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from e2e.rig.process_node.kubernetes_api import Manifest
from e2e.rig.process_node.node_object import NodeSpec

GPU = "nvidia.com/gpu"

_SUFFIXES = {
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}


def quantity(text: str) -> Decimal:
    """Return a Kubernetes quantity such as "500m" or "2Gi" in base units."""
    suffix = text.lstrip("+-.0123456789")
    return Decimal(text.removesuffix(suffix)) * _SUFFIXES.get(suffix, Decimal(1))


def requests(pod: Manifest, resource: str) -> Decimal:
    """Return what a pod's containers request together."""
    return sum(
        (
            quantity(str(container["resources"]["requests"][resource]))
            for container in pod["spec"]["containers"]
            if resource in ((container.get("resources") or {}).get("requests") or {})
        ),
        Decimal(0),
    )


def fits(pod: Manifest, node: NodeSpec) -> bool:
    """Whether an empty node like this would take the pod."""
    labels = {"kubernetes.io/hostname": node.name, **node.labels}
    return (
        _selected(pod["spec"], labels)
        and _tolerated(pod["spec"].get("tolerations") or [], node.taints)
        and all(requests(pod, key) <= quantity(value) for key, value in node.resources.items())
        and requests(pod, GPU) <= node.gpus
    )


def _selected(spec: Manifest, labels: Mapping[str, str]) -> bool:
    selector = spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(
        all(_matches(expression, labels) for expression in term.get("matchExpressions") or [])
        for term in required["nodeSelectorTerms"]
    )


def _matches(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    verdicts = {
        "In": lambda: value in values,
        "NotIn": lambda: value not in values,
        "Exists": lambda: value is not None,
        "DoesNotExist": lambda: value is None,
        "Gt": lambda: value is not None and int(value) > int(values[0]),
        "Lt": lambda: value is not None and int(value) < int(values[0]),
    }
    return verdicts[expression["operator"]]()


def _tolerated(
    tolerations: Sequence[Mapping[str, str]], taints: Iterable[Mapping[str, str]]
) -> bool:
    return all(
        any(_tolerates(toleration, taint) for toleration in tolerations)
        for taint in taints
        if taint["effect"] in {"NoSchedule", "NoExecute"}
    )


def _tolerates(toleration: Mapping[str, str], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") not in {None, "", taint["effect"]}:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in {None, "", taint["key"]}
    same_value = (toleration.get("value") or "") == (taint.get("value") or "")
    return toleration.get("key") == taint["key"] and same_value
