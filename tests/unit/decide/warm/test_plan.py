"""How many nodes a pool keeps ready, why, and who used them."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.decide.explain.warm_sentences import SENTENCES, warm_words
from inference_cost.decide.warm import plan as warm_plan
from inference_cost.model.policy import (
    DrainObjective,
    GpuSignal,
    Headroom,
    HeadroomMode,
    Mode,
)
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.warm import Holder, WarmBy, WarmMemory, WarmRecord, WarmSpec
from inference_cost.model.workload import CapacityType, PoolLimits
from tests.unit.decide.warm.warm_worlds import (
    BURSTY,
    HOUR,
    NODE,
    SAFE,
    STEADY,
    World,
    asked,
    codes,
    holder,
    record,
    wanted,
)
from tests.unit.decide.worlds import NOON, key, pod

TWO = World()
UNPRICED = replace(NODE, price=Missing(reason=MissingReason.PRICE_UNKNOWN))
NEW = record(tuple(one / 100 for one in BURSTY))
BUSY = replace(NODE, pods=1)
LEAST = WarmSpec(least=2, most=3)
SPOT = replace(NODE, capacity_type=CapacityType.SPOT)

SIZED: dict[str, tuple[World, int, str]] = {
    "two that burst share fewer than each would keep": (TWO, 4, "warm-sized"),
    "one alone keeps its room itself": (
        replace(TWO, records=(record(),)), 0, "warm-not-shared",
    ),
    "two that are steady need none": (
        replace(TWO, records=(record(STEADY),) * 2), 0, "warm-not-shared",
    ),
    "no more than the pool allows": (
        replace(TWO, spec=WarmSpec(least=0, most=3)), 3, "warm-max",
    ),
    "no fewer than the pool asks for": (
        replace(TWO, spec=WarmSpec(least=6, most=10)), 6, "warm-min",
    ),
    "the least where there is no policy": (
        replace(TWO, spec=LEAST, records=()), 2, "warm-no-policy",
    ),
    "the least while policies are new": (
        replace(TWO, spec=LEAST, records=(NEW, NEW)), 2, "warm-learning",
    ),
    "the least where no price is known": (
        replace(TWO, spec=LEAST, nodes=(UNPRICED,), declared=replace(SAFE, examples=())),
        2, "warm-no-price",
    ),
    "the least where no policy is enforced": (
        replace(TWO, spec=LEAST, policy={"mode": Mode.RECOMMEND}), 2, "warm-recommend",
    ),
    "none for requests that wait anyway": (
        replace(TWO, policy={"objective": DrainObjective(within_seconds=600.0)}),
        0, "warm-no-policy",
    ),
    "none for a policy that says itself how much room it keeps": (
        replace(TWO, policy={"headroom": Headroom(mode=HeadroomMode.FIXED, replicas=1)}),
        0, "warm-no-policy",
    ),
    "none for one that follows the GPUs": (
        replace(TWO, policy={"gpu_signal": GpuSignal(target_fraction=0.7)}), 0, "warm-no-policy",
    ),
    "no more than the pool's limit leaves": (
        replace(TWO, declared=replace(SAFE, limits=PoolLimits(nodes=3)), nodes=(BUSY,)),
        2, "warm-limit",
    ),
    "what is kept already does not count against it twice": (
        replace(
            TWO, declared=replace(SAFE, limits=PoolLimits(nodes=3)), nodes=(BUSY,),
            holders=(holder(0), holder(1)), asked=asked(2),
        ),
        2, "warm-limit",
    ),
    "no more than the limit on the cost leaves": (
        replace(TWO, declared=replace(SAFE, limits=PoolLimits(per_hour=Decimal(5))), nodes=(BUSY,)),
        3, "warm-limit",
    ),
    "none where replicas use all": (
        replace(TWO, declared=replace(SAFE, limits=PoolLimits(nodes=1)), nodes=(BUSY,)),
        0, "warm-limit",
    ),
    "never on spot": (
        replace(TWO, declared=replace(SAFE, capacity_type=CapacityType.SPOT)), 0, "warm-spot",
    ),
    "none where one of the nodes can be taken away": (
        replace(TWO, spec=LEAST, nodes=(NODE, replace(SPOT, name="s"))), 0, "warm-spot",
    ),
    "none where nothing tells what the nodes are": (
        replace(TWO, spec=LEAST, declared=replace(SAFE, capacity_type=None)),
        0, "warm-unknown-capacity",
    ),
    "none where no node tells how large one is": (
        replace(
            TWO, spec=LEAST, records=(), nodes=(), declared=replace(SAFE, examples=()),
        ),
        0, "warm-no-node",
    ),
    "what is asked for stays when the last node goes: it brings the next one": (
        replace(
            TWO, spec=LEAST, records=(), nodes=(), declared=replace(SAFE, examples=()), asked=asked(3),
        ),
        3, "warm-no-node",
    ),
    "what is not asked for any more goes": (
        replace(TWO, spec=None, asked=asked(3)), 0, "warm-not-asked",
    ),
    "a new leader begins with what is there": (
        replace(TWO, records=(record(STEADY),) * 2, asked=asked(5)), 5, "warm-held",
    ),
    "fewer at the least are fewer at once": (
        replace(
            TWO, spec=WarmSpec(least=1, most=5), records=(record(STEADY),) * 2,
            memory=World(spec=LEAST, records=(NEW,)).decided().memory.warm["safe"],
        ),
        1, "warm-learning",
    ),
    "what was wanted half an hour ago stays": (
        replace(
            TWO, records=(record(STEADY),) * 2, memory=WarmMemory(sizes=((NOON - 1700.0, 3),)),
        ),
        3, "warm-held",
    ),
    "and goes after it": (
        replace(
            TWO, records=(record(STEADY),) * 2, memory=WarmMemory(sizes=((NOON - 1900.0, 3),)),
        ),
        0, "warm-not-shared",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SIZED)
def test_how_many_and_why(sentence: str) -> None:
    world, nodes, code = SIZED[sentence]
    decisions = world.decided()
    assert decisions.warm["safe"].wanted == nodes
    assert code in codes(decisions)


@pytest.mark.parametrize("sentence", SIZED)
def test_every_reason_has_a_sentence(sentence: str) -> None:
    words = warm_words(SIZED[sentence][0].decided().warm["safe"])
    assert words.endswith(".")
    assert "{" not in words


def test_that_policies_rely_on_them_ends_no_warm_nodes() -> None:
    """What they keep themselves shrinks with the nodes: were it counted, both would come and go by turns."""
    sure = WarmMemory(wanted=4, cold_seconds=180.0, full_at=NOON, relied=True)
    free = tuple(holder(i) for i in range(4))
    relied = replace(TWO, holders=free, asked=asked(4), memory=sure).decided()
    assert relied.memory.warm["safe"].relied
    assert [reason.values for reason in relied.warm["safe"].reasons] == [
        reason.values for reason in TWO.decided().warm["safe"].reasons
    ]


def test_starts_that_are_no_faster_on_a_free_node_need_none() -> None:
    slow = record(starts=(180.0,) * 3)
    assert wanted(replace(TWO, records=(slow, slow))) == 0


def test_it_is_sized_once_a_minute() -> None:
    sized = WarmMemory(sizes=((NOON - 30.0, 1),), reasons=())
    assert wanted(replace(TWO, memory=sized)) == 1
    assert wanted(replace(TWO, memory=replace(sized, sizes=((NOON - 61.0, 1),)))) == 4


def test_one_is_asked_for_where_nodes_do_not_come() -> None:
    waiting = [
        Holder(uid=f"w{i}", node="", created_at=NOON - 600.0, ready_at=None) for i in range(3)
    ]
    decisions = replace(
        TWO, holders=(holder(0), *waiting), memory=WarmMemory(cold_seconds=180.0)
    ).decided()
    assert decisions.warm["safe"].wanted == 2
    assert "warm-scarce" in codes(decisions)
    soon = tuple(replace(one, created_at=NOON - 300.0) for one in waiting)
    assert (
        wanted(replace(TWO, holders=(holder(0), *soon), memory=WarmMemory(cold_seconds=180.0))) == 4
    )


FREE = WarmMemory(free={"free-0": NOON - 60.0, "free-1": NOON - 60.0})


def moved(pods: int = 0, **more: Any) -> World:
    """Of two free nodes one is left, and `pods` of policy a run on the other."""
    there = tuple(pod("new", node="free-1", age=5.0) for _ in range(pods))
    node = replace(NODE, name="free-1")
    fields: dict[str, Any] = {
        "holders": (holder(0),), "memory": FREE, "extra": there, "nodes": (NODE, node),
    }  # fmt: skip
    return replace(TWO, **(fields | more))


def test_a_replica_of_a_policy_on_a_node_that_was_free_is_a_use() -> None:
    decisions = moved(pods=1).decided()
    assert (decisions.warm["safe"].uses, decisions.warm["safe"].lost) == (1, 0)
    again = moved(pods=1, memory=decisions.memory.warm["safe"])
    assert again.decided().warm["safe"].uses == 0, "of this look: the world's policies forget"


def test_uses_are_forgotten_after_a_day() -> None:
    uses = (NOON - 90_000.0, NOON - 60.0)
    assert replace(TWO, records=(record(uses=uses), record())).decided().warm["safe"].uses == 1


def test_pods_of_no_policy_are_told_while_they_are_there() -> None:
    others = frozenset({"free-1"})
    decisions = moved(others=others).decided()
    assert (decisions.warm["safe"].uses, decisions.warm["safe"].lost) == (0, 1)
    known = decisions.memory.warm["safe"]
    assert moved(others=others, memory=known).decided().warm["safe"].lost == 1
    assert moved(memory=known).decided().warm["safe"].lost == 0


def test_others_on_nodes_that_never_were_free_are_none_of_ours() -> None:
    assert moved(others=frozenset({"gpu-0"})).decided().warm["safe"].lost == 0


IMAGES = {"images": ("triton:1", "model:1")}


def test_images_are_loaded_where_asked_for_and_no_secret_is_needed() -> None:
    asks = WarmSpec(least=1, most=2, pre_pull=True)
    plain = replace(TWO, spec=asks, running=IMAGES).decided().warm["safe"]
    assert plain.images == ("model:1", "triton:1")
    assert replace(TWO, running=IMAGES).decided().warm["safe"].images == ()
    private = replace(TWO, spec=asks, running=IMAGES | {"pull_secrets": True}).decided()
    assert private.warm["safe"].images == ()
    assert "model:1 and 1 more" in warm_words(private.warm["safe"])


def test_at_most_eight_images() -> None:
    asks = WarmSpec(least=1, most=2, pre_pull=True)
    many = {"images": tuple(f"i{n}" for n in range(9))}
    decisions = replace(TWO, spec=asks, running=many).decided()
    assert len(decisions.warm["safe"].images) == 8
    assert "warm-many-images" in codes(decisions)


BUFFER = replace(asked(2), by=WarmBy.CAPACITY_BUFFER)
TROUBLES: dict[str, tuple[World, str]] = {
    "a quota": (
        replace(TWO, asked=replace(asked(2), refusal="exceeded quota: gpus")), "exceeded quota",
    ),
    "what the autoscaler says of a buffer": (
        replace(TWO, asked=replace(BUFFER, taken_up=1, refusal="quota gpus")), "quota gpus",
    ),
    "a buffer that nobody has looked at": (
        replace(TWO, asked=BUFFER), "No autoscaler has looked",
    ),
    "an image that cannot be loaded": (
        replace(TWO, holders=(replace(holder(0, free_for=None), trouble="ErrImagePull"),)),
        "ErrImagePull",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", TROUBLES)
def test_what_keeps_placeholders_from_coming_up_is_told(sentence: str) -> None:
    world, words = TROUBLES[sentence]
    assert words in warm_words(world.decided().warm["safe"])


def test_a_node_is_free_although_an_image_cannot_be_loaded_there() -> None:
    stuck = replace(holder(0, free_for=None), trouble="ErrImagePull")
    assert replace(TWO, holders=(stuck,)).decided().warm["safe"].free == 1
    assert replace(TWO, holders=(holder(0, free_for=None),)).decided().warm["safe"].free == 0


def test_a_fault_leaves_the_placeholders_and_the_policies_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(warm_plan, "wish", broken)
    decisions = replace(TWO, asked=asked(3)).decided()
    found = decisions.warm["safe"]
    assert (found.wanted, found.shape) == (3, None)
    assert "ZeroDivisionError" in warm_words(found)
    assert decisions.plans[key("a")].desired == TWO.decided().plans[key("a")].desired


def test_pools_without_warm_nodes_cost_nothing() -> None:
    shot = replace(TWO.seen(), warm={})
    assert warm_plan.plan_warm(shot, {}, {}, {}) == ({}, {}, {})


def test_the_same_state_is_planned_alike() -> None:
    assert TWO.decided().warm == TWO.decided().warm


def test_every_sentence_can_be_said() -> None:
    said = {code for world, _, _ in SIZED.values() for code in codes(world.decided())}
    said |= {code for world, _ in TROUBLES.values() for code in codes(world.decided())}
    elsewhere = {"warm-scarce", "warm-secret-images", "warm-many-images", "warm-internal-error"}
    assert said | elsewhere | {"warm-variants"} == SENTENCES.keys()


Learn = Callable[[WarmRecord], WarmRecord]


def test_a_look_is_learned_from() -> None:
    before = record(recent=tuple((NOON - t, 0.9) for t in (200.0, 15.0)))
    after = replace(TWO, records=(before, record())).decided().memory.policies[key("a")].warm
    assert sum(after.steps) == pytest.approx(10 * HOUR + 15, rel=1e-4)
    assert after.apart > 0 or after.squares > 0
    assert after.looked_at == NOON
