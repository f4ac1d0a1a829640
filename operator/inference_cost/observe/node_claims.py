"""Karpenter's NodeClaims: whether the cloud took a machine back, and whether it had none to give. Pure.

Karpenter answers an interruption by deleting the NodeClaim, and writes no reason: that comes as an Event, which may be
lost. What it does of its own accord has a reason in the condition `DisruptionReason` before the deletion (Empty,
Underutilized, Drifted), or comes when `expireAfter` is over. So what goes on spot for no reason was taken back. Where a
person deletes a NodeClaim it looks alike, unless the node was cordoned before, as `kubectl drain` does.

A launch that finds no capacity ends in the deletion of a NodeClaim that never got a machine, within a second.
Of several pods some may get one: a NodeClaim does not name its pods, so as many were not refused as machines are on the
way.

Sources: karpenter `pkg/controllers/disruption/queue.go`, `nodeclaim/expiration`, `nodeclaim/lifecycle/launch.go`;
karpenter-provider-aws `pkg/controllers/interruption`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from inference_cost.model.workload import CapacityType
from inference_cost.observe.fields import condition, labels_of, mapping, sequence
from inference_cost.observe.leaving import SEEN_BY_KARPENTER
from inference_cost.observe.nodes import capacity_type
from inference_cost.observe.pods import GPU_RESOURCE
from inference_cost.observe.quantities import parse_quantity, parse_time
from inference_cost.observe.records import Labels, NodeClaimRecord, NodeRecord

KINDS_KEPT: Final = 256
_LabelSet = frozenset[tuple[str, str]]
_DURATION: Final = re.compile(r"(\d+)(h|m|s)")
_SECONDS: Final = {"h": 3600, "m": 60, "s": 1}
# Deletions carry whole seconds of the API server's clock, `expireAfter` is counted by Karpenter's.
_EXPIRY_MARGIN_SECONDS: Final = 5.0


def node_claim_record(obj: Mapping[str, Any]) -> NodeClaimRecord:
    metadata, spec, status = (mapping(obj.get(k)) for k in ("metadata", "spec", "status"))
    created_at = parse_time(metadata.get("creationTimestamp")) or 0.0
    lifetime = _seconds(spec.get("expireAfter"))
    disruption = condition(status, "DisruptionReason")
    return NodeClaimRecord(
        namespace="",
        name=str(metadata.get("name", "")),
        labels=labels_of(_single_values(spec) | dict(mapping(metadata.get("labels")))),
        node=str(status.get("nodeName") or ""),
        created_at=created_at,
        expires_at=None if lifetime is None else created_at + lifetime,
        deleted_at=parse_time(metadata.get("deletionTimestamp")),
        launched=bool(status.get("providerID")),
        disruption=(
            str(disruption.get("reason", "")) if disruption.get("status") == "True" else ""
        ),
        gpus=int(parse_quantity(_requests(spec).get(GPU_RESOURCE, 0))),
    )


def interrupted(
    claims: Iterable[NodeClaimRecord], nodes: Iterable[NodeRecord]
) -> Mapping[str, str]:
    """Nodes of spot that the cloud takes back, with the words for it."""
    cordoned = {node.name for node in nodes if node.cordoned}
    return {
        c.node: SEEN_BY_KARPENTER for c in claims if is_taken_back(c) and c.node not in cordoned
    }


def is_taken_back(claim: NodeClaimRecord) -> bool:
    if claim.deleted_at is None or not claim.node or claim.disruption:
        return False
    expired = (
        claim.expires_at is not None
        and claim.deleted_at >= claim.expires_at - _EXPIRY_MARGIN_SECONDS
    )
    return not expired and capacity_type(claim.labels) is CapacityType.SPOT


def pods_coming_for(
    claims: Iterable[NodeClaimRecord],
    wanted: Labels,
    since: float,
    gpus: int,
    pods_on: Callable[[str], int],
) -> int:
    """Pods with `gpus` each for which a machine with the labels `wanted` was given since then, and is empty still."""
    needed = wanted.items()
    return sum(
        max(claim.gpus // gpus, 1) if gpus else 1
        for claim in claims
        if claim.launched
        and claim.deleted_at is None
        and claim.created_at >= since
        and needed <= claim.labels.items()
        and not (claim.node and pods_on(claim.node))
    )


class MachineNews:
    """By the labels of NodeClaims: when the cloud last gave a machine, and when it last had none.

    Of labels alike one entry: a large cluster has thousands of NodeClaims of a few dozen kinds, and as many workloads.
    """

    def __init__(self) -> None:
        self._refused: dict[_LabelSet, float] = {}
        self._given: dict[_LabelSet, float] = {}

    def see(self, claim: NodeClaimRecord) -> None:
        """A NodeClaim is there, has changed, or was the last time it was seen like this."""
        labels = frozenset(claim.labels.items())
        if claim.launched:
            _keep(self._given, labels, claim.created_at)
        elif claim.deleted_at is not None:
            _keep(self._refused, labels, claim.deleted_at)

    def refused_at(self, wanted: Labels) -> float | None:
        """When pods that need nodes with the labels `wanted` last found no machine; None where one came since.

        Pods that need none in particular may run anywhere: no refusal is about them alone.
        """
        if not wanted or not self._refused:
            return None
        needed = wanted.items()
        last = max((at for labels, at in self._refused.items() if needed <= labels), default=None)
        if last is None:
            return None
        given = max((at for labels, at in self._given.items() if needed <= labels), default=0.0)
        return None if given > last else last


def _keep(entries: dict[_LabelSet, float], labels: _LabelSet, at: float) -> None:
    """The newest last; the oldest go."""
    before = entries.pop(labels, at)
    entries[labels] = max(before, at)
    if len(entries) > KINDS_KEPT:
        del entries[next(iter(entries))]


def _requests(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(spec.get("resources")).get("requests"))


def _single_values(spec: Mapping[str, Any]) -> dict[str, str]:
    """What a NodeClaim asks for, where that is one thing: before the launch it has few labels."""
    found = {}
    for one in sequence(spec.get("requirements")):
        values = one.get("values")
        if one.get("operator") == "In" and isinstance(values, list) and len(values) == 1:
            found[str(one.get("key"))] = str(values[0])
    return found


def _seconds(duration: object) -> float | None:
    """Of `720h` or `1h30m`; None for `Never` and where there is none."""
    parts = _DURATION.findall(str(duration or ""))
    return float(sum(int(n) * _SECONDS[unit] for n, unit in parts)) if parts else None
