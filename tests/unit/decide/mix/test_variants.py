"""A policy with two variants: where its replicas run, and what moves them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.act.checkpoint_payload import Learned, pressing
from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.mix.losses import NOTHING_KNOWN
from inference_cost.decide.mix.variants import late_price
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import LatencyObjective, Mode, Pause, SpotRisk
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType, NoWorkload, TargetProblem
from tests.unit.decide.mix.two_variants import (
    ASKED_FOR,
    AWAY,
    BOTH,
    CRASHING,
    FULL_SAFE,
    FULL_SPOT,
    MADE_AGAIN,
    NO_PRICE,
    QUIET,
    REFUSED,
    SPOT,
    SPOT_POOL,
    TAKEN,
    THREE_ZONES,
    WAITING,
    World,
    orders,
    planned,
    ready,
    remembering,
    target,
    two,
    unseen,
    variants,
)
from tests.unit.decide.worlds import NOON, key

# Sentence: (world, memory) → orders of spot and safe.
PLACED: dict[str, tuple[World, PolicyMemory, tuple[int, int]]] = {
    "a fleet moves to the cheaper pool, made before broken": (FULL_SAFE, remembering(0, 4), (4, 4)),
    "what is no longer asked for is about to go, and stands in for nobody": (
        World(spot=(0, ready("spot", 2)), rate=0.0, of=two(variants(spot_most=1), fewest=2)),
        remembering(0, 0),
        (1, 1),
    ),
    "when all serve there, the dear ones go": (BOTH, remembering(4, 4, total=4), (4, 0)),
    "a fleet that is where it is cheapest stays": (FULL_SPOT, remembering(4, 0), (4, 0)),
    "a notice is answered at once from the other pool; what leaves is not counted, nor removed": (
        replace(FULL_SPOT, spot_node=TAKEN),
        remembering(4, 0),
        (4, 4),
    ),
    "what the Deployment makes again after a loss waits for no node there, and replaces nobody": (
        World(spot=(4, MADE_AGAIN), safe=(4, ready("safe", 4, ready=False, age=5.0)), rate=0.0),
        remembering(4, 4, record=AWAY, total=4),
        (0, 4),
    ),
    "an on-demand pool that has no node left is left for the other one, too": (
        World(
            safe=(4, [replace(one, name=f"safe-{i}") for i, one in enumerate(WAITING)]),
            rate=0.0,
            spot_node=replace(SPOT, capacity_type=CapacityType.ON_DEMAND),
            of=two(fewest=4),
            pools=(replace(SPOT_POOL, capacity_type=CapacityType.ON_DEMAND),),
        ),
        remembering(0, 4),
        (4, 0),
    ),
    "where nothing comes anywhere, what waits on demand goes on waiting": (
        World(
            spot=(1, WAITING[:1]),
            safe=(3, [replace(one, name=f"safe-{i}") for i, one in enumerate(WAITING[:3])]),
            rate=0.0,
            of=two(fewest=4),
        ),
        remembering(1, 3),
        (1, 3),
    ),
    "pods that crash in one place are asked of the other": (
        World(spot=(4, CRASHING), safe=(4, ready("safe", 4))),
        remembering(4, 4, total=4),
        (0, 4),
    ),
    "where losses are frequent spot does not pay": (
        FULL_SAFE,
        remembering(0, 4, record=replace(NOTHING_KNOWN, losses=20.0)),
        (0, 4),
    ),
    "what waits in vain for a node is asked of the other pool": (
        World(spot=(4, WAITING), safe=(1, ready("safe", 1)), rate=80.0, of=two(fewest=4)),
        remembering(4, 1, total=4),
        (0, 4),
    ),
    "what the cloud refused is asked of the other pool at once": (
        World(spot=(4, REFUSED), safe=(1, ready("safe", 1)), rate=80.0, of=two(fewest=4)),
        remembering(4, 1, total=4),
        (0, 4),
    ),
    "what has only just been asked for is waited for": (
        World(spot=(4, ASKED_FOR), safe=(1, ready("safe", 1)), rate=80.0, of=two(fewest=4)),
        remembering(4, 1, total=4),
        (4, 1),
    ),
    "without a price nothing moves, and the objective is kept in the order written": (
        World(
            safe=(2, ready("safe", 2)), spot_node=NO_PRICE, pools=(replace(SPOT_POOL, examples=()),)
        ),
        remembering(0, 2),
        (2, 2),
    ),
    "without a price fewer are needed: the last written go first": (
        World(
            spot=(2, ready("spot", 2)),
            safe=(4, ready("safe", 4)),
            spot_node=NO_PRICE,
            pools=(replace(SPOT_POOL, examples=()),),
        ),
        remembering(2, 4),
        (2, 2),
    ),
    "a floor stays on what cannot be lost": (
        replace(BOTH, of=two(min_on_demand_replicas=2)),
        remembering(4, 4, total=4),
        (2, 2),
    ),
    "a variant has no more of the traffic than it may": (
        replace(BOTH, of=two(variants(max_traffic_fraction=0.5))),
        remembering(4, 4, total=4),
        (2, 2),
    ),
    "half of the traffic of an odd number is rounded up": (
        World(
            spot=(3, ready("spot", 3)),
            safe=(3, ready("safe", 3)),
            rate=250.0,
            of=two(variants(max_traffic_fraction=0.5)),
        ),
        remembering(3, 3, total=3),
        (2, 1),
    ),
    "with a floor the rest still survives the largest zone where that is cheaper": (
        replace(
            World(spot=(4, ready("spot", 4)), safe=(4, ready("safe", 4)), rate=100.0),
            of=two(spot_risk=SpotRisk.SURVIVE_LARGEST_ZONE, min_on_demand_replicas=1),
        ),
        remembering(4, 4, total=2),
        (0, 2),
    ),
    "a rollout begins no move": (replace(FULL_SAFE, rolling_out=True), remembering(0, 4), (0, 4)),
    "a rollout in the middle of a move ends none": (
        replace(BOTH, rolling_out=True),
        remembering(4, 4, total=4),
        (4, 4),
    ),
    "all survive the loss of the largest zone where that is asked for": (
        replace(BOTH, of=two(spot_risk=SpotRisk.SURVIVE_LARGEST_ZONE)),
        remembering(4, 4, total=4),
        (0, 4),
    ),
    "an empty pool of three zones is bought from when its pods spread over them": (
        replace(
            FULL_SAFE,
            of=two(spot_risk=SpotRisk.SURVIVE_LARGEST_ZONE),
            pools=(THREE_ZONES,),
            spreads_over_zones=True,
        ),
        unseen(),
        (6, 4),
    ),
    "no more than maxReplicas are asked for to survive the loss of a zone": (
        replace(
            FULL_SAFE,
            of=two(spot_risk=SpotRisk.SURVIVE_LARGEST_ZONE, most=5),
            pools=(THREE_ZONES,),
            spreads_over_zones=True,
        ),
        unseen(),
        (3, 4),
    ),
    "where nothing spreads its pods, an empty pool of three zones may give all of them in one": (
        replace(FULL_SAFE, of=two(spot_risk=SpotRisk.SURVIVE_LARGEST_ZONE), pools=(THREE_ZONES,)),
        unseen(),
        (0, 4),
    ),
    "a pool of three zones that gave all in one once is not taken at its word again": (
        replace(
            FULL_SAFE,
            of=two(spot_risk=SpotRisk.SURVIVE_LARGEST_ZONE),
            pools=(THREE_ZONES,),
            spreads_over_zones=True,
        ),
        unseen(zones=1),
        (0, 4),
    ),
    "a pause with a number asks for that number, and moves nothing": (
        replace(FULL_SAFE, of=two(pause=Pause(source="policy", replicas=5))),
        remembering(0, 4),
        (1, 4),
    ),
    "a pause leaves all where it is": (
        replace(BOTH, of=two(pause=Pause(source="policy"))),
        remembering(4, 4, total=4),
        (4, 4),
    ),
}


@pytest.mark.parametrize("sentence", PLACED)
def test_placed(sentence: str) -> None:
    world, remembered, expected = PLACED[sentence]
    plan, _ = planned(world, remembered)
    assert plan.limited_by is not LimitedBy.INTERNAL_ERROR, plan.reasons
    assert orders(plan) == expected


def test_in_recommend_the_goal_is_told_and_not_the_way() -> None:
    """Nothing becomes ready there, so a move would never be over."""
    world = replace(FULL_SAFE, of=two(mode=Mode.RECOMMEND))
    plan, after = planned(world, remembering(0, 4))
    assert orders(plan) == (4, 0)
    assert not plan.write
    assert after.placing.ordered == ()  # nobody is on the way


def test_a_workload_that_is_gone_does_not_keep_the_other_from_serving() -> None:
    shot = replace(FULL_SPOT, spot=(0, ()), safe=(0, ()), rate=0.0, of=two(fewest=3)).seen()
    seen = shot.observations[0]
    gone = NoWorkload(
        target=target("spot"), problem=TargetProblem.NOT_FOUND, message="spot is gone"
    )
    shot = replace(shot, observations=(replace(seen, workloads=(gone, seen.workloads[1])),))
    plan = decide(shot, Memory(policies={key(): remembering(4, 0)})).plans[key()]
    assert [(one.variant, one.desired) for one in plan.variants] == [("safe", 3)]
    assert plan.write
    assert plan.reasons[0].code == "no-target"


def test_a_probe_that_does_not_come_either_is_a_refusal_of_its_own() -> None:
    """Twice as long away each time, and no replica is missing for ever."""
    past = replace(QUIET, away_until=NOON - 60.0, away_seconds=1200.0, proven=False)
    world = World(spot=(1, WAITING[:1]), safe=(3, ready("safe", 3)))
    plan, after = planned(world, remembering(1, 3, record=past))
    assert orders(plan) == (0, 4)
    record = after.placing.domains[0].record
    assert record.away_until == NOON + 1200.0
    assert record.away_seconds == 2400.0


def test_a_node_counts_once_also_when_its_pods_are_leaving_already() -> None:
    """A drain begins with the notice, or minutes after a mere recommendation."""
    drained = World(
        spot=(4, ready("spot", 4, terminating=True)),
        safe=(4, ready("safe", 4)),
        spot_node=TAKEN,
    )
    _, after = planned(drained, remembering(4, 4, total=4))
    first = after.placing.domains[0]
    assert first.record.losses > QUIET.losses + 0.9
    assert first.taken == ("spot",)
    again = decide(drained.seen(NOON + 3.0), Memory(policies={key(): after}))
    second = again.memory.policies[key()].placing.domains[0]
    assert second.record.losses <= first.record.losses


def test_a_move_is_stored_at_once() -> None:
    """A new leader that did not know of it would take the surplus for what is needed."""
    before = remembering(0, 4)
    _, moving = planned(FULL_SAFE, before)
    assert sum(moving.placing.ordered) > moving.placing.total
    assert pressing(Learned(memory=before), Learned(memory=moving))
    starting = replace(BOTH, spot=(4, ready("spot", 4, ready=False, age=10.0)))
    _, still = planned(starting, moving)
    assert not pressing(Learned(memory=moving), Learned(memory=still))


def test_what_a_hold_on_removals_leaves_is_remembered_as_ordered() -> None:
    """Else what was never taken away would look like a loss."""
    quiet = replace(FULL_SPOT, rate=60.0)
    remembered = remembering(4, 0)
    free, _ = planned(quiet, remembered)
    assert free.desired < 4
    shot = replace(quiet.seen(), upgraded_at=NOON - 10.0)
    held = decide(shot, Memory(policies={key(): remembered}))
    assert orders(held.plans[key()]) == (4, 0)
    placing = held.memory.policies[key()].placing
    assert (placing.ordered, placing.total) == ((4, 0), 4)


def test_the_end_of_a_move_is_no_removal() -> None:
    """Else the fleet guard would let ends of moves through and nothing else."""
    plan, _ = planned(BOTH, remembering(4, 4, total=4))
    assert (plan.current, plan.desired, plan.counted) == (8, 4, 4)


def test_a_poolref_without_a_pool_is_told() -> None:
    world = World(safe=(4, ready("safe", 4)), pools=())
    plan, _ = planned(world, remembering(0, 4))
    told = explain(plan, world.observed()).limited
    assert "Variant spot names CapacityPool spot, which is not there." in told


def test_a_floor_that_cannot_be_met_is_told() -> None:
    world = replace(FULL_SPOT, of=two(variants(safe_most=1), min_on_demand_replicas=3))
    plan, _ = planned(world, remembering(4, 0))
    told = explain(plan, world.observed()).limited
    assert "minOnDemandReplicas asks for 3, but what cannot be taken away has room for 1." in told


def test_the_price_where_replicas_landed_stands_until_the_pool_asks_another() -> None:
    """Else a fleet would leave a dear zone and come back for the cheapest one, for ever."""
    dear = remembering(0, 4)
    priced = replace(
        dear.placing.domains[0], price_per_hour=1.3, priced_at=NOON - 60.0, offered_per_hour=0.3
    )
    known = replace(dear.placing, domains=(priced, dear.placing.domains[1]))
    assert orders(planned(FULL_SAFE, replace(dear, placing=known))[0]) == (0, 4)
    cheaper = replace(priced, offered_per_hour=0.5)
    changed = replace(known, domains=(cheaper, dear.placing.domains[1]))
    assert orders(planned(FULL_SAFE, replace(dear, placing=changed))[0]) == (4, 4)


def test_while_metrics_are_missing_nothing_moves_and_what_leaves_is_replaced() -> None:
    gone = Missing(reason=MissingReason.SOURCE_UNREACHABLE)
    for world, expected in ((BOTH, (4, 4)), (replace(FULL_SPOT, spot_node=TAKEN), (4, 4))):
        shot = world.seen()
        blind = replace(shot, observations=(replace(shot.observations[0], signals=gone),))
        total = 4 if world is not BOTH else 8
        remembered = remembering(world.spot[0], world.safe[0], total=total)
        plans = decide(blind, Memory(policies={key(): remembered})).plans
        assert orders(plans[key()]) == expected


def test_a_move_is_no_change_of_the_number_of_replicas() -> None:
    """Else the user's step limits would count it."""
    _, after = planned(FULL_SAFE, replace(remembering(0, 4), last_current=4))
    assert after.placing.ordered == (4, 4)
    both = replace(BOTH, spot=(4, ready("spot", 4, ready=False, age=10.0)))
    plan, later = planned(both, after)
    assert orders(plan) == (4, 4)
    assert later.changes == ()
    assert later.last_current == 4


