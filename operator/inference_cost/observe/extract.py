"""From an object as the API server sends it (a dict) to its record."""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from inference_cost.observe.capacity_buffers import capacity_buffer_record
from inference_cost.observe.fields import (
    condition,
    controller_of,
    labels_of,
    mapping,
    parse_selector,
    pause_annotations,
    sequence,
    spec_edited_at,
)
from inference_cost.observe.leaving import leaving
from inference_cost.observe.node_claims import node_claim_record
from inference_cost.observe.node_labels import (
    required_node_labels,
    required_terms,
    spreads_over_zones,
    strict_zones,
)
from inference_cost.observe.node_overlays import node_overlay_record
from inference_cost.observe.pods import pod_record
from inference_cost.observe.quantities import parse_quantity, parse_time
from inference_cost.observe.records import (
    AutoscalerRecord,
    CapacityPoolRecord,
    NamespaceRecord,
    NodeRecord,
    PolicyRecord,
    Record,
    ScaleTargetRecord,
    ServiceRecord,
)

KEDA_PAUSED_ANNOTATION = "autoscaling.keda.sh/paused"

Object = Mapping[str, Any]


def policy_record(obj: Object) -> PolicyRecord:
    metadata = mapping(obj.get("metadata"))
    return PolicyRecord(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        generation=int(metadata.get("generation") or 0),
        created_at=parse_time(metadata.get("creationTimestamp")) or 0.0,
        spec=mapping(obj.get("spec")),
        status=mapping(obj.get("status")),
        pause_annotations=pause_annotations(metadata),
        terminating="deletionTimestamp" in metadata,
    )


def capacity_pool_record(obj: Object) -> CapacityPoolRecord:
    metadata = mapping(obj.get("metadata"))
    return CapacityPoolRecord(
        namespace="",
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        generation=int(metadata.get("generation") or 0),
        created_at=parse_time(metadata.get("creationTimestamp")) or 0.0,
        edited_at=spec_edited_at(metadata),
        spec=mapping(obj.get("spec")),
        status=mapping(obj.get("status")),
        pause_annotations=pause_annotations(metadata),
    )


def namespace_record(obj: Object) -> NamespaceRecord:
    metadata = mapping(obj.get("metadata"))
    return NamespaceRecord(
        namespace="",
        name=str(metadata.get("name", "")),
        pause_annotations=pause_annotations(metadata),
        terminating="deletionTimestamp" in metadata,
    )


