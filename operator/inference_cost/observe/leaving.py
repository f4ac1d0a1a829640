"""Nodes that are about to go: who says so, in words.

Such a node still serves and is still billed, but is no capacity any more: a reclaim comes seconds to minutes after its
notice, and a replica takes longer to start. Taints and conditions are read rather than Events, which are lost or
throttled.

Left out on purpose are Karpenter's taints, the Cluster Autoscaler's and a deletion: where a node is consolidated,
another one is there first, and a replica ahead of the victims would ask for a third. That Karpenter gives a node up
because the cloud takes it back is told by its NodeClaim (node_claims.py). Neither counts a cordon, which people leave
for days (a drain shows by its evictions), nor `VMEventScheduled`, which also stands for a freeze of seconds.

Sources of the names: aws-node-termination-handler `pkg/node/node.go`, node-problem-detector of AKS (the conditions),
OpenShift's termination handler (`Terminating`), Kubernetes enhancement 2268 (out of service).
"""

from collections.abc import Mapping
from typing import Any, Final

from inference_cost.observe.fields import condition, mapping, sequence

_TAINTS: Final[Mapping[str, str]] = {
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


# What the cloud takes back of what it can take back; the others leave for maintenance, or because somebody wants it.
SEEN_BY_KARPENTER: Final = "spot interruption, seen by Karpenter"  # see node_claims.py
RECLAIMED: Final = frozenset(
    {
        SEEN_BY_KARPENTER,
        "spot interruption",
        "impending termination",
        "preemption scheduled",
        "the machine terminates",
        "the machine shuts down",
    }
)
_SHUTTING_DOWN: Final = "node is shutting down"  # kubelet, pkg/kubelet/nodeshutdown


def leaving(node: Mapping[str, Any]) -> str:
    """Why a Node object is about to go, the most telling reason first; "" for one that stays."""
    taints = {
        str(taint.get("key", "")) for taint in sequence(mapping(node.get("spec")).get("taints"))
    }
    told = next((why for key, why in _TAINTS.items() if key in taints), "")
    return told or _by_condition(node)


def _by_condition(node: Mapping[str, Any]) -> str:
    status = mapping(node.get("status"))
    true = (
        why for kind, why in _CONDITIONS.items() if condition(status, kind).get("status") == "True"
    )
    ready = condition(status, "Ready")
    if ready.get("status") == "False" and _SHUTTING_DOWN in str(ready.get("message", "")):
        return next(true, "the machine shuts down")
    return next(true, "")