def test_after_a_loss_spot_is_kept_away_from_and_tried_again() -> None:
    plan, after = planned(replace(FULL_SPOT, spot_node=TAKEN), remembering(4, 0))
    spot = plan.variants[0]
    assert spot.away_until is not None
    assert spot.away_until > NOON
    safe = replace(FULL_SAFE, spot_node=SPOT)
    memory = Memory(
        policies={key(): replace(after, placing=replace(after.placing, ordered=(0, 4)))}
    )
    soon = decide(safe.seen(NOON + 15), memory).plans[key()]
    assert orders(soon) == (0, 4)


def test_variants_of_one_speed_are_one_kind() -> None:
    """They differ in where they run, which is no finding."""
    plan, _ = planned(BOTH, remembering(4, 4, total=4))
    assert "mixed-fleet" not in {reason.code for reason in plan.reasons}


def test_it_is_told_where_and_for_how_much() -> None:
    world = BOTH
    plan, _ = planned(world, remembering(4, 4, total=4))
    told = explain(plan, world.observed())
    assert "go down from 8 to 4 replicas (4 spot, 0 safe)" in told.chosen.lower()
    assert "All on what cannot be taken away would cost $3.5" in told.limited
    assert told.cost == "Cost: $1.20 per hour; one replica per hour is spot $0.30, safe $1.20."


