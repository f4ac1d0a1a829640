"""CapacityBuffers, in which autoscalers are told how many nodes to keep empty, and the nodes that they keep. Pure.

Sources: kubernetes/autoscaler `cluster-autoscaler/apis/capacitybuffer`, `proposals/buffers.md`; karpenter
`pkg/controllers/capacitybuffer`. Both write the number that they follow into `status.replicas`, whether or not as many
nodes are there, and keep them by pods that exist in their memory alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from inference_cost.api.placeholders import TEMPLATE_LABEL
from inference_cost.model.warm import Asked, Holder, WarmBy
from inference_cost.model.workload import Node
from inference_cost.observe.fields import condition, labels_of, mapping
from inference_cost.observe.records import CapacityBufferRecord

READY: Final = "ReadyForProvisioning"
LIMITED: Final = "LimitedByQuotas"


def unserved(why: str) -> str:
    """`why`: what the cluster cache says of a kind that cannot be read."""
    return (
        f"Nothing is written: CapacityBuffer of autoscaling.x-k8s.io/v1beta1 cannot be read ({why}). Set `strategy:"
        " Placeholder`, or turn it on in the cluster's autoscaler and restart the operator."
    )


def capacity_buffer_record(obj: Mapping[str, Any]) -> CapacityBufferRecord:
    metadata, spec, status = (mapping(obj.get(k)) for k in ("metadata", "spec", "status"))
    ready, limited = condition(status, READY), condition(status, LIMITED)
    refused = ready.get("status") == "False"
    says = ready if refused else limited if limited.get("status") == "True" else {}
    kept = status.get("replicas")
    return CapacityBufferRecord(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        labels=labels_of(metadata.get("labels")),
        replicas=int(spec.get("replicas") or 0),
        kept=None if kept is None else int(kept),
        ready=not refused,
        refusal=str(says.get("message") or says.get("reason") or ""),
    )


def asked_of(record: CapacityBufferRecord) -> Asked:
    """One that the autoscaler cannot follow is written anew: its PodTemplate may be gone."""
    return Asked(
        name=record.name,
        uid=record.uid,
        replicas=record.replicas,
        template=record.labels.get(TEMPLATE_LABEL, "") if record.ready else "",
        refusal=record.refusal,
        by=WarmBy.CAPACITY_BUFFER,
        taken_up=record.kept if record.ready else None,
    )


def kept_empty(asked: Asked, nodes: Iterable[Node], busy: frozenset[str]) -> Iterator[Holder]:
    """The oldest nodes that are free, as many as the autoscaler keeps. `busy`: those with pods on a GPU."""
    empty = [node for node in nodes if node.name not in busy and _usable(node)]
    empty.sort(key=lambda node: (node.created_at, node.name))
    for node in empty[: min(asked.replicas, asked.taken_up or 0)]:
        yield Holder(
            uid=f"node/{node.name}",
            name=node.name,
            node=node.name,
            gpus=node.allocatable_gpus,
            created_at=node.created_at,
            ready_at=node.created_at,
        )


def _usable(node: Node) -> bool:
    stays = node.ready and not node.leaving and not node.cordoned and not node.can_be_lost
    return stays and node.allocatable_gpus > 0
