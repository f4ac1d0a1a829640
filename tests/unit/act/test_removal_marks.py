"""Pods that are to go first are marked just before replicas are removed, and nothing waits for that."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.act.errors import KubeError, PermissionDeniedError
from inference_cost.act.kube_api import Json
from inference_cost.act.removal_marks import marks
from inference_cost.act.resources import Resource, scale_of
from inference_cost.act.scale import ScaleOrder, ScaleOutcome, write_scale
from inference_cost.act.scaler import Scaler
from inference_cost.act.tick import Tick
from inference_cost.api.annotations import DELETION_COST
from inference_cost.model.memory import Memory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Plan, Removal
from inference_cost.model.policy import PolicyKey
from tests.unit.act.memory_api import MemoryApi
from tests.unit.act.worlds import TARGET, UID, observation, plan, snapshot, workload

SCALE = (scale_of(TARGET).plural, "team-a", "resnet")


class Api(MemoryApi):
    """A Deployment of three with its pods. `refused`: what the API server says to a patch of a pod."""

    def __init__(self, refused: KubeError | None = None) -> None:
        super().__init__()
        self.refused = refused
        metadata = {"name": "resnet", "uid": UID, "resourceVersion": "7"}
        self.objects[SCALE] = {"metadata": metadata, "spec": {"replicas": 3}}
        for name in ("p1", "p2", "p3"):
            found: Json = {"metadata": {"name": name, "resourceVersion": "1"}}
            self.objects["pods", "team-a", name] = found

    async def merge_patch(self, resource: Resource, namespace: str, name: str, body: Json) -> Json:
        if self.refused is not None and resource.plural == "pods":
            raise self.refused
        return await super().merge_patch(resource, namespace, name, body)

    def cost(self, pod: str) -> str | None:
        metadata: dict[str, Any] = self.objects["pods", "team-a", pod]["metadata"]
        found: str | None = metadata.get("annotations", {}).get(DELETION_COST)
        return found

    @property
    def replicas(self) -> int:
        return int(self.objects[SCALE]["spec"]["replicas"])


def order(**changes: Any) -> ScaleOrder:
    fields: dict[str, Any] = {
        "namespace": "team-a",
        "target": TARGET,
        "uid": UID,
        "current": 3,
        "desired": 1,
        "first": ("p3", "p1"),
    }
    return ScaleOrder(**(fields | changes))


async def test_the_first_to_go_costs_least_and_all_less_than_the_others() -> None:
    api = Api()
    assert (await write_scale(api, order())).outcome is ScaleOutcome.WRITTEN
    assert [api.cost(pod) for pod in ("p3", "p1", "p2")] == ["-2", "-1", None]
    kinds = [path.partition("/")[0] for _, path, _ in api.writes]
    assert kinds[-1] == SCALE[0], "replicas are written last"


async def test_marks_of_an_earlier_order_go() -> None:
    api = Api()
    await write_scale(api, order(first=("p1",), desired=2))
    api.objects[SCALE]["spec"]["replicas"] = 3
    await write_scale(api, order(first=("p2",), outdated=("p1",), desired=2))
    assert (api.cost("p1"), api.cost("p2")) == (None, "-1")


FAILURES: dict[str, KubeError] = {
    "the right is lacking": PermissionDeniedError("no", verb="patch", resource="pods"),
    "the API server fails": KubeError("internal", status=500),
}


@pytest.mark.parametrize("sentence", FAILURES)
async def test_replicas_are_removed_although(sentence: str) -> None:
    api = Api(FAILURES[sentence])
    assert (await write_scale(api, order())).outcome is ScaleOutcome.WRITTEN
    assert api.replicas == 1


async def test_a_pod_that_is_gone_keeps_nothing_from_being_removed() -> None:
    api = Api()
    del api.objects["pods", "team-a", "p3"]
    assert (await write_scale(api, order())).outcome is ScaleOutcome.WRITTEN
    assert api.cost("p1") == "-1"


async def test_nobody_is_marked_for_an_order_that_is_not_written() -> None:
    api = Api()
    assert (await write_scale(api, order(current=4))).outcome is ScaleOutcome.CHANGED_MEANWHILE
    assert (
        await write_scale(api, order(), lambda: False)
    ).outcome is ScaleOutcome.CHANGED_MEANWHILE
    assert api.writes == []


async def test_an_order_called_off_while_pods_are_marked_is_not_written() -> None:
    api, answers = Api(), iter((True, False))
    result = await write_scale(api, order(), lambda: next(answers))
    assert (result.outcome, api.replicas) == (ScaleOutcome.CHANGED_MEANWHILE, 3)


def test_a_pod_named_anew_keeps_its_mark() -> None:
    assert marks(("p1",), ("p1", "p2")) == {"p1": "-1", "p2": None}


def planned(number: int, desired: int, *marked: str) -> tuple[PolicyObservation, Plan]:
    """A policy of its own, with a Deployment of three."""
    name = f"resnet-{number}"
    target = replace(TARGET, name=name)
    of = PolicyKey(namespace="team-a", name=name, uid=name)
    seen = observation(key=of)
    variant = replace(seen.policy.variants[0], target=target)
    seen = replace(
        seen,
        policy=replace(seen.policy, variants=(variant,)),
        workloads=(replace(workload(), target=target, uid=name),),
    )
    removal = Removal(nodes=(), per_hour=Decimal(0), pods=marked)
    made = plan(key=of, desired=desired)
    wanted = replace(made.variants[0], target=target, removal=removal if marked else None)
    return seen, replace(made, variants=(wanted,))


async def test_removals_wait_for_their_turn_to_mark_pods_and_nothing_else_does() -> None:
    """At one a second and a burst of two, three marks owe one: a removal after them waits two seconds."""
    now, api = 0.0, Api()
    for number in range(3):
        meta = {"name": f"resnet-{number}", "uid": f"resnet-{number}", "resourceVersion": "7"}
        api.objects[SCALE[0], "team-a", f"resnet-{number}"] = {
            "metadata": meta,
            "spec": {"replicas": 3},
        }
    scaler = Scaler(api, per_second=1.0, still_wanted=lambda _: True, monotonic=lambda: now)

    async def written(*wanted: tuple[PolicyObservation, Plan]) -> list[str]:
        shot = snapshot(*(seen for seen, _ in wanted))
        plans = {made.policy: made for _, made in wanted}
        tick = Tick(snapshot=shot, plans=plans, memory=Memory(), costs=None)
        return [one.plan.policy.name for one in await scaler.scale(tick)]

    first, other = planned(0, 2, "p1", "p2", "p3"), planned(1, 2, "p1")
    assert await written(first, other, planned(2, 5)) == ["resnet-0", "resnet-2"]
    now = 1.0
    assert await written(other) == []
    now = 3.0
    assert await written(other) == ["resnet-1"]