def _fingerprint(template: object) -> str:
    text = json.dumps(template, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def scale_target_record(obj: Object) -> ScaleTargetRecord:
    """Reads the shape that Deployment, StatefulSet and kinds modelled on them share."""
    metadata, spec, status = (mapping(obj.get(k)) for k in ("metadata", "spec", "status"))
    template = mapping(spec.get("template"))
    generation = int(metadata.get("generation") or 0)
    observed = int(status.get("observedGeneration") or 0)
    failure = condition(status, "ReplicaFailure")
    desired = spec.get("replicas")
    return ScaleTargetRecord(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        api_version=str(obj.get("apiVersion", "")),
        kind=str(obj.get("kind", "")),
        generation=generation,
        observed_generation=observed,
        template_generation=generation,
        template_fingerprint=_fingerprint(template),
        template_labels=labels_of(mapping(template.get("metadata")).get("labels")),
        template_nodes=required_node_labels(mapping(template.get("spec"))),
        template_terms=required_terms(mapping(template.get("spec"))),
        template_spreads=spreads_over_zones(mapping(template.get("spec"))),
        template_strict_zones=strict_zones(mapping(template.get("spec"))),
        template_images=_images(mapping(template.get("spec"))),
        template_pull_secrets=bool(mapping(template.get("spec")).get("imagePullSecrets")),
        resource_version=str(metadata.get("resourceVersion", "")),
        desired_replicas=1 if desired is None else int(desired),
        status_replicas=int(status.get("replicas") or 0),
        updated_replicas=int(status.get("updatedReplicas") or 0),
        update_revision=str(status.get("updateRevision") or ""),
        progress_reason=str(condition(status, "Progressing").get("reason", "")),
        replica_failure=str(failure.get("message", "")) if failure.get("status") == "True" else "",
        selector=parse_selector(spec.get("selector") or status.get("selector")),
        owner=controller_of(metadata),
        terminating="deletionTimestamp" in metadata,
    )


def _images(pod_spec: Object) -> tuple[str, ...]:
    containers = (*sequence(pod_spec.get("initContainers")), *sequence(pod_spec.get("containers")))
    return tuple(dict.fromkeys(str(one["image"]) for one in containers if one.get("image")))


def node_record(obj: Object) -> NodeRecord:
    metadata, status = mapping(obj.get("metadata")), mapping(obj.get("status"))
    allocatable = mapping(status.get("allocatable"))
    return NodeRecord(
        namespace="",
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        labels=labels_of(metadata.get("labels")),
        allocatable_gpus=int(parse_quantity(allocatable.get("nvidia.com/gpu", 0))),
        allocatable_cpu_millicores=int(parse_quantity(allocatable.get("cpu", 0)) * 1000),
        allocatable_memory_bytes=int(parse_quantity(allocatable.get("memory", 0))),
        created_at=parse_time(metadata.get("creationTimestamp")) or 0.0,
        ready=condition(status, "Ready").get("status") == "True",
        leaving=leaving(obj),
        cordoned=mapping(obj.get("spec")).get("unschedulable") is True,
        taints=_taints(mapping(obj.get("spec"))),
    )


def _taints(spec: Object) -> tuple[tuple[str, str, str], ...]:
    parts = ("key", "value", "effect")
    return tuple(
        (key, value, effect)
        for key, value, effect in (
            (sys.intern(str(taint.get(part) or "")) for part in parts)
            for taint in sequence(spec.get("taints"))
        )
    )


def _scaled_object_record(obj: Object) -> AutoscalerRecord:
    return _autoscaler_record(obj, api_version="apps/v1", kind="Deployment")


def _autoscaler_record(obj: Object, *, api_version: str = "", kind: str = "") -> AutoscalerRecord:
    """`api_version` and `kind`: what the target is when the object does not say."""
    metadata, spec = mapping(obj.get("metadata")), mapping(obj.get("spec"))
    target = mapping(spec.get("scaleTargetRef"))
    annotations = mapping(metadata.get("annotations"))
    return AutoscalerRecord(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        kind=str(obj.get("kind", "")),
        target_api_version=str(target.get("apiVersion") or api_version),
        target_kind=str(target.get("kind") or kind),
        target_name=str(target.get("name", "")),
        owner=controller_of(metadata),
        paused=annotations.get(KEDA_PAUSED_ANNOTATION) == "true",
    )


def _service_record(obj: Object) -> ServiceRecord:
    metadata = mapping(obj.get("metadata"))
    return ServiceRecord(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        selector=labels_of(mapping(obj.get("spec")).get("selector")),
    )


_RECORD_OF: Mapping[str, Callable[[Object], Record]] = {
    "InferenceCostPolicy": policy_record,
    "CapacityPool": capacity_pool_record,
    "Namespace": namespace_record,
    "Pod": pod_record,
    "Node": node_record,
    "HorizontalPodAutoscaler": _autoscaler_record,
    "ScaledObject": _scaled_object_record,
    "NodeOverlay": node_overlay_record,
    "NodeClaim": node_claim_record,
    "CapacityBuffer": capacity_buffer_record,
    "Service": _service_record,
}


def to_record(kind: str, obj: Object) -> Record:
    """The record of an object of a watched kind; kinds without a rule of their own are scale targets."""
    return _RECORD_OF.get(kind, scale_target_record)(obj)
