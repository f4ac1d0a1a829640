"""From the record of a day to what is told: once, and again only on new evidence."""

from dataclasses import replace

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.room import room, take_over
from inference_cost.decide.headroom.learned import AGE, DEMAND, RULE, from_bytes, to_bytes, views
from inference_cost.decide.headroom.rules import RULES, Rule
from inference_cost.decide.headroom.takeover import A_DAY, average_rule
from inference_cost.model.memory import PolicyMemory, TakeOver
from inference_cost.model.plan import Plan
from inference_cost.model.policy import GpuSignal, Headroom, HeadroomMode, Policy
from inference_cost.model.reading import Missing
from tests.unit.decide.worlds import (
    NOON,
    OBJECTIVE,
    key,
    memory_of,
    observation,
    policy,
    priced_node,
    signals,
    snapshot,
    watched,
)

SIXTY = RULES.index(Rule(0, 0.6, 10))
AVERAGE = average_rule(1 - 0.99)


def with_a_day_of_record() -> PolicyMemory:
    """All rules cost 2 replicas for each that the demand fills, but a target of 60 %, which is followed, 1.5."""
    memory = watched([150.0] * 8)
    vector = from_bytes(memory.headroom)
    learned = views(vector)
    vector[AGE], vector[DEMAND], vector[RULE] = 2 * A_DAY, 150.0 * A_DAY, SIXTY
    learned.cost[:], learned.late[:] = 2 * vector[DEMAND] / 84.0, 0.0
    learned.cost[SIXTY] *= 0.75
    return replace(memory, headroom=to_bytes(vector))


def tick(memory: PolicyMemory, at: float, of: Policy | None = None) -> tuple[Plan, PolicyMemory]:
    seen = observation(seen=signals(150.0, 2, sampled_at=at), replicas=2, of=of)
    shot = replace(snapshot(seen, nodes={"node-1": priced_node()}), at=at)
    decided = decide(shot, memory_of(memory))
    return decided.plans[key()], decided.memory.policies[key()]


def test_a_clearly_cheaper_rule_is_told_once_and_explained_from_then_on() -> None:
    plan, memory = tick(with_a_day_of_record(), NOON)
    assert memory.take_over == TakeOver(rule=SIXTY, replaced=AVERAGE, at=NOON)
    told = take_over(plan)
    assert told.startswith(
        "A target of 60 % of what replicas carry, kept for 10 min, would have cost $"
    )
    assert told.endswith(
        "(what suits an average service) at the same SLO over 2 days of this load; following it."
    )
    later, remembered = tick(memory, NOON + 15.0)
    assert remembered.take_over == memory.take_over
    assert take_over(later) == ""
    assert "This would have cost $" in room(later, OBJECTIVE)


def test_what_is_told_is_the_difference_of_the_records() -> None:
    """A mean of 150/s fills 1.8 replicas of 84/s; half a replica less for each, at $1.20 an hour, is $26 a day."""
    plan, _ = tick(with_a_day_of_record(), NOON)
    assert not isinstance(plan.headroom, Missing)
    assert plan.headroom.replaced is not None
    saved = plan.headroom.replaced.saved * plan.headroom.filled_replicas
    assert abs(24 * 1.2 * saved - 25.7) < 1.0


def test_where_the_user_sets_the_rules_aside_none_is_told() -> None:
    fixed = policy(headroom=Headroom(mode=HeadroomMode.FIXED, replicas=1))
    following = policy(gpu_signal=GpuSignal(target_fraction=0.7))
    for of in (fixed, following):
        plan, memory = tick(with_a_day_of_record(), NOON, of)
        assert take_over(plan) == ""
        assert memory.take_over is None


def test_a_look_between_ticks_tells_nothing() -> None:
    plan, memory = tick(replace(with_a_day_of_record(), looked_at=NOON - 1.0), NOON)
    assert take_over(plan) == ""
    assert memory.take_over is None
