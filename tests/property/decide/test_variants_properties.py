"""Two variants in any state: bounds, nothing lost, no surprise, the same twice."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_cost.act.scale_orders import orders_of
from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.memory_codec import decode, encode
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import Snapshot
from inference_cost.model.placement import AtOnce, LossRecord, PlacedDomain, Placing
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import SpotRisk
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.warm import WarmPool, WarmSpec
from inference_cost.model.workload import Node, Pod
from tests.unit.decide.mix.two_variants import SPOT, World, remembering, two, variants
from tests.unit.decide.worlds import NOON, key, pod

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEWEST, MOST = 2, 12


@st.composite
def pods_of(draw: st.DrawFn, variant: str, node: str) -> tuple[int, Sequence[Pod]]:
    """Ready, starting, waiting for a node, crashing, and terminating ones; more or fewer than asked for."""
    kinds = draw(
        st.lists(st.sampled_from(["ready", "starting", "waiting", "crashing", "going"]), max_size=6)
    )
    made: dict[str, dict[str, Any]] = {
        "ready": {"node": node},
        "starting": {"node": node, "ready": False, "age": 20.0},
        "waiting": {"node": "", "ready": False, "age": 900.0, "unschedulable": True},
        "crashing": {"node": node, "ready": False, "waiting_reason": "CrashLoopBackOff"},
        "going": {"node": node, "terminating": True},
    }
    template = {"template_hash": f"{variant}-1"}
    pods = [pod(f"{variant}-{i}", **made[kind], **template) for i, kind in enumerate(kinds)]
    return draw(st.integers(0, 8)), pods


prices = st.sampled_from([Decimal("0.1"), Decimal("0.9"), Decimal("1.2"), Decimal(5)])


@st.composite
def spot_nodes(draw: st.DrawFn) -> Node:
    price = draw(st.one_of(st.none(), prices))
    unknown = Missing(reason=MissingReason.PRICE_UNKNOWN)
    leaves = draw(st.booleans())
    return replace(
        SPOT,
        price=unknown if price is None else replace(SPOT.price, per_hour=price),
        leaving="spot interruption" if leaves else "",
        reclaimed=leaves,
        ready=draw(st.booleans()),
    )


worlds = st.builds(
    World,
    spot=pods_of("spot", "spot"),
    safe=pods_of("safe", "on-demand"),
    rate=st.floats(0.0, 1500.0),
    of=st.builds(
        lambda floor, risk, share, most: two(
            variants(spot_most=most, max_traffic_fraction=share),
            fewest=FEWEST,
            most=MOST,
            min_on_demand_replicas=floor,
            spot_risk=risk,
        ),
        st.integers(0, 3),
        st.sampled_from(SpotRisk),
        st.sampled_from([0.3, 1.0]),
        st.integers(1, 10),
    ),
    spot_node=spot_nodes(),
)
records = st.builds(
    LossRecord,
    losses=st.floats(0.0, 50.0),
    hours=st.floats(4.0, 1000.0),
    away_seconds=st.floats(600.0, 7200.0),
    looked_at=st.one_of(st.none(), st.just(NOON - 15.0), st.just(NOON + 1e6)),
    away_until=st.one_of(st.none(), st.just(NOON - 1.0), st.just(NOON + 500.0)),
    held_since=st.one_of(st.none(), st.just(NOON - 9e4)),
    proven=st.booleans(),
)
memories = st.builds(
    lambda spot, safe, record, total: remembering(spot, safe, record=record, total=total),
    st.integers(0, 8),
    st.integers(0, 8),
    records,
    st.integers(0, 12),
)


def planned(shot: Snapshot, memory: PolicyMemory) -> tuple[Plan, PolicyMemory]:
    found = decide(shot, Memory(policies={key(): memory}))
    return found.plans[key()], found.memory.policies[key()]


@QUICK
@given(worlds, memories)
def test_any_state_gives_a_sound_plan_and_words(world: World, memory: PolicyMemory) -> None:
    shot = world.seen()
    plan, after = planned(shot, memory)
    assert plan.limited_by is not LimitedBy.INTERNAL_ERROR, plan.reasons
    orders_of(shot, plan, shot.observations[0])  # raises where a plan must not be written
    assert all(explain(plan, shot.observations[0]).lines)
    assert decode(encode(after)) == after


@QUICK
@given(worlds, memories)
def test_the_same_state_gives_the_same_plan(world: World, memory: PolicyMemory) -> None:
    assert planned(world.seen(), memory) == planned(world.seen(), memory)


@QUICK
@given(worlds, memories)
def test_without_metrics_no_ready_replica_goes(world: World, memory: PolicyMemory) -> None:
    shot = world.seen()
    gone = Missing(reason=MissingReason.SOURCE_UNREACHABLE)
    blind = replace(shot, observations=(replace(shot.observations[0], signals=gone),))
    plan, _ = planned(blind, memory)
    for wanted, workload in zip(plan.variants, (world.spot, world.safe), strict=True):
        asked, pods = workload
        serving = len([one for one in pods if one.ready])
        assert wanted.desired >= min(serving, asked)


@QUICK
@given(worlds, memories)
def test_there_is_never_less_in_all_than_is_decided_on(world: World, memory: PolicyMemory) -> None:
    """But where no variant has room, which is told."""
    plan, after = planned(world.seen(), memory)
    if plan.limited_by is not LimitedBy.CAPACITY:
        assert plan.desired >= after.placing.total


@QUICK
@given(worlds, memories)
def test_that_nodes_could_be_kept_changes_no_order(world: World, memory: PolicyMemory) -> None:
    """Until some are there; what would be asked for at once is remembered, and nothing else is new."""
    shot = world.seen()
    pools = {"g6": WarmPool(name="g6", spec=WarmSpec(least=0, most=5))}
    plan, after = planned(shot, memory)
    kept, more = planned(replace(shot, warm=pools), memory)
    assert kept == plan
    assert decode(encode(more)) == more
    plain = tuple(replace(one, at_once=AtOnce()) for one in more.placing.domains)
    assert replace(more.placing, domains=plain) == after.placing


def test_a_memory_of_other_variants_is_no_surprise() -> None:
    world = World(spot=(2, ()), safe=(1, ()))
    other = PlacedDomain(
        name="gone", asked=3, alive=3, record=LossRecord(losses=1, hours=4, away_seconds=600)
    )
    stale = replace(remembering(0, 0), placing=Placing(domains=(other,), total=3, ordered=(3,)))
    plan, after = planned(world.seen(), stale)
    assert plan.limited_by is not LimitedBy.INTERNAL_ERROR
    assert [one.name for one in after.placing.domains] == ["spot", "safe"]
