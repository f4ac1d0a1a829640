"""Nodes that are about to go: who says so, in words.

Such a node still serves and is still billed, but is no capacity any more: a reclaim comes 15 to 120 s after its notice,
and a replica takes longer to start. Taints and conditions are read rather than Events, which are lost or throttled.
Left out on purpose: a cordon, which people leave for days (a drain shows by its evictions); the Cluster Autoscaler's
`DeletionCandidate`, which it takes back as soon as a replica asked for in its place needs the node; and the condition
`VMEventScheduled`, which also stands for a freeze of seconds.

Sources of the names: karpenter `pkg/apis/v1/taints.go`, aws-node-termination-handler `pkg/node/node.go`, Cluster
Autoscaler `utils/taints/taints.go`, node-problem-detector of AKS (the conditions), OpenShift's termination handler
(`Terminating`), Kubernetes enhancement 2268 (out of service).
"""

from collections.abc import Mapping
from typing import Any, Final

from inference_cost.observe.fields import condition, mapping, sequence

_TAINTS: Final[Mapping[str, str]] = {
    "karpenter.sh/disrupted": "Karpenter replaces it",
    "karpenter.sh/disruption": "Karpenter replaces it",  # before its version 1
    "ToBeDeletedByClusterAutoscaler": "the Cluster Autoscaler deletes it",
    "aws-node-termination-handler/spot-itn": "spot interruption",
    "aws-node-termination-handler/rebalance-recommendation": "spot rebalance recommendation",
    "aws-node-termination-handler/scheduled-maintenance": "scheduled maintenance",
    "aws-node-termination-handler/asg-lifecycle-termination": "its group terminates it",
    "cloud.google.com/impending-node-termination": "impending termination",
    "ignore-taint.cluster-autoscaler.kubernetes.io/oke-impending-node-termination": (
        "impending termination"
    ),
    "remediator.kubernetes.azure.com/unschedulable": "AKS remediates it",
    "node.kubernetes.io/out-of-service": "out of service",
}
_CONDITIONS: Final[Mapping[str, str]] = {
    "PreemptScheduled": "preemption scheduled",
    "PreemptionScheduled": "preemption scheduled",
    "TerminateScheduled": "termination scheduled",
    "RedeployScheduled": "redeployment scheduled",
    "RebootScheduled": "reboot scheduled",
    "Terminating": "the machine terminates",
}
_DELETED: Final = "it is being deleted"


def leaving(node: Mapping[str, Any]) -> str:
    """Why a Node object is about to go, the most telling reason first; "" for one that stays."""
    taints = {
        str(taint.get("key", "")) for taint in sequence(mapping(node.get("spec")).get("taints"))
    }
    told = next((why for key, why in _TAINTS.items() if key in taints), "")
    return told or _by_condition(node) or _by_deletion(node)


def _by_condition(node: Mapping[str, Any]) -> str:
    status = mapping(node.get("status"))
    true = (
        why for kind, why in _CONDITIONS.items() if condition(status, kind).get("status") == "True"
    )
    return next(true, "")


def _by_deletion(node: Mapping[str, Any]) -> str:
    return _DELETED if "deletionTimestamp" in mapping(node.get("metadata")) else ""
