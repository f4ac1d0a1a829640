"""From a reference to a scale target to the `Workload` behind it, or to the reason why there is none."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from inference_cost.model.policy import TargetRef
from inference_cost.model.workload import NoWorkload, Pod, TargetProblem, Workload
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import WatchedKind
from inference_cost.observe.node_claims import pods_coming_for
from inference_cost.observe.pods import is_finished, model_pod
from inference_cost.observe.records import Owner, PodRecord, ScaleTargetRecord, selects

# Reason of a Deployment's Progressing condition once its rollout is complete; scaling leaves it there.
_ROLLOUT_COMPLETE = "NewReplicaSetAvailable"
_NAMES_SHOWN = 5
# The kind that makes the pods of a target; of other kinds we go by the selector.
_POD_OWNER = {"Deployment": "ReplicaSet", "StatefulSet": "StatefulSet"}


def find_workload(
    cache: ClusterCache,
    namespace: str,
    target: TargetRef,
    *,
    allowed_owners: Iterable[str] = (),
    field: str = "spec.scaleTargetRef",
) -> Workload | NoWorkload:
    """Resolve a target in the policy's namespace. `allowed_owners`: kinds that tolerate our `/scale`."""
    watched = _watched(cache, target)
    if watched is None:
        return _kind_not_enabled(cache, target, field)
    if watched.api_version != target.api_version:
        return _other_version(target, watched, field)
    record = cache.scale_target(target.kind, namespace, target.name)
    if record is None:
        return _not_found(cache, namespace, target, field)
    if record.owner is not None and record.owner.kind not in set(allowed_owners):
        return _owned(target, record.owner, field)
    pods = pod_records(cache, record)
    refused = _refused(cache, record, pods)
    return replace(_workload(target, record, pods, refused), plural=watched.plural)


def _refused(
    cache: ClusterCache, record: ScaleTargetRecord, pods: Iterable[PodRecord]
) -> frozenset[str]:
    """Uids of those that wait, and for which the cloud had no machine: the oldest get the machines that are coming."""
    waiting = sorted(
        (pod for pod in pods if pod.unschedulable), key=lambda pod: (pod.created_at, pod.name)
    )
    at = cache.machines.refused_at(record.template_nodes) if waiting else None
    if at is None:
        return frozenset()
    first = waiting[0]
    coming = pods_coming_for(
        cache.node_claims(), record.template_nodes, first.created_at, first.gpus, cache.pods_on
    )
    return frozenset(pod.uid for pod in waiting[coming:] if pod.created_at <= at)


def pod_records(cache: ClusterCache, record: ScaleTargetRecord) -> list[PodRecord]:
    """Pods that belong to a target: selected by it, and not led by another controller."""
    owned = cache.pods_of_workload(record.namespace, record.name)
    owner_kind = _POD_OWNER.get(record.kind)
    candidates = (
        [p for p in owned if p.owner_kind == owner_kind]
        if owner_kind
        else owned or cache.pods(record.namespace)
    )
    return [p for p in candidates if selects(record.selector, p.labels) and not is_finished(p)]


def newest_template_hash(record: ScaleTargetRecord, pods: Sequence[PodRecord]) -> str:
    """A StatefulSet tells its newest revision; otherwise the newest pod was made from the newest template."""
    if record.update_revision:
        return record.update_revision
    marked = [p for p in pods if p.template_hash]
    return max(marked, key=lambda p: (p.created_at, p.name)).template_hash if marked else ""


def is_rolling_out(record: ScaleTargetRecord, pods: Sequence[PodRecord]) -> bool:
    """Whether pods of two templates may be serving. A change of the replicas alone is no rollout."""
    hashes = {p.template_hash for p in pods if not p.terminating and p.template_hash}
    unfinished = (
        record.updated_replicas < record.desired_replicas
        and record.progress_reason not in ("", _ROLLOUT_COMPLETE)
    )
    return (
        record.observed_generation < record.template_generation
        or (_counts_updated(record) and record.status_replicas > record.updated_replicas)
        or len(hashes) > 1
        or unfinished
    )


