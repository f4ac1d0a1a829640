"""Pods: from the API object to a record, and from a record to the model's `Pod`."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from inference_cost.api.annotations import DELETION_COST
from inference_cost.model.workload import Pod
from inference_cost.observe.fields import condition, controller_of, labels_of, mapping, sequence
from inference_cost.observe.quantities import parse_quantity, parse_time
from inference_cost.observe.records import Labels, Owner, PodRecord

GPU_RESOURCE = "nvidia.com/gpu"
# Labels by which controllers mark the template a pod was made from.
TEMPLATE_HASH_LABELS = (
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "controller-revision-hash",
)
_STARTING = frozenset({"ContainerCreating", "PodInitializing"})
_FINISHED = frozenset({"Succeeded", "Failed"})
_OF_THE_NODE = frozenset({"DaemonSet", "Node"})  # there as long as the node is
SYSTEM_NAMESPACES = ("kube-system",)
UNKNOWN_MANAGER = "another controller"


def pod_record(obj: Mapping[str, Any]) -> PodRecord:
    metadata, spec, status = (mapping(obj.get(k)) for k in ("metadata", "spec", "status"))
    labels = labels_of(metadata.get("labels"))
    template_hash = next((labels[k] for k in TEMPLATE_HASH_LABELS if k in labels), "")
    owner = controller_of(metadata)
    ready, scheduled = condition(status, "Ready"), condition(status, "PodScheduled")
    containers = list(sequence(spec.get("containers")))
    statuses = [
        *sequence(status.get("containerStatuses")),
        *sequence(status.get("initContainerStatuses")),
    ]
    return PodRecord(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        labels=labels,
        owner_kind=owner.kind if owner else "",
        workload=workload_name(owner, labels),
        template_hash=template_hash,
        node=str(spec.get("nodeName") or ""),
        ip=str(status.get("podIP") or ""),
        phase=str(status.get("phase") or ""),
        gpus=int(_requested(containers, GPU_RESOURCE)),
        cpu_millicores=int(_requested(containers, "cpu") * 1000),
        memory_bytes=int(_requested(containers, "memory")),
        created_at=parse_time(metadata.get("creationTimestamp")) or 0.0,
        ready_at=_since(ready),
        terminating="deletionTimestamp" in metadata,
        unschedulable=scheduled.get("status") == "False"
        and scheduled.get("reason") == "Unschedulable",
        waiting_reason=_waiting_reason(statuses),
        restarts=sum(int(s.get("restartCount") or 0) for s in statuses),
        scheduled_at=_since(scheduled),
        started_at=_started_at(sequence(status.get("containerStatuses"))),
        priority=int(spec.get("priority") or 0),
        cost_set_by=_cost_set_by(metadata),
    )


def workload_name(owner: Owner | None, labels: Labels) -> str:
    """The scale target behind a pod's controller: a ReplicaSet is named `<target>-<template hash>`."""
    if owner is None:
        return ""
    if owner.kind != "ReplicaSet":
        return owner.name
    for key in TEMPLATE_HASH_LABELS:
        suffix = f"-{labels.get(key, '')}"
        if key in labels and owner.name.endswith(suffix):
            return owner.name[: -len(suffix)]
    return ""


def _requested(containers: Iterable[Mapping[str, Any]], resource: str) -> Decimal:
    """Sum over containers; a limit without a request is the request, as the API server has it."""
    total = Decimal(0)
    for container in containers:
        resources = mapping(container.get("resources"))
        asked = mapping(resources.get("requests")).get(resource)
        total += parse_quantity(
            mapping(resources.get("limits")).get(resource, 0) if asked is None else asked
        )
    return total


def _since(told: Mapping[str, Any]) -> float | None:
    """When a condition became true; None while it is not."""
    if told.get("status") != "True":
        return None
    return parse_time(told.get("lastTransitionTime")) or 0.0


def _started_at(statuses: Iterable[Mapping[str, Any]]) -> float | None:
    running = (mapping(mapping(s.get("state")).get("running")) for s in statuses)
    times = [parse_time(one.get("startedAt")) for one in running]
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def _waiting_reason(statuses: Iterable[Mapping[str, Any]]) -> str:
    reasons = (
        str(mapping(mapping(s.get("state")).get("waiting")).get("reason") or "") for s in statuses
    )
    return next((r for r in reasons if r and r not in _STARTING), "")


def _cost_set_by(metadata: Mapping[str, Any]) -> str:
    """Who wrote the deletion cost last; "" where there is none."""
    if DELETION_COST not in mapping(metadata.get("annotations")):
        return ""
    owners = (
        str(entry.get("manager", ""))
        for entry in sequence(metadata.get("managedFields"))
        if f"f:{DELETION_COST}" in _annotations_of(entry)
    )
    return next(owners, "") or UNKNOWN_MANAGER


def _annotations_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = mapping(mapping(entry.get("fieldsV1")).get("f:metadata"))
    return mapping(fields.get("f:annotations"))


def keeps_its_node(record: PodRecord) -> bool:
    """Whether its node is not empty because of it."""
    return bool(
        record.node
        and not record.terminating
        and not is_finished(record)
        and record.owner_kind not in _OF_THE_NODE
    )


def is_system(record: PodRecord) -> bool:
    """What a node needs to work, or each node has one of."""
    return record.owner_kind in _OF_THE_NODE or record.namespace in SYSTEM_NAMESPACES


def is_finished(record: PodRecord) -> bool:
    """A pod that ended, for example by a node shutdown: it neither serves nor starts."""
    return record.phase in _FINISHED


def model_pod(record: PodRecord, *, refused: bool = False) -> Pod:
    """`refused`: the cloud had no machine for it."""
    return Pod(
        name=record.name,
        uid=record.uid,
        node=record.node,
        template_hash=record.template_hash,
        gpus=record.gpus,
        created_at=record.created_at,
        ready_at=record.ready_at,
        terminating=record.terminating,
        unschedulable=record.unschedulable,
        refused=refused,
        scheduled_at=record.scheduled_at,
        started_at=record.started_at,
        waiting_reason=record.waiting_reason,
        restarts=record.restarts,
        cpu_millicores=record.cpu_millicores,
        memory_bytes=record.memory_bytes,
        priority=record.priority,
        replica_set=record.owner_kind == "ReplicaSet",
        cost_set_by=record.cost_set_by,
    )