def test_a_price_that_is_not_known_is_told_with_what_to_do() -> None:
    world = World(safe=(4, ready("safe", 4)), pools=())
    plan, _ = planned(world, remembering(0, 4))
    assert "set poolRef to a CapacityPool with offerings" in explain(plan, world.observed()).limited


def test_the_last_known_price_stands_for_a_week() -> None:
    world = World(safe=(4, ready("safe", 4)), pools=())
    before = remembering(0, 4)
    priced = replace(before.placing.domains[0], price_per_hour=0.3, priced_at=NOON - 86_400.0)
    known = replace(before.placing, domains=(priced, before.placing.domains[1]))
    assert orders(planned(world, replace(before, placing=known))[0]) == (4, 4)
    old = replace(priced, priced_at=NOON - 8 * 86_400.0)
    forgotten = replace(known, domains=(old, before.placing.domains[1]))
    assert orders(planned(world, replace(before, placing=forgotten))[0]) == (0, 4)


def test_a_dearer_spot_price_brings_the_fleet_back() -> None:
    dear = replace(SPOT.price, per_hour=Decimal("1.50"))
    world = replace(FULL_SPOT, spot_node=replace(SPOT, price=dear))
    plan, _ = planned(world, _with_price(remembering(4, 0), 1.20))
    assert orders(plan) == (4, 4)


def _with_price(memory: PolicyMemory, safe: float) -> PolicyMemory:
    spot, other = memory.placing.domains
    known = replace(other, price_per_hour=safe, priced_at=NOON - 60.0)
    return replace(memory, placing=replace(memory.placing, domains=(spot, known)))


LATE_PRICES: dict[str, tuple[float | None, float]] = {
    "the last that the headroom rules found, while they find none": (3.0, 3.0),
    "else the highest: 0.6 of what one late request in a hundred allows": (None, 60.0),
}


@pytest.mark.parametrize("sentence", LATE_PRICES)
def test_the_price_of_a_late_request(sentence: str) -> None:
    before, expected = LATE_PRICES[sentence]
    none = Missing(reason=MissingReason.NOT_LEARNED)
    objective = LatencyObjective(threshold_seconds=0.3, target_fraction=0.99)
    assert late_price(none, none, objective, before) == pytest.approx(expected)