def _counts_updated(record: ScaleTargetRecord) -> bool:
    """Deployment and StatefulSet say how many pods are of the newest template; other kinds may not."""
    return record.api_version.startswith("apps/")


def _workload(
    target: TargetRef,
    record: ScaleTargetRecord,
    pods: Sequence[PodRecord],
    refused: frozenset[str],
) -> Workload:
    found: list[Pod] = sorted(
        (model_pod(p, refused=p.uid in refused) for p in pods),
        key=lambda p: (p.created_at, p.name),
    )
    return Workload(
        target=target,
        uid=record.uid,
        desired_replicas=record.desired_replicas,
        template_hash=newest_template_hash(record, pods),
        rolling_out=is_rolling_out(record, pods),
        pods=tuple(found),
        quota_refusal=record.replica_failure,
        spreads_over_zones=record.template_spreads,
        strict_zones=record.template_strict_zones,
        images=record.template_images,
        pull_secrets=record.template_pull_secrets,
    )


def group_of(api_version: str) -> str:
    """The API group of an apiVersion; "" is the core group. Versions of one group are the same objects."""
    return api_version.rpartition("/")[0]


def _watched(cache: ClusterCache, target: TargetRef) -> WatchedKind | None:
    """The enabled kind of the target, whatever version the target names."""
    group = group_of(target.api_version)
    enabled = (k for k in cache.kinds if k.scale_target)
    return next((k for k in enabled if (k.kind, k.group) == (target.kind, group)), None)


def _other_version(target: TargetRef, watched: WatchedKind, field: str) -> NoWorkload:
    return NoWorkload(
        target=target,
        problem=TargetProblem.KIND_NOT_ENABLED,
        message=(
            f"{field}.apiVersion: {target.kind} is scaled as {watched.api_version} in this installation, "
            f"not as {target.api_version}. Create the policy again with {watched.api_version}."
        ),
    )


def _kind_not_enabled(cache: ClusterCache, target: TargetRef, field: str) -> NoWorkload:
    enabled = ", ".join(f"{k.kind} ({k.api_version})" for k in cache.kinds if k.scale_target)
    return NoWorkload(
        target=target,
        problem=TargetProblem.KIND_NOT_ENABLED,
        message=(
            f"{field}: {target.kind} ({target.api_version}) is not enabled in this installation; "
            f"enabled: {enabled}. Add it to the chart value rbac.scaleTargets; or delete this policy, and create one "
            "for one of these."
        ),
    )


def _not_found(cache: ClusterCache, namespace: str, target: TargetRef, field: str) -> NoWorkload:
    records = cache.scale_targets(namespace)
    there = sorted(f"{r.kind}/{r.name}" for r in records)
    alike = difflib.get_close_matches(target.name, {r.name for r in records}, n=_NAMES_SHOWN)
    shown = sorted(f"{r.kind}/{r.name}" for r in records if r.name in alike) or there[:_NAMES_SHOWN]
    rest = f" and {len(there) - len(shown)} more" if len(there) > len(shown) else ""
    found = f"there are {', '.join(shown)}{rest}" if there else "it has no scale target at all"
    return NoWorkload(
        target=target,
        problem=TargetProblem.NOT_FOUND,
        message=f"{field}: {target} does not exist in namespace {namespace}; {found}. "
        "Create it; or delete this policy, and create one with the right kind and name.",
    )


def _owned(target: TargetRef, owner: Owner, field: str) -> NoWorkload:
    return NoWorkload(
        target=target,
        problem=TargetProblem.OWNED_BY,
        message=(
            f"{field}: {target} is controlled by {owner.kind}/{owner.name} ({owner.api_version}), which "
            "would revert its replicas. Delete this policy, and create one for that object; or remove the controller "
            "reference."
        ),
    )
