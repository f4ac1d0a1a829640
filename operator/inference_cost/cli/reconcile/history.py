"""History of nodes and pods as far as the objects of today tell it: those that went are not in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inference_cost.account.ledger.history import (
    History,
    NodeLife,
    Owner,
    PriceChange,
    Stay,
    Use,
)
from inference_cost.account.running import has_served
from inference_cost.api.placeholders import POOL_LABEL
from inference_cost.model.policy import Policy
from inference_cost.model.workload import Node
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.fields import condition, mapping
from inference_cost.observe.kinds import (
    CAPACITY_POOL,
    DEPLOYMENT,
    NODE,
    POD,
    POLICY,
    STATEFUL_SET,
)
from inference_cost.observe.nodes import has_gpus, observe_nodes
from inference_cost.observe.pods import is_finished, is_system, model_pod, pod_record
from inference_cost.observe.policies import PolicyParser
from inference_cost.observe.prices import shipped_table
from inference_cost.observe.quantities import parse_time
from inference_cost.observe.records import PodRecord
from inference_cost.observe.workloads import pod_records

LONGEST_BOOT_SECONDS = 1800.0  # a node that got ready later had been ready before
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """All of a cluster."""

    policies: list[dict[str, Any]]
    pools: list[dict[str, Any]]
    nodes: list[dict[str, Any]]
    pods: list[dict[str, Any]]
    deployments: list[dict[str, Any]]
    stateful_sets: list[dict[str, Any]]


def history_of(found: Objects, currency: str) -> tuple[History, dict[str, str]]:
    """Of nodes with GPUs, and the names that the cloud gives them, by node."""
    cache = _cache(found)
    owners = _owners(cache)
    book = PriceBook(cache.capacity_pools(), table=shipped_table(), currency=currency)
    records = [record for record in cache.nodes() if has_gpus(record)]
    nodes = observe_nodes(records, book.price_of, cache.pods_on, {})
    raw = {str(mapping(obj.get("metadata")).get("name", "")): obj for obj in found.nodes}
    pods = ((pod_record(obj), mapping(obj.get("status"))) for obj in found.pods)
    stays = [
        _stay(record, status, owners)
        for record, status in pods
        if record.node in nodes and not is_finished(record)
    ]
    lives = tuple(_life(node, raw[name]) for name, node in nodes.items())
    identifiers = {
        name: str(mapping(raw[name].get("spec")).get("providerID") or name) for name in nodes
    }
    return History(nodes=lives, stays=tuple(stays)), identifiers


def _cache(found: Objects) -> ClusterCache:
    kinds = (POLICY, CAPACITY_POOL, NODE, POD, DEPLOYMENT, STATEFUL_SET)
    cache = ClusterCache(kinds)
    lists = (
        found.policies,
        found.pools,
        found.nodes,
        found.pods,
        found.deployments,
        found.stateful_sets,
    )
    for kind, objects in zip(kinds, lists, strict=True):
        # A list leaves the kind of its items out.
        whole = ({"apiVersion": kind.api_version, "kind": kind.kind, **one} for one in objects)
        cache.replace(kind.kind, whole, listed_at=0.0)
    return cache


def _owners(cache: ClusterCache) -> dict[str, Owner]:
    """By pod uid. Where two policies have one target, the older one has its pods, as in the operator."""
    policies, _ = PolicyParser().parse(cache.policies(), lambda _: None)
    owners: dict[str, Owner] = {}
    for policy in sorted(policies, key=lambda p: (p.created_at, p.key)):
        for uid, owner in _of_policy(cache, policy):
            owners.setdefault(uid, owner)
    return owners


def _of_policy(cache: ClusterCache, policy: Policy) -> Iterable[tuple[str, Owner]]:
    for variant in policy.variants:
        target = cache.scale_target(variant.target.kind, policy.key.namespace, variant.target.name)
        owner = Owner(
            use=Use.REPLICA,
            policy=policy.key,
            variant=variant.name,
            cost_center=policy.cost_center,
        )
        for record in pod_records(cache, target) if target is not None else ():
            yield record.uid, owner


def _stay(record: PodRecord, status: Object, owners: Mapping[str, Owner]) -> Stay:
    told = parse_time(condition(status, "PodScheduled").get("lastTransitionTime"))
    bound = told or record.created_at
    pod = model_pod(record)
    return Stay(
        pod=pod,
        owner=owners.get(record.uid) or Owner(use=_use_of(record)),
        bound_at=bound,
        ready_at=bound if pod.ready_at is None and has_served(pod) else pod.ready_at,
    )


def _use_of(record: PodRecord) -> Use:
    if POOL_LABEL in record.labels:
        return Use.WARM
    return Use.OVERHEAD if is_system(record) else Use.OTHER


def _life(node: Node, obj: Object) -> NodeLife:
    """One price for all its life: what it was before is not known here."""
    ready = condition(mapping(obj.get("status")), "Ready")
    changed = parse_time(ready.get("lastTransitionTime")) or node.created_at
    since = changed if changed - node.created_at <= LONGEST_BOOT_SECONDS else node.created_at
    was_ready = ready.get("status") == "True" or since == node.created_at
    return NodeLife(
        node=node,
        ready_at=since if was_ready else None,
        gone_at=None,
        prices=(PriceChange(since=node.created_at, price=node.price),),
    )
