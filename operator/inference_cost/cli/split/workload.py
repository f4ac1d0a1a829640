"""A workload for Git: as it is on the nodes of one pool, and another one like it for the nodes of another."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from inference_cost.api.group import GROUP
from inference_cost.observe.node_labels import spreads_over_zones
from inference_cost.observe.nodes import ZONE_LABELS

Object = dict[str, Any]
Labels = Mapping[str, str]

VARIANT: Final = f"{GROUP}/variant"  # the label of its own that tells the pods of a new workload
LONGEST_NAME: Final = 63
_OF_THE_SERVER: Final = (
    *("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"),
    "ownerReferences",
)
# By which a tool takes an object for its own: it would prune a second one, or be told that it differs.
_TRACKING: Final = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "argocd.argoproj.io/",
    "meta.helm.sh/",
    "helm.sh/",
    "helm.toolkit.fluxcd.io/",
    "kustomize.toolkit.fluxcd.io/",
    "config.k8s.io/",
    "objectset.rio.cattle.io/",
)
_TRACKING_LABELS: Final = (
    *("app.kubernetes.io/managed-by", "app.kubernetes.io/instance"),
    *_TRACKING,
)


def on_pool(
    workload: Object, pool: Labels, others: Sequence[Labels], taints: Sequence[Object]
) -> Object:
    """The same, for nodes of `pool` alone; labels that select another pool are left out."""
    made = _for_git(workload)
    spec = made["spec"]["template"].setdefault("spec", {})
    foreign = {key for labels in others for key in labels}
    kept = {k: v for k, v in (spec.get("nodeSelector") or {}).items() if k not in foreign}
    spec["nodeSelector"] = kept | dict(pool)
    tolerations = [*(spec.get("tolerations") or []), *_missing(spec, taints)]
    if tolerations:
        spec["tolerations"] = tolerations
    return made


def beside(workload: Object, variant: str) -> Object:
    """Another one, whose selector and pods have a label of their own; it begins with no replica.

    Its pods spread over zones: what can be taken away is taken a zone at a time.
    """
    made = copy.deepcopy(workload)
    metadata, spec = made["metadata"], made["spec"]
    metadata["name"] = name_beside(metadata["name"], variant)
    for part, tracked in (("labels", _TRACKING_LABELS), ("annotations", _TRACKING)):
        kept = {k: v for k, v in (metadata.get(part) or {}).items() if not k.startswith(tracked)}
        metadata.pop(part, None)
        if kept:
            metadata[part] = kept
    spec["replicas"] = 0
    selector, template = (
        spec.setdefault("selector", {}),
        spec["template"].setdefault("metadata", {}),
    )
    selector["matchLabels"] = dict(selector.get("matchLabels") or {}) | {VARIANT: variant}
    template["labels"] = dict(template.get("labels") or {}) | {VARIANT: variant}
    pod_spec = spec["template"].setdefault("spec", {})
    if not spreads_over_zones(pod_spec):
        spread = _over_zones(selector["matchLabels"])
        pod_spec["topologySpreadConstraints"] = [
            *(pod_spec.get("topologySpreadConstraints") or []),
            spread,
        ]
    return made


def _over_zones(pods: Labels) -> Object:
    """Soft: a zone that has nothing must not keep pods from the others."""
    return {
        "maxSkew": 1,
        "topologyKey": ZONE_LABELS[0],
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(pods)},
    }


def name_beside(name: str, variant: str) -> str:
    return f"{name[: LONGEST_NAME - len(variant) - 1].rstrip('-.')}-{variant}"


def affinity_to(workload: Object, pools: Sequence[Labels]) -> list[str]:
    """Labels of the pools that the pods' node affinity speaks of: it is not rewritten."""
    spec = workload["spec"]["template"].get("spec") or {}
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or []
    named = {e.get("key") for term in terms for e in term.get("matchExpressions") or []}
    return sorted(named & {key for labels in pools for key in labels})


def _for_git(workload: Object) -> Object:
    made = copy.deepcopy(workload)
    made.pop("status", None)
    metadata = {k: v for k, v in made["metadata"].items() if k not in _OF_THE_SERVER}
    annotations = metadata.pop("annotations", None) or {}
    kept = {k: v for k, v in annotations.items() if not k.startswith(_TRACKING[:2])}
    made["metadata"] = metadata | ({"annotations": kept} if kept else {})
    template = made["spec"].setdefault("template", {})
    template.get("metadata", {}).pop("creationTimestamp", None)
    return made


def _missing(spec: Object, taints: Sequence[Object]) -> list[Object]:
    return [
        {"key": t["key"], "operator": "Equal", "value": t.get("value", ""), "effect": t["effect"]}
        if t.get("value")
        else {"key": t["key"], "operator": "Exists", "effect": t["effect"]}
        for t in taints
        if not any(_tolerates(one, t) for one in spec.get("tolerations") or [])
    ]


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") not in {None, "", taint["effect"]}:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in {None, "", taint["key"]}
    same = (toleration.get("value") or "") == (taint.get("value") or "")
    return toleration.get("key") == taint["key"] and same
