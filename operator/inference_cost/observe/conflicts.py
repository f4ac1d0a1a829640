"""Other writers of a target's replicas: autoscalers, and older policies."""

from collections.abc import Iterable

from inference_cost.model.policy import Policy, PolicyKey, TargetRef
from inference_cost.model.workload import Conflict, ConflictKind
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.records import AutoscalerRecord
from inference_cost.observe.workloads import group_of

Claims = dict[tuple[str, str, str, str], Policy]  # by namespace, group, kind and name


def claims(policies: Iterable[Policy]) -> Claims:
    """Which policy holds each target: the oldest by creation time, then by uid."""
    held: Claims = {}
    for policy in sorted(policies, key=lambda p: (p.created_at, p.key.uid)):
        for variant in policy.variants:
            held.setdefault(_claim(policy.key.namespace, variant.target), policy)
    return held


def _claim(namespace: str, target: TargetRef) -> tuple[str, str, str, str]:
    return namespace, group_of(target.api_version), target.kind, target.name


def find_conflict(cache: ClusterCache, policy: Policy, held: Claims) -> Conflict | None:
    """The first other writer of any of the policy's targets, an older policy before an autoscaler."""
    for variant in policy.variants:
        holder = held.get(_claim(policy.key.namespace, variant.target))
        if holder is not None and holder.key != policy.key:
            return _older_policy(variant.target, holder.key)
    for variant in policy.variants:
        autoscaler = _autoscaler_of(cache, policy.key.namespace, variant.target)
        if autoscaler is not None:
            return _other_autoscaler(variant.target, autoscaler)
    return None


def _autoscaler_of(
    cache: ClusterCache, namespace: str, target: TargetRef
) -> AutoscalerRecord | None:
    for found in cache.autoscalers(namespace):
        same = (found.target_kind, found.target_name) == (target.kind, target.name)
        if same and _same_group(found.target_api_version, target.api_version) and not found.paused:
            return found
    return None


def _same_group(one: str, other: str) -> bool:
    """Versions of one group are the same objects; an absent version leaves the group open."""
    return not one or group_of(one) == group_of(other)


def _older_policy(target: TargetRef, holder: PolicyKey) -> Conflict:
    return Conflict(
        kind=ConflictKind.POLICY,
        other=f"InferenceCostPolicy/{holder.name}",
        message=(
            f"{target} already belongs to the older InferenceCostPolicy/{holder.name}. "
            "Delete one of the two policies."
        ),
    )


def _other_autoscaler(target: TargetRef, autoscaler: AutoscalerRecord) -> Conflict:
    other = f"{autoscaler.kind}/{autoscaler.name}"
    return Conflict(
        kind=ConflictKind.AUTOSCALER,
        other=other,
        message=(
            f"{other} scales {target} too. To hand the replicas over, pause it, or delete it: "
            f"`kubectl -n {autoscaler.namespace} delete {autoscaler.kind.lower()} {autoscaler.name}`."
        ),
    )
