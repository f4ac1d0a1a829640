"""The workloads of policies, and what else is about them, from lists of objects. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from inference_cost.api.capacity_pool import WarmStrategy
from inference_cost.cli.doctor.facts import Object, Target
from inference_cost.cli.listing import BUDGET, NODE_POOL, Listing
from inference_cost.cli.scan import autoscalers
from inference_cost.cli.scan.autoscalers import Autoscaler
from inference_cost.cli.scan.workloads import WorkloadKey, key_of, owner_of, targets_of_policy
from inference_cost.observe.fields import labels_of, mapping, parse_selector, sequence
from inference_cost.observe.kinds import (
    DEPLOYMENT,
    HORIZONTAL_POD_AUTOSCALER,
    NODE,
    POD,
    POLICY,
    SCALED_OBJECT,
    STATEFUL_SET,
    WatchedKind,
)
from inference_cost.observe.pods import is_finished, pod_record
from inference_cost.observe.records import PodRecord, selects

NODE_POOL_LABEL: Final = "karpenter.sh/nodepool"
KINDS: Final = (
    POLICY,
    DEPLOYMENT,
    STATEFUL_SET,
    POD,
    HORIZONTAL_POD_AUTOSCALER,
    SCALED_OBJECT,
    BUDGET,
    NODE,
    NODE_POOL,
)


def targets_of(
    listed: Mapping[str, Listing], more_kinds: Iterable[WatchedKind] = ()
) -> Iterable[Target]:
    """`listed`: of each of `KINDS` and of `more_kinds` to scale, by plural. One for each workload of each policy."""

    def items(kind: WatchedKind) -> tuple[Object, ...]:
        return listed[kind.plural].items

    scalable = (DEPLOYMENT, STATEFUL_SET, *more_kinds)
    workloads = {key_of(one): one for kind in scalable for one in items(kind)}
    pods: dict[WorkloadKey, list[PodRecord]] = defaultdict(list)
    for pod in map(pod_record, items(POD)):
        if not is_finished(pod):
            pods[owner_of(pod)].append(pod)
    scalers = autoscalers.by_target(items(HORIZONTAL_POD_AUTOSCALER), items(SCALED_OBJECT))
    pools = _pools_by_node(items(NODE), items(NODE_POOL))
    for policy in items(POLICY):
        for key in targets_of_policy(policy):
            own = pods.get(key, [])
            workload = workloads.get(key)
            yield Target(
                policy=f"{key.namespace}/{policy['metadata']['name']}",
                mode=str(mapping(policy.get("spec")).get("mode") or "Recommend"),
                key=key,
                conditions=_conditions(policy),
                workload=workload,
                ready_pods=tuple(sorted(one.name for one in own if _serves(one))),
                autoscaler=scalers.get(key, Autoscaler()),
                budgets=() if workload is None else _budgets(key, workload, items(BUDGET)),
                node_pools=_unique(pools[one.node] for one in own if one.node in pools),
            )


def warm_pools(pools: Iterable[Object]) -> dict[str, str]:
    """Strategies of the CapacityPools that ask for nodes kept ready, by name."""
    asked = {str(one["metadata"]["name"]): _warm_strategy(one) for one in pools}
    return {name: strategy for name, strategy in asked.items() if strategy != WarmStrategy.NONE}


def _warm_strategy(pool: Object) -> str:
    warm = mapping(pool.get("spec")).get("warm")
    return str((warm or {"strategy": WarmStrategy.NONE}).get("strategy", WarmStrategy.PLACEHOLDER))


def _serves(pod: PodRecord) -> bool:
    return pod.ready_at is not None and not pod.terminating


def _conditions(policy: Object) -> dict[str, Object]:
    told = sequence(mapping(policy.get("status")).get("conditions"))
    return {str(one.get("type")): one for one in told}


def _budgets(key: WorkloadKey, workload: Object, budgets: Iterable[Object]) -> tuple[Object, ...]:
    template = mapping(mapping(mapping(workload.get("spec")).get("template")).get("metadata"))
    labels = labels_of(template.get("labels"))
    return tuple(
        one
        for one in budgets
        if one["metadata"].get("namespace") == key.namespace
        and selects(parse_selector(mapping(one.get("spec")).get("selector")), labels)
    )


def _pools_by_node(nodes: Iterable[Object], pools: Iterable[Object]) -> dict[str, Object]:
    named = {str(one["metadata"]["name"]): one for one in pools}
    labels = {
        str(one["metadata"]["name"]): labels_of(one["metadata"].get("labels")) for one in nodes
    }
    return {
        node: named[found[NODE_POOL_LABEL]]
        for node, found in labels.items()
        if found.get(NODE_POOL_LABEL) in named
    }


def _unique(pools: Iterable[Object]) -> tuple[Object, ...]:
    return tuple({str(one["metadata"]["name"]): one for one in pools}.values())
