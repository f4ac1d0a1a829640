"""What a hand-over is about: the policy, and the autoscalers of its workloads."""

from collections.abc import Mapping
from typing import Any

from inference_cost.cli.adopt.handover import Giver, HandOver
from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError
from inference_cost.cli.listing import Where, list_all
from inference_cost.cli.scan.autoscalers import Autoscaler, by_target
from inference_cost.cli.scan.workloads import WorkloadKey, targets_of_policy
from inference_cost.observe.fields import controller_of, mapping
from inference_cost.observe.kinds import HORIZONTAL_POD_AUTOSCALER, SCALED_OBJECT, WatchedKind

Object = Mapping[str, Any]


def read(cluster: Cluster, name: str, namespace: str | None) -> HandOver:
    """Of one policy.

    Raises:
        CommandError: not found, not allowed or not reachable.
    """
    policy = cluster.policy(name, namespace)
    where = Where(namespace=str(policy["metadata"]["namespace"]), everywhere=False)
    hpas = _listed(cluster, HORIZONTAL_POD_AUTOSCALER, where)
    scaled = _listed(cluster, SCALED_OBJECT, where)
    known = by_target(hpas, scaled)
    objects = {f"{one['kind']}/{one['metadata']['name']}": one for one in (*hpas, *scaled)}
    givers = (_giver(key, known[key], objects) for key in targets_of_policy(policy) if key in known)
    return HandOver(policy=policy, givers=tuple(one for one in givers if not one.autoscaler.paused))


def _giver(key: WorkloadKey, one: Autoscaler, objects: Mapping[str, Object]) -> Giver:
    obj = objects.get(f"{one.kind}/{one.name}")
    owner = None if obj is None else controller_of(mapping(obj.get("metadata")))
    if obj is None:
        raise CommandError(
            f"{key}: its HorizontalPodAutoscaler is of {one.kind}/{one.name}, which is not there: delete the one that "
            "is left"
        )
    if owner is not None:
        raise CommandError(
            f"{one.kind}/{one.name} belongs to {owner.kind}/{owner.name}, which would make it anew: stop that first"
        )
    return Giver(autoscaler=one, obj=obj, target=f"{key.kind}/{key.name}")


def _listed(cluster: Cluster, kind: WatchedKind, where: Where) -> tuple[Object, ...]:
    found = list_all(cluster, kind, where)
    if found.unread is not None:
        raise CommandError(f"{found.unread.why}: {found.unread.fix}")
    return found.items
