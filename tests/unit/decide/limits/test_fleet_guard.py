"""Limits on removals across policies."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from inference_cost.decide.engine import decide
from inference_cost.decide.limits.fleet_guard import removed_before
from inference_cost.model.memory import Decisions, FleetMemory, Memory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Action, LimitedBy
from inference_cost.model.policy import Mode, Pause
from inference_cost.model.signals import Signals
from tests.unit.decide.mix.two_variants import BOTH, orders, remembering
from tests.unit.decide.worlds import NOON, learned, observation, policy, snapshot


def world(policies: int, replicas: int, rate: float, **more: Any) -> list[PolicyObservation]:
    return [
        observation(rate, replicas, of=policy(f"m{i:02}", highest=30, **more))
        for i in range(policies)
    ]


def run(
    observations: list[PolicyObservation],
    fleet: FleetMemory | None = None,
    **more: Any,
) -> Decisions:
    memories = {o.policy.key: learned(needs=1) for o in observations}
    memory = Memory(policies=MappingProxyType(memories), fleet=fleet or FleetMemory())
    shot: Snapshot = snapshot(*observations, **more)
    return decide(shot, memory)


def removed(decisions: Decisions) -> int:
    return sum(p.current - p.desired for p in decisions.plans.values() if p.write)


def test_a_small_installation_is_not_limited() -> None:
    assert removed(run(world(9, 10, 50.0))) == 9 * 9
    assert removed(run(world(12, 4, 50.0))) == 12 * 3


def test_a_new_leader_knows_what_was_removed() -> None:
    changes = ((NOON - 900.0, -9), (NOON - 60.0, -7), (NOON - 30.0, 4))
    known = removed_before([learned(changes=changes), learned(changes=changes[1:2])])
    assert known.removals == ((NOON - 900.0, 9), (NOON - 60.0, 14))
    asking = world(10, 30, 1800.0)
    assert removed(run(asking)) == 30  # a tenth
    assert removed(run(asking, known)) == 10  # one for each; 16 were left for all


def test_many_asking_for_far_fewer_at_once_freezes_removals() -> None:
    decisions = run(world(12, 10, 50.0))
    assert removed(decisions) == 0
    assert decisions.memory.fleet.frozen_until == NOON + 120.0
    plan = next(iter(decisions.plans.values()))
    assert (plan.action, plan.limited_by) == (Action.HOLD, LimitedBy.FLEET_GUARD)


def test_a_freeze_ends_although_those_it_holds_go_on_asking() -> None:
    observations = world(12, 10, 50.0)
    memory = Memory(
        policies=MappingProxyType({o.policy.key: learned(needs=1) for o in observations})
    )
    gone = []
    for tick in range(16):
        at = NOON + 15.0 * tick
        shown = [replace(o, signals=_sampled_at(o, at)) for o in observations]
        decisions = decide(replace(snapshot(*shown), at=at), memory)
        memory = decisions.memory
        gone.append(removed(decisions))
    assert gone[:8] == [0] * 8  # two minutes
    assert gone[8] == 12  # then a tenth of all, as ever


def _sampled_at(seen: PolicyObservation, at: float) -> Signals:
    assert isinstance(seen.signals, Signals)
    return replace(seen.signals, sampled_at=at)


def test_a_few_asking_share_a_tenth_of_all_replicas() -> None:
    observations = [*world(9, 10, 800.0), *world(3, 10, 50.0)]
    observations = [
        replace(o, policy=replace(o.policy, key=replace(o.policy.key, uid=f"u{i}", name=f"n{i}")))
        for i, o in enumerate(observations)
    ]
    decisions = run(observations)
    assert removed(decisions) == 12
    assert decisions.memory.fleet.removals == ((NOON, 12),)


def test_each_policy_may_remove_one_per_period_even_when_the_budget_is_spent() -> None:
    observations = [*world(9, 10, 800.0), *world(3, 10, 50.0)]
    observations = [
        replace(o, policy=replace(o.policy, key=replace(o.policy.key, uid=f"u{i}", name=f"n{i}")))
        for i, o in enumerate(observations)
    ]
    decisions = run(observations, FleetMemory(removals=((NOON - 60.0, 12),)))
    assert removed(decisions) == 3


def test_a_spent_budget_returns_after_the_period() -> None:
    observations = [*world(9, 10, 800.0), *world(3, 10, 50.0)]
    observations = [
        replace(o, policy=replace(o.policy, key=replace(o.policy.key, uid=f"u{i}", name=f"n{i}")))
        for i, o in enumerate(observations)
    ]
    decisions = run(observations, FleetMemory(removals=((NOON - 700.0, 12),)))
    assert removed(decisions) == 12


def test_removals_stop_after_an_upgrade_and_additions_do_not() -> None:
    observations = [observation(50.0, 5, of=policy("in")), observation(180.0, 2, of=policy("out"))]
    decisions = run(observations, upgraded_at=NOON - 60.0)
    desired = {plan.policy.name: plan.desired for plan in decisions.plans.values()}
    assert desired == {"in": 5, "out": 3}
    later = run(observations, upgraded_at=NOON - 700.0)
    assert removed(later) > 0


def test_the_users_own_orders_are_not_limited() -> None:
    lowered = [
        replace(o, policy=replace(o.policy, variants=policy("x", highest=4).variants))
        for o in world(12, 10, 750.0)
    ]
    assert removed(run(lowered)) == 12 * 6
    paused = world(12, 10, 750.0, pause=Pause(source="policy", replicas=2))
    assert removed(run(paused)) == 12 * 8


def test_recommendations_are_not_limited() -> None:
    decisions = run(world(12, 10, 50.0, mode=Mode.RECOMMEND))
    assert all(plan.desired == 1 for plan in decisions.plans.values())


def test_the_end_of_a_move_takes_nothing_from_what_may_be_removed() -> None:
    """All are on both pools, four here and four there, and four are needed: the dear ones go at once."""
    worlds = [replace(BOTH, of=replace(BOTH.of, key=policy(f"m{i:02}").key)) for i in range(13)]
    seen = [one.seen() for one in worlds]
    shot = replace(seen[0], observations=tuple(one.observations[0] for one in seen))
    memories = {one.policy.key: remembering(4, 4, total=4) for one in shot.observations}
    decisions = decide(shot, Memory(policies=MappingProxyType(memories)))
    assert {orders(plan) for plan in decisions.plans.values()} == {(4, 0)}
    assert decisions.memory.fleet.removals == ()
