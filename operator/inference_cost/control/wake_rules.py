"""Which change in the cluster is worth a tick ahead of time. Pure."""

from dataclasses import replace

from inference_cost.observe.kinds import NODE, NODE_CLAIM, POD, SERVICE
from inference_cost.observe.records import (
    CapacityPoolRecord,
    NodeClaimRecord,
    PolicyRecord,
    Record,
    ScaleTargetRecord,
)

QUIET_KINDS = (POD.kind, SERVICE.kind)


def worth_waking(
    kind: str, event_type: str | None, *, before: Record | None, after: Record | None
) -> bool:
    """Whether a changed record matters now.

    Specs, pauses, templates, replicas, other autoscalers, lost nodes and NodeClaims that are about to go do; pods, new
    nodes and our own statuses do not. `before` and `after` are given for policies, pools, scale targets and NodeClaims.
    """
    if kind in QUIET_KINDS:
        return False
    if kind in (NODE.kind, NODE_CLAIM.kind):
        return _goes(kind, event_type, before, after)
    if isinstance(before, PolicyRecord) and isinstance(after, PolicyRecord):
        return before != replace(after, status=before.status)
    if isinstance(before, CapacityPoolRecord) and isinstance(after, CapacityPoolRecord):
        return before != replace(after, status=before.status)
    if isinstance(before, ScaleTargetRecord) and isinstance(after, ScaleTargetRecord):
        return _target(before) != _target(after)
    return True


def _goes(kind: str, event_type: str | None, before: Record | None, after: Record | None) -> bool:
    if kind == NODE.kind:
        return event_type in ("MODIFIED", "DELETED")
    return (_is_going(after) or event_type == "DELETED") and not _is_going(before)


def _is_going(record: Record | None) -> bool:
    return isinstance(record, NodeClaimRecord) and record.deleted_at is not None


def _target(record: ScaleTargetRecord) -> tuple[int, str, bool]:
    return (record.desired_replicas, record.template_fingerprint, record.terminating)
