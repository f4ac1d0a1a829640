"""Placeholders: created, changed and deleted as decided, in our own namespace, and nothing else."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pytest

from inference_cost.act.errors import PermissionDeniedError, UnreachableError
from inference_cost.act.placeholders import PlaceholderSettings
from inference_cost.act.tick import Tick
from inference_cost.act.warm import RETRY_SECONDS, SEEN_WITHIN_SECONDS, WarmKeeper
from inference_cost.act.write_queue import WriteQueue
from inference_cost.api.capacity_pool import SPOT_LABELS
from inference_cost.api.fields import DNS_SUBDOMAIN, LABEL_VALUE
from inference_cost.api.placeholders import (
    LONGEST_LABEL,
    TEMPLATE_LABEL,
    placeholder_name,
    pool_label,
)
from inference_cost.model.memory import Memory
from inference_cost.model.warm import (
    Asked,
    NodeShape,
    Toleration,
    WarmPlan,
    WarmPool,
    WarmSpec,
)
from inference_cost.model.workload import CapacityType
from inference_cost.observe.nodes import CAPACITY_TYPES, capacity_label
from tests.unit.act.memory_api import MemoryApi
from tests.unit.decide.worlds import snapshot

SETTINGS = PlaceholderSettings(
    namespace="inference-cost", priority_class="ico-warm", image="pause:3.10"
)
POOL = WarmPool(
    name="safe",
    spec=WarmSpec(least=0, most=5),
    match_labels={"karpenter.sh/capacity-type": "on-demand"},
)
SHAPE = NodeShape(gpus=4, cpu_millicores=7500, memory_bytes=2**34)
PLAN = WarmPlan(
    pool="safe",
    wanted=2,
    free=0,
    lost=0,
    uses=0,
    reasons=(),
    shape=SHAPE,
    tolerations=(Toleration(key="team", value="ml", effect="NoSchedule"),),
)
CLASS = ("priorityclasses", "", "ico-warm")


def deployment_of(pool: str) -> tuple[str, str, str]:
    return ("deployments", "inference-cost", placeholder_name(pool))


@dataclass
class Bench:
    api: MemoryApi = field(default_factory=MemoryApi)
    now: float = 1000.0
    settings: PlaceholderSettings = SETTINGS

    def __post_init__(self) -> None:
        self.api.objects[CLASS] = {"metadata": {"name": "ico-warm", "uid": "class-uid"}}
        self.queue = WriteQueue(per_second=1000.0, burst=1000)
        self.keeper = WarmKeeper(
            self.api, self.queue, settings=self.settings, monotonic=lambda: self.now
        )

    async def tick(self, plan: WarmPlan | None = PLAN, pool: WarmPool = POOL) -> list[str]:
        """What was written, as "verb resource/name"."""
        before = len(self.api.writes)
        shot = replace(snapshot(), warm=MappingProxyType({pool.name: pool}))
        plans: Mapping[str, WarmPlan] = {} if plan is None else {plan.pool: plan}
        self.keeper.keep(Tick(snapshot=shot, plans={}, memory=Memory(), costs=None, warm=plans))
        writing = asyncio.create_task(self.queue.run())
        for _ in range(10):
            await asyncio.sleep(0)
        writing.cancel()
        return [f"{verb} {name}" for verb, name, _ in self.api.writes[before:]]

    def stored(self, pool: str = "safe") -> dict[str, Any]:
        found: dict[str, Any] = self.api.objects[deployment_of(pool)]
        return found

    def pool(self) -> WarmPool:
        """As the cluster cache shows what is stored."""
        stored = self.stored()
        labels = stored["spec"]["template"]["metadata"]["labels"]
        stored["metadata"].setdefault("uid", "u1")
        return replace(
            POOL,
            asked=Asked(
                name=stored["metadata"]["name"],
                uid="u1",
                replicas=stored["spec"]["replicas"],
                template=labels[TEMPLATE_LABEL],
            ),
        )

    async def later(self, seconds: float, **change: Any) -> list[str]:
        self.now += seconds
        return await self.tick(replace(PLAN, **change), self.pool())


async def test_they_are_made_once() -> None:
    bench = Bench()
    assert await bench.tick() == ["create deployments/warm-safe"]
    assert await bench.tick() == [], "the cache does not show them yet"
    assert await bench.later(60.0) == []


async def test_they_are_made_anew_where_somebody_deleted_them() -> None:
    bench = Bench()
    await bench.tick()
    del bench.api.objects[deployment_of("safe")]
    bench.now += SEEN_WITHIN_SECONDS
    assert await bench.tick() == ["create deployments/warm-safe"]


CHANGES: dict[str, dict[str, Any]] = {
    "more nodes": {"wanted": 3},
    "fewer nodes": {"wanted": 1},
    "other nodes": {"shape": replace(SHAPE, gpus=8)},
    "other images": {"images": ("triton:2",)},
}


@pytest.mark.parametrize("sentence", CHANGES)
async def test_they_are_changed_when_something_differs(sentence: str) -> None:
    bench = Bench()
    await bench.tick()
    change = CHANGES[sentence]
    assert await bench.later(60.0, **change) == ["patch deployments/warm-safe"]
    assert bench.stored()["spec"]["replicas"] == change.get("wanted", 2)
    assert await bench.later(60.0, **change) == []


async def test_only_their_number_changes_while_their_template_stays() -> None:
    bench = Bench()
    await bench.tick()
    before = bench.stored()["spec"]["template"]
    assert await bench.later(60.0, shape=None, tolerations=(), template_stays=True) == []
    changed = await bench.later(60.0, wanted=3, tolerations=(), template_stays=True)
    assert changed == ["patch deployments/warm-safe"]
    assert bench.stored()["spec"] | {"replicas": 3, "template": before} == bench.stored()["spec"]


async def test_another_of_the_same_name_is_not_changed() -> None:
    bench = Bench()
    await bench.tick()
    pool = bench.pool()
    bench.stored()["metadata"]["uid"] = "u2"
    bench.now += 60.0
    await bench.tick(replace(PLAN, wanted=3), pool)
    assert bench.stored()["spec"]["replicas"] == 2


GONE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "none is wanted": ({"wanted": 0}, {}),
    "the pool asks for none": ({"wanted": 0, "shape": None}, {"spec": None}),
}


@pytest.mark.parametrize("sentence", GONE)
async def test_they_go_when(sentence: str) -> None:
    bench = Bench()
    await bench.tick()
    plan, pool = GONE[sentence]
    bench.now += 60.0
    there = replace(bench.pool(), **pool)
    assert await bench.tick(replace(PLAN, **plan), there) == ["delete deployments/warm-safe"]
    assert await bench.tick(replace(PLAN, **plan), there) == [], "the cache shows them still"
    assert deployment_of("safe") not in bench.api.objects


async def test_where_there_are_none_none_is_deleted() -> None:
    assert await Bench().tick(replace(PLAN, wanted=0)) == []


LEFT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the pool is paused": ({"wanted": 5}, {"paused": True}),
    "it is not known what a node is like": ({"wanted": 5, "shape": None}, {}),
}


@pytest.mark.parametrize("sentence", LEFT)
async def test_they_are_left_alone_when(sentence: str) -> None:
    bench = Bench()
    await bench.tick()
    plan, pool = LEFT[sentence]
    bench.now += 60.0
    assert await bench.tick(replace(PLAN, **plan), replace(bench.pool(), **pool)) == []


async def test_they_are_left_alone_where_nothing_was_planned() -> None:
    bench = Bench()
    await bench.tick()
    bench.now += 60.0
    assert await bench.tick(None, bench.pool()) == []


async def test_what_was_not_written_yet_is_dropped_when_it_is_not_wanted_any_more() -> None:
    bench = Bench()
    shot = replace(snapshot(), warm=MappingProxyType({"safe": POOL}))
    for wanted, waiting in ((2, 1), (0, 0)):
        plans = {"safe": replace(PLAN, wanted=wanted)}
        bench.keeper.keep(Tick(snapshot=shot, plans={}, memory=Memory(), costs=None, warm=plans))
        assert len(bench.queue) == waiting


async def test_a_refusal_is_told_and_tried_again_later() -> None:
    bench = Bench()
    bench.api.fail_with = PermissionDeniedError(
        "create deployments.apps", verb="create", resource="deployments.apps"
    )
    assert await bench.tick() == []
    assert "deployments.apps" in bench.keeper.unwritten("safe")
    bench.api.fail_with = None
    bench.now += RETRY_SECONDS - 1
    assert await bench.tick() == []
    bench.now += 1
    assert await bench.tick() == ["create deployments/warm-safe"]
    assert bench.keeper.unwritten("safe") == ""


async def test_without_their_priority_class_none_is_made() -> None:
    bench = Bench()
    del bench.api.objects[CLASS]
    assert await bench.tick() == []
    assert "priorityclasses" in bench.keeper.unwritten("safe")


async def test_what_is_told_of_a_pool_goes_with_it() -> None:
    bench = Bench()
    bench.api.fail_with = UnreachableError("away")
    await bench.tick()
    await bench.tick(None)
    assert bench.keeper.unwritten("safe") == ""


async def test_without_the_switch_nothing_is_written_and_that_is_said() -> None:
    bench = Bench()
    off = WarmKeeper(bench.api, bench.queue, settings=None, monotonic=lambda: bench.now)
    shot = replace(snapshot(), warm=MappingProxyType({"safe": POOL}))
    off.keep(Tick(snapshot=shot, plans={}, memory=Memory(), costs=None, warm={"safe": PLAN}))
    assert len(bench.queue) == 0
    assert "warm.enabled" in off.unwritten("safe")


async def test_only_the_leader_writes() -> None:
    bench = Bench()
    bench.api.fenced = True
    await bench.tick()
    assert deployment_of("safe") not in bench.api.objects


async def test_a_fault_of_one_pool_is_no_other_ones() -> None:
    bench = Bench()
    other = replace(POOL, name="other")
    shot = replace(snapshot(), warm={"safe": None, "other": other})  # type: ignore[dict-item]
    plans = {"safe": PLAN, "other": replace(PLAN, pool="other")}
    bench.keeper.keep(Tick(snapshot=shot, plans={}, memory=Memory(), costs=None, warm=plans))
    assert len(bench.queue) == 1


# --- the objects ---


async def _made(**change: Any) -> dict[str, Any]:
    bench = Bench()
    await bench.tick(replace(PLAN, **change))
    return bench.stored()


async def test_one_holds_the_gpus_of_a_node_and_room_for_the_largest_replica() -> None:
    spec = (await _made())["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["resources"] == {
        "requests": {"nvidia.com/gpu": "4", "cpu": "7500m", "memory": str(2**34)},
        "limits": {"nvidia.com/gpu": "4"},
    }
    assert container["image"] == "pause:3.10"


async def test_it_gives_way_at_once_and_runs_where_the_pool_says() -> None:
    spec = (await _made())["spec"]["template"]["spec"]
    assert (spec["priorityClassName"], spec["terminationGracePeriodSeconds"]) == ("ico-warm", 0)
    assert spec["nodeSelector"] == {"karpenter.sh/capacity-type": "on-demand"}
    assert spec["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists"},
        {"key": "team", "operator": "Equal", "value": "ml", "effect": "NoSchedule"},
    ]


async def test_it_is_owned_by_its_priority_class_and_never_two_sets_of_nodes_are_asked_for() -> (
    None
):
    stored = await _made()
    (owner,) = stored["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("PriorityClass", "class-uid")
    assert stored["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0


async def test_images_are_loaded_by_containers_that_end_at_once() -> None:
    spec = (await _made(images=("a:1", "b:2")))["spec"]["template"]["spec"]
    assert [one["image"] for one in spec["initContainers"]] == ["a:1", "b:2"]
    assert "initContainers" not in (await _made())["spec"]["template"]["spec"]


async def test_no_container_may_do_anything() -> None:
    spec = (await _made(images=("a:1",)))["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    for one in (*spec["containers"], *spec["initContainers"]):
        assert one["securityContext"]["allowPrivilegeEscalation"] is False
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}


async def test_no_label_of_spot_is_good_enough() -> None:
    spec = (await _made())["spec"]["template"]["spec"]
    affinity = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = affinity["nodeSelectorTerms"]
    barred = {(e["key"], v) for e in term["matchExpressions"] for v in e["values"]}
    assert {e["operator"] for e in term["matchExpressions"]} == {"NotIn"}
    assert barred == set(SPOT_LABELS)


def test_the_labels_of_spot_are_those_that_nodes_are_told_by() -> None:
    told = {
        (key, value)
        for key, meaning in CAPACITY_TYPES
        for value, kind in meaning.items()
        if kind is CapacityType.SPOT
    }
    assert told == set(SPOT_LABELS)
    assert all(capacity_label({k: v}) == (k, CapacityType.SPOT) for k, v in SPOT_LABELS)


@pytest.mark.parametrize("pool", ["a", "b" * 63, "c" * 100, "team.with-dots." * 12])
def test_names_and_labels_of_any_pool_are_valid(pool: str) -> None:
    assert re.match(LABEL_VALUE, pool_label(pool))
    assert len(pool_label(pool)) <= LONGEST_LABEL
    assert re.match(DNS_SUBDOMAIN, placeholder_name(pool))


def test_long_names_that_begin_alike_are_told_apart() -> None:
    assert pool_label("x" * 64) != pool_label("x" * 65)
