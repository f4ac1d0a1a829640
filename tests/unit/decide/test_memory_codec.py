"""Learned state as a dictionary and back."""

import json
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from inference_cost.decide.headroom.learned import new_vector, to_bytes
from inference_cost.decide.memory_codec import VERSION, decode, encode, restore
from inference_cost.decide.mix.losses import NOTHING_KNOWN
from inference_cost.decide.stretch import STRETCHES
from inference_cost.decide.warm.steps import ENDS
from inference_cost.model.memory import (
    Calibration,
    Compared,
    MixPart,
    PolicyMemory,
    ServiceTimeEstimate,
    SlowPod,
    SuspectedOutage,
    TakeOver,
)
from inference_cost.model.placement import (
    AtOnce,
    Closure,
    Loss,
    LossRecord,
    PlacedDomain,
    Placing,
    ZoneRecord,
)
from inference_cost.model.plan import Evenness, ProfileSource
from inference_cost.model.profile_key import ProfileKey
from inference_cost.model.reading import Missing
from inference_cost.model.warm import WarmRecord
from tests.unit.decide.worlds import ESTIMATE, NOON, learned, observation, plan_of

COMPARED = Compared(
    windows=12.0,
    requests=5000.0,
    observed=60.0,
    variance=90.0,
    predicted=tuple(10.0 * one for one in STRETCHES),
)
FULL = PolicyMemory(
    estimates=(
        ESTIMATE,
        replace(
            ESTIMATE,
            template_hash="v0",
            gpu_product="NVIDIA-L4",
            model_version="3",
            largest_load_seen=80.0,
            held_mix=(MixPart(model="resnet/3", per_second=40.0, seconds=0.012),),
            rejected_in_a_row=2,
            source="Checkpoint",
        ),
    ),
    headroom=to_bytes(new_vector()),
    looked_at=NOON,
    leaving_nodes=(("gpu-1", NOON - 60.0),),
    take_over=TakeOver(rule=5, replaced=7, at=NOON),
    calibration=Calibration(
        template_hash="v1",
        gpu_product="NVIDIA-L4",
        model_version="3",
        queue=COMPARED,
        late=replace(COMPARED, observed=1.0),
        bound_seconds=0.3,
        doubtful=1.5,
        estimate=1.1,
        factor=1.05,
        wrong_seconds=60.0,
        compared_at=NOON,
        disturbed_at=NOON - 60.0,
    ),
    evenness=Evenness(
        pods=3, effective=1.8, hottest="p1", hottest_fraction=0.7, idle=1, windows=3, looked_at=NOON
    ),
    needs=((NOON, 2),),
    wanted=((NOON, 3),),
    arrivals=((NOON, 120.0, 40.0),),
    gaps=((NOON, 118.5),),
    changes=((NOON, -1),),
    start_up_seconds=(61.5,),
    start_up_pools=("g6",),
    start_parts=(("g6", None, 12.0, 49.5),),
    attainment=((NOON, 990.0, 1000.0),),
    pods_seen_starting=("a", "b"),
    misses=3,
    last_miss_at=NOON,
    last_sampled_at=NOON,
    observed_at=NOON,
    observed_since=NOON - 60.0,
    last_desired=4,
    last_current=3,
    rollout_ended_at=NOON,
    quiet_at=NOON,
    quiet_since=NOON - 600.0,
    unseen_at=NOON - 120.0,
    unseen_since=NOON - 180.0,
    blind_at=NOON - 900.0,
    price_before_zero=1.2,
    outage=SuspectedOutage(
        began_at=NOON - 60.0,
        seen_at=NOON,
        before_per_second=200.0,
        spare_seconds=1740.0,
        over=True,
    ),
    slow_pods=(SlowPod(uid="u", name="p2", times=2.5, since=NOON - 60.0, seen_at=NOON),),
    placing=Placing(
        domains=(
            PlacedDomain(
                name="spot",
                asked=3,
                alive=2,
                record=LossRecord(
                    losses=1.5,
                    hours=30.0,
                    away_seconds=1200.0,
                    looked_at=NOON,
                    away_until=NOON + 600.0,
                    held_since=NOON - 60.0,
                    proven=False,
                ),
                price_per_hour=0.4,
                priced_at=NOON,
                offered_per_hour=0.38,
                can_be_lost=True,
                zones=2,
                taken=("gpu-7",),
                dear_per_hour=0.5,
                dear_at=NOON - 900.0,
                closed=Closure(since=1_763_800_000.0, until=NOON + 300.0, seconds=600.0),
                by_zone=(ZoneRecord(name="b", record=NOTHING_KNOWN),),
                at_once=AtOnce(
                    growth=0.5, losses=(Loss(domain="spot", zones=2, chance=0.02, part=0.25),)
                ),
            ),
        ),
        total=3,
        before=(3, 1),
        ordered=(4, 1),
        late_price=12.5,
    ),
    priority=1000,
    dear_per_hour=1.3,
    dear_at=NOON - 1200.0,
    warm=WarmRecord(
        recent=((NOON - 15.0, 1.5), (NOON, 2.0)),
        steps=tuple(float(i) for i in range(len(ENDS))),
        squares=12.0,
        looked_at=NOON,
        together=3.0,
        apart=9.0,
        starts=(20.0, 25.0),
        uses=(NOON - 60.0,),
    ),
)


