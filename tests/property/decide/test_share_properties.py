"""Policies in any state that share pools with limits: the limit holds, nothing that serves goes for it, no surprise."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_cost.act.scale_orders import orders_of
from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.model.memory import Memory
from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import Mode, SpotRisk
from inference_cost.model.workload import Pool
from tests.unit.decide.joint.teams import Team, decided, limited, memory_of, orders, seen
from tests.unit.decide.worlds import NOON, key

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PRICE = 0.3  # of a replica on spot


@st.composite
def team(draw: st.DrawFn, name: str) -> Team:
    spot = draw(st.integers(0, 4))
    fields = {
        "mode": draw(st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.RECOMMEND])),
        "spot_risk": draw(st.sampled_from([SpotRisk.PRICED, SpotRisk.SURVIVE_LARGEST_ZONE])),
        "priority": draw(st.sampled_from([None, 0, 1, 1000])),
    }
    return Team(
        name=name,
        needs=draw(st.integers(1, 6)),
        spot=spot,
        safe=draw(st.integers(0, 4)),
        safe_most=draw(st.sampled_from([0, 2, 10])),
        starting=draw(st.integers(0, spot)),
        fields=fields,
    )


@st.composite
def teams(draw: st.DrawFn) -> list[Team]:
    return [draw(team(name)) for name in "abcdef"[: draw(st.integers(1, 6))]]


pools = st.one_of(
    st.builds(limited, nodes=st.integers(0, 12), others=st.sampled_from([0.0, 1.0, 2.5])),
    st.builds(limited, per_hour=st.sampled_from(["0", "0.59", "1.2", "3"])),
    st.builds(limited, nodes=st.integers(0, 12), per_hour=st.sampled_from(["1.2", "3"])),
)


def room(pool: Pool) -> float:
    """In replicas."""
    limits = pool.limits
    assert limits is not None
    nodes = [] if limits.nodes is None else [limits.nodes - pool.others.nodes]
    cost = (
        [] if limits.per_hour is None else [(float(limits.per_hour) - pool.others.per_hour) / PRICE]
    )
    return min([*nodes, *cost])


def acting(some: Sequence[Team]) -> list[Team]:
    return [one for one in some if dict(one.fields or {})["mode"] is Mode.ENFORCE]


@QUICK
@given(teams(), pools)
def test_nothing_is_ordered_beyond_a_limit(some: list[Team], pool: Pool) -> None:
    """What is there already counts as it is: nobody is thrown out."""
    asked = orders(decided(some, pool))
    there = sum(one.spot for one in some)
    ordered = sum(max(asked[one.name][0], one.spot) for one in acting(some))
    shown = sum(one.spot for one in some if one not in acting(some))
    assert ordered + shown <= max(room(pool), there) + 1e-6


@QUICK
@given(teams(), pools)
def test_a_limit_takes_no_replica_that_serves(some: list[Team], pool: Pool) -> None:
    free, bound = orders(decided(some, replace(pool, limits=None))), orders(decided(some, pool))
    for one in acting(some):
        serving = one.spot - one.starting + one.safe
        assert sum(bound[one.name]) >= min(serving, sum(free[one.name]), one.needs)


@QUICK
@given(teams(), pools)
def test_any_state_gives_sound_plans_and_words(some: list[Team], pool: Pool) -> None:
    shot = seen(some, pool)
    decisions = decide(shot, memory_of(some))
    assert decisions == decide(shot, memory_of(some))
    for observed in shot.observations:
        plan = decisions.plans[observed.policy.key]
        assert plan.limited_by is not LimitedBy.INTERNAL_ERROR, plan.reasons
        orders_of(shot, plan, observed)  # raises where a plan must not be written
        assert all(explain(plan, observed).lines)


@QUICK
@given(team("a"), st.integers(0, 12), st.sampled_from([0, 2, 10]))
def test_of_two_alike_the_one_of_higher_priority_does_not_lose(
    one: Team, nodes: int, safe_most: int
) -> None:
    alike = {"mode": Mode.ENFORCE, "spot_risk": SpotRisk.PRICED}
    low = replace(one, fields={**alike, "priority": 1}, safe_most=safe_most)
    high = replace(low, name="b", fields={**alike, "priority": 2})
    asked = orders(decided([low, high], limited(nodes)))
    assert sum(asked["b"]) >= sum(asked["a"])
    if sum(asked["b"]) == sum(asked["a"]):
        assert asked["b"][0] >= asked["a"][0]  # the cheaper place


@QUICK
@given(teams())
def test_limits_that_bind_nobody_change_nothing(some: list[Team]) -> None:
    free = decided(some, replace(limited(0), limits=None))
    bound = decided(some, limited(10_000, "100000"))
    assert bound.plans == free.plans
    assert bound.memory == free.memory


@QUICK
@given(teams(), st.integers(1, 10))
def test_it_comes_to_rest(some: list[Team], nodes: int) -> None:
    """What is ordered is there at the next look: after a few nothing moves, and the limit held all the time."""
    memory, rest = memory_of(some), 0
    pool = limited(nodes)
    before = {one.name: (one.spot, one.safe) for one in some}
    now = [replace(one, starting=0) for one in acting(some)]
    for look in range(14):
        at = NOON + 15.0 * look
        decisions = decide(seen(now, pool, at=at), memory)
        memory, asked = decisions.memory, orders(decisions)
        there = sum(one.spot for one in now)
        assert sum(asked[one.name][0] for one in now) <= max(nodes, there)
        rest = rest + 1 if all(asked[one.name] == before[one.name] for one in now) else 0
        before = asked
        now = [replace(one, spot=asked[one.name][0], safe=asked[one.name][1]) for one in now]
    assert rest >= 4


def test_a_policy_that_is_gone_is_forgotten() -> None:
    first = decided([Team(name="a", needs=4), Team(name="b", needs=4)], limited(4))
    again = decide(seen([Team(name="a", needs=4)], limited(4)), first.memory)
    assert set(again.memory.policies) == {key("a")}
    assert isinstance(again.memory, Memory)
