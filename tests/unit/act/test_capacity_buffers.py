"""CapacityBuffers: written, changed and deleted with their template, in place of placeholders."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.act.placeholders import PlaceholderSettings
from inference_cost.act.warm import BUFFERS_OFF, SEEN_WITHIN_SECONDS
from inference_cost.api.placeholders import TEMPLATE_LABEL
from inference_cost.model.warm import Asked, WarmBy, WarmPool
from tests.unit.act.test_warm import PLAN, POOL, SETTINGS, SHAPE, Bench

BUFFERED = replace(SETTINGS, buffer_priority_class="ico-buffer")
assert POOL.spec is not None
ASKING = replace(POOL, spec=replace(POOL.spec, by=WarmBy.CAPACITY_BUFFER))
BUFFER = ("capacitybuffers", "inference-cost", "warm-safe")
TEMPLATE = ("podtemplates", "inference-cost", "warm-safe")
BOTH = ["create podtemplates/warm-safe", "create capacitybuffers/warm-safe"]


def bench(settings: PlaceholderSettings = BUFFERED) -> Bench:
    made = Bench(settings=settings)
    for name in ("ico-buffer", "ico-warm"):
        made.api.objects["priorityclasses", "", name] = {"metadata": {"name": name, "uid": name}}
    return made


def shown(on: Bench, **more: Any) -> WarmPool:
    """As the cluster cache shows what is stored."""
    stored = on.api.objects[BUFFER]
    stored["metadata"].setdefault("uid", "u1")
    on.api.objects[TEMPLATE]["metadata"].setdefault("uid", "t1")
    asked = Asked(
        name="warm-safe",
        uid="u1",
        replicas=stored["spec"]["replicas"],
        template=stored["metadata"]["labels"][TEMPLATE_LABEL],
        by=WarmBy.CAPACITY_BUFFER,
    )
    return replace(ASKING, asked=replace(asked, **more))


async def test_it_is_made_once_and_its_template_first() -> None:
    on = bench()
    assert await on.tick(pool=ASKING) == BOTH
    assert await on.tick(pool=ASKING) == [], "the cache does not show it yet"
    on.now += 60.0
    assert await on.tick(pool=shown(on)) == []


async def test_it_names_its_template_and_goes_with_the_priority_class_of_buffers() -> None:
    on = bench()
    await on.tick(pool=ASKING)
    buffer, template = on.api.objects[BUFFER], on.api.objects[TEMPLATE]
    assert buffer["apiVersion"] == "autoscaling.x-k8s.io/v1beta1"
    assert buffer["spec"] == {
        "provisioningStrategy": "buffer.x-k8s.io/active-capacity",
        "podTemplateRef": {"name": template["metadata"]["name"]},
        "replicas": 2,
    }
    for one in (buffer, template):
        assert [owner["uid"] for owner in one["metadata"]["ownerReferences"]] == ["ico-buffer"]
    spec = template["template"]["spec"]
    assert spec["priorityClassName"] == "ico-buffer"
    assert spec["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] == "4"


CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "another number leaves the template": ({"wanted": 3}, ["patch capacitybuffers/warm-safe"]),
    "other nodes change the template first": (
        {"shape": replace(SHAPE, gpus=8)},
        [
            "create podtemplates/warm-safe",  # refused: it is there
            "patch podtemplates/warm-safe",
            "patch capacitybuffers/warm-safe",
        ],
    ),
}


async def test_only_its_number_changes_while_its_template_stays() -> None:
    on = bench()
    await on.tick(pool=ASKING)
    on.now += 60.0
    less = replace(PLAN, shape=replace(SHAPE, gpus=1), template_stays=True)
    assert await on.tick(less, shown(on)) == []
    assert await on.tick(replace(less, wanted=3), shown(on)) == ["patch capacitybuffers/warm-safe"]
    spec = on.api.objects[TEMPLATE]["template"]["spec"]
    assert spec["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] == "4"
    assert on.api.objects[BUFFER]["spec"]["replicas"] == 3


@pytest.mark.parametrize("sentence", CHANGES)
async def test_it_is_changed_when_something_differs(sentence: str) -> None:
    on = bench()
    await on.tick(pool=ASKING)
    on.now += 60.0
    change, writes = CHANGES[sentence]
    assert await on.tick(replace(PLAN, **change), shown(on)) == writes
    on.now += 60.0
    assert await on.tick(replace(PLAN, **change), shown(on)) == []
    assert on.api.objects[BUFFER]["spec"]["replicas"] == change.get("wanted", 2)


async def test_a_template_that_somebody_deleted_is_written_anew() -> None:
    on = bench()
    await on.tick(pool=ASKING)
    there = shown(on, template="", refusal="PodTemplate not found")
    del on.api.objects[TEMPLATE]
    on.now += SEEN_WITHIN_SECONDS
    await on.tick(pool=there)
    assert TEMPLATE in on.api.objects


async def test_it_goes_after_its_template_which_nobody_would_look_for_without_it() -> None:
    on = bench()
    await on.tick(pool=ASKING)
    on.now += 60.0
    there = shown(on)
    assert await on.tick(replace(PLAN, wanted=0), there) == [
        "delete podtemplates/warm-safe",
        "delete capacitybuffers/warm-safe",
    ]
    assert await on.tick(replace(PLAN, wanted=0), there) == [], "the cache shows it still"


async def test_one_that_stayed_when_its_template_went_goes_at_the_next_look() -> None:
    on = bench()
    await on.tick(pool=ASKING)
    on.now += 60.0
    there = shown(on)
    del on.api.objects[TEMPLATE]
    assert await on.tick(replace(PLAN, wanted=0), there) == ["delete capacitybuffers/warm-safe"]


async def test_one_whose_pool_asks_for_nothing_any_more_goes() -> None:
    on = bench()
    await on.tick(pool=ASKING)
    on.now += 60.0
    await on.tick(replace(PLAN, wanted=0, shape=None), replace(shown(on), spec=None))
    assert BUFFER not in on.api.objects


async def test_what_the_other_strategy_made_goes() -> None:
    on = bench()
    await on.tick()
    former = on.pool().asked
    assert former is not None
    on.now += 60.0
    writes = await on.tick(pool=replace(ASKING, former=former))
    assert sorted(writes) == sorted(["delete deployments/warm-safe", *BOTH])


BARRED: dict[str, tuple[PlaceholderSettings, WarmPool, str]] = {
    "the chart does not allow it": (SETTINGS, ASKING, BUFFERS_OFF),
    "the cluster does not serve it": (
        BUFFERED, replace(ASKING, unserved="It is not installed."), "It is not installed.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BARRED)
async def test_nothing_is_written_and_why_is_told_where(sentence: str) -> None:
    settings, pool, words = BARRED[sentence]
    on = bench(settings)
    placeholders = Asked(name="warm-safe", uid="d1", replicas=2, template="t")
    assert await on.tick(pool=replace(pool, former=placeholders)) == []
    assert on.keeper.unwritten("safe") == words
    assert await on.tick(pool=POOL) == ["create deployments/warm-safe"], "what was told is over"
    assert on.keeper.unwritten("safe") == ""
