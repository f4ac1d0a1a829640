"""What the operator must be allowed to do, as the chart grants it, and what for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from inference_cost.api.capacity_pool import WarmStrategy
from inference_cost.api.group import CAPACITY_POOL, CHECKPOINT, GROUP, POLICY
from inference_cost.cli.doctor.facts import Operator, Right
from inference_cost.observe.kinds import (
    CAPACITY_BUFFER,
    SCALE_TARGET_KINDS,
    SUPPORTING_KINDS,
    WatchedKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Rights that serve one end. `without`: what becomes of it else. `template`: of the chart, which grants them.

    `switch`: the chart's value that asks for it, "" where it is always done; `on`: what that is, None where not known.
    """

    rights: frozenset[Right]
    without: str
    template: str
    switch: str = ""
    on: bool | None = True


def duties_of(
    one: Operator, *, scaled: frozenset[str], warm_pools: Mapping[str, str]
) -> list[Duty]:
    """Of an installation. `scaled`: kinds that policies name; `warm_pools`: strategies of those kept ready, by name."""
    found = [
        Duty(
            rights=ALWAYS | frozenset(_read(one.more_kinds)),
            without="what it does not see it does not decide, and what it may not write is not told",
            template="rbac-operator.yaml",
        ),
        Duty(
            rights=frozenset(_scaling(_scaled(one, scaled))),
            without="nothing is scaled",
            template="rbac-enforce.yaml",
            switch="enforce.enabled",
            on=one.enforces,
        ),
        Duty(
            rights=TO_MARK,
            without="any replica goes, not the one that leaves its node empty",
            template="rbac-scale-in-order.yaml",
            switch="enforce.enabled or scaleInOrder.enabled",
            on=one.enforces and bool(one.setting("scale_in_order", "enabled")),
        ),
    ]
    if one.settings is not None:
        found.append(_leading(one))
    return [*found, *_keeping(one, warm_pools)]


def _leading(one: Operator) -> Duty:
    name = str(one.setting("lease", "name") or "inference-cost-operator")
    namespace = str(one.setting("lease", "namespace") or one.namespace)
    created = _rights("coordination.k8s.io", "leases", "create", namespace=namespace)
    held = _rights("coordination.k8s.io", "leases", "get", "update", namespace=namespace, name=name)
    return Duty(
        rights=frozenset((*created, *held)),
        without="none of its replicas leads, and nobody decides",
        template="rbac-operator.yaml",
    )


def _keeping(one: Operator, pools: Mapping[str, str]) -> Iterator[Duty]:
    """Placeholders and CapacityBuffers are in the operator's own namespace, owned by priority classes."""
    enabled = bool(one.setting("warm", "enabled"))
    buffers = enabled and bool(one.setting("warm", "capacity_buffers"))
    ways = (
        (WarmStrategy.PLACEHOLDER, _of_placeholders(one), enabled, "warm.enabled"),
        (
            WarmStrategy.CAPACITY_BUFFER,
            _of_buffers(one),
            buffers,
            "warm.enabled or warm.capacityBuffers",
        ),
    )
    for strategy, rights, on, switch in ways:
        asking = [name for name, asked in pools.items() if asked == strategy]
        if asking:
            yield Duty(
                rights=frozenset(rights),
                without=f"no nodes are kept ready for CapacityPool {', '.join(asking)}",
                template="rbac-warm.yaml",
                switch=switch,
                on=None if one.settings is None else on,
            )


def _of_placeholders(one: Operator) -> Iterator[Right]:
    owner = str(one.setting("warm", "priority_class") or "inference-cost-operator-warm")
    verbs = ("create", "patch", "delete")
    yield from _rights("apps", "deployments", *verbs, namespace=one.namespace)
    yield from _rights("scheduling.k8s.io", "priorityclasses", "get", name=owner)


def _of_buffers(one: Operator) -> Iterator[Right]:
    group, plural = CAPACITY_BUFFER.group, CAPACITY_BUFFER.plural
    set_name = one.setting("warm", "buffer_priority_class")
    owner = str(set_name or "inference-cost-operator-warm-buffer")
    verbs = ("create", "patch", "delete")
    yield from _rights(group, plural, "list", "watch")
    yield from _rights(group, plural, *verbs, namespace=one.namespace)
    yield from _rights("", "podtemplates", "get", *verbs, namespace=one.namespace)
    yield from _rights("scheduling.k8s.io", "priorityclasses", "get", name=owner)


def _scaled(one: Operator, named: frozenset[str]) -> Iterable[WatchedKind]:
    """Those that policies name: an installation may leave out the others."""
    every = (*SCALE_TARGET_KINDS, *one.more_kinds)
    return [kind for kind in every if kind.kind in named] if named else SCALE_TARGET_KINDS


def _rights(
    group: str, resource: str, *verbs: str, namespace: str = "", name: str = ""
) -> Iterator[Right]:
    return (
        Right(group=group, resource=resource, verb=verb, namespace=namespace, name=name)
        for verb in verbs
    )


def _read(kinds: Iterable[WatchedKind]) -> Iterator[Right]:
    for kind in kinds:
        yield from _rights(kind.group, kind.plural, "get", "list", "watch")


def _always() -> Iterator[Right]:
    for kind in SUPPORTING_KINDS:
        yield from _rights(kind.group, kind.plural, "list", "watch")
    yield from _read(SCALE_TARGET_KINDS)
    yield from _rights(GROUP, f"{POLICY.plural}/status", "patch")
    yield from _rights(GROUP, f"{CAPACITY_POOL.plural}/status", "patch")
    yield from _rights(GROUP, CHECKPOINT.plural, "list", "create", "patch")
    yield from _rights("events.k8s.io", "events", "create", "patch")


def _scaling(kinds: Iterable[WatchedKind]) -> Iterator[Right]:
    for kind in kinds:
        yield from _rights(kind.group, f"{kind.plural}/scale", "get", "patch")


ALWAYS: Final = frozenset(_always())
TO_MARK: Final = frozenset(_rights("", "pods", "patch"))

# What who runs the commands needs, and for which.
OWN: Final = {
    Right(group=GROUP, resource=POLICY.plural, verb="list"): "status, plan and doctor",
    Right(group=GROUP, resource=POLICY.plural, verb="patch"): "pause and resume",
    Right(group="", resource="nodes", verb="list"): "pools, and the prices of scan",
    Right(
        group="", resource="pods/portforward", verb="create"
    ): "scan and doctor without --prometheus-url",
}