def same(full: Any, empty: Any, name: str) -> list[str]:
    """Fields, also of what is inside, that are in `full` as in `empty`."""
    if not is_dataclass(full) or (empty is None):
        return [name] if full == empty else []
    pairs = [(getattr(full, f.name), getattr(empty, f.name), f.name) for f in fields(full)]
    return [f"{name}.{found}" for one in pairs for found in same(*one)]


def test_no_field_is_left_out_of_these_tests() -> None:
    assert not same(FULL, PolicyMemory(), "memory")
    estimate = FULL.estimates[1]
    assert not same(estimate, ServiceTimeEstimate(template_hash=""), "estimate")


def test_steps_in_other_classes_are_learned_anew() -> None:
    other = encode(replace(FULL, warm=replace(FULL.warm, steps=(1.0, 2.0))))
    restored = decode(other)
    assert restored is not None
    assert restored.warm == replace(FULL.warm, steps=(), squares=0.0)


@pytest.mark.parametrize("memory", [PolicyMemory(), FULL], ids=["empty", "full"])
def test_survives_json(memory: PolicyMemory) -> None:
    assert decode(json.loads(json.dumps(encode(memory)))) == memory


@pytest.mark.parametrize(
    "damage",
    [
        {"version": VERSION + 1},
        {"version": None},
        {"estimates": [{"template_hash": "v1"}]},
        {"estimates": "x"},
        {"headroom": "not base64!"},
        {"headroom": "bm90IHpsaWI="},
        {"changes": [[1.0]]},
        {"looked_at": "NaN"},
        {"needs": None},
        {"misses": "many"},
        {"take_over": {"rule": 5}},
        {"calibration": {"template_hash": "v1"}},
        {"calibration": "x"},
        {"evenness": {"pods": 2}},
        {"outage": {"began_at": 1.0}},
        {"slow_pods": [{"uid": "u"}]},
    ],
)
def test_what_cannot_be_read_is_dropped(damage: dict[str, object]) -> None:
    assert decode(encode(FULL) | damage) is None


def test_a_checkpoint_from_before_these_were_measured_is_read() -> None:
    old = encode(FULL)
    del (
        old["calibration"],
        old["evenness"],
        old["slow_pods"],
        old["start_up_pools"],
        old["take_over"],
    )
    new = {
        "calibration": Calibration(),
        "evenness": Evenness(),
        "slow_pods": (),
        "start_up_pools": (),
        "take_over": None,
    }
    assert decode(old) == replace(FULL, **new)  # type: ignore[arg-type]


def test_a_checkpoint_from_before_products_and_versions_were_told_is_read() -> None:
    old = json.loads(json.dumps(encode(FULL)))
    for kept in (*old["estimates"], old["calibration"]):
        del kept["gpu_product"], kept["model_version"]
    read = decode(old)
    assert read is not None
    assert [one.key for one in read.estimates] == [
        ProfileKey(template_hash="v1"),
        ProfileKey(template_hash="v0"),
    ]
    assert read.calibration.key == ProfileKey(template_hash="v1")
    assert read.estimates[1].largest_load_seen == FULL.estimates[1].largest_load_seen


def test_a_rule_of_another_version_is_forgotten() -> None:
    other = encode(FULL) | {"take_over": {"rule": 5, "replaced": 10_000, "at": NOON}}
    assert decode(other) == replace(FULL, take_over=None)


def test_sums_at_other_relative_loads_are_begun_anew() -> None:
    old = json.loads(json.dumps(encode(FULL)))
    old["calibration"]["queue"]["predicted"] = [1.0, 2.0]
    assert decode(old) == replace(FULL, calibration=replace(FULL.calibration, queue=Compared()))


def test_a_restored_profile_is_named_so_until_something_is_learned() -> None:
    restored = restore(encode(learned(needs=1)))
    assert restored is not None
    idle = observation(0.0, 2)
    plan = plan_of(idle, restored)
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.source is ProfileSource.CHECKPOINT
    busy = plan_of(observation(150.0, 2), restored)
    assert not isinstance(busy.profile, Missing)
    assert busy.profile.source is ProfileSource.COUNTERS
    assert restore({"version": 0}) is None


def test_fields_of_a_later_writer_are_ignored() -> None:
    assert decode(encode(FULL) | {"later": 1}) == FULL
