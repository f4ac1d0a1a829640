"""What the operator must be allowed to do, as the chart grants it."""

from collections.abc import Iterator
from typing import Final

from inference_cost.api.group import CAPACITY_POOL, CHECKPOINT, GROUP, POLICY
from inference_cost.cli.doctor.facts import Right
from inference_cost.observe.kinds import SCALE_TARGET_KINDS, SUPPORTING_KINDS


def _rights(group: str, resource: str, *verbs: str) -> Iterator[Right]:
    return (Right(group=group, resource=resource, verb=verb) for verb in verbs)


def _always() -> Iterator[Right]:
    for kind in SUPPORTING_KINDS:
        yield from _rights(kind.group, kind.plural, "list", "watch")
    for kind in SCALE_TARGET_KINDS:
        yield from _rights(kind.group, kind.plural, "get", "list", "watch")
    yield from _rights(GROUP, f"{POLICY.plural}/status", "patch")
    yield from _rights(GROUP, f"{CAPACITY_POOL.plural}/status", "patch")
    yield from _rights(GROUP, CHECKPOINT.plural, "list", "create", "patch")
    yield from _rights("events.k8s.io", "events", "create", "patch")


def _to_scale() -> Iterator[Right]:
    for kind in SCALE_TARGET_KINDS:
        yield from _rights(kind.group, f"{kind.plural}/scale", "get", "patch")


ALWAYS: Final = frozenset(_always())
TO_SCALE: Final = frozenset(_to_scale())  # with enforce.enabled=true

# What who runs the commands needs, and for which.
OWN: Final = {
    Right(group=GROUP, resource=POLICY.plural, verb="list"): "status, plan and doctor",
    Right(group=GROUP, resource=POLICY.plural, verb="patch"): "pause and resume",
    Right(group="", resource="nodes", verb="list"): "pools, and the prices of scan",
    Right(
        group="", resource="pods/portforward", verb="create"
    ): "scan and doctor without --prometheus-url",
}
