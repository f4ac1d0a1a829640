"""How long an order takes until it serves: by the pool of the node, as seen of late."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.lead_time import (
    OF_LATE,
    POOLS_KEPT,
    START_UPS_KEPT,
    Starts,
    by_pool,
    kept,
    start_up_seconds,
    starts,
)
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.plan import PoolStarts
from tests.unit.decide.worlds import (
    NOON,
    learned,
    memory_of,
    observation,
    plan_of,
    pod,
    policy,
    priced_node,
    snapshot,
    workload,
)

PRIOR = 180.0
FAST, SLOW = ("warm", 60.0), ("spot", 300.0)


def memory(*seen: tuple[str, float]) -> PolicyMemory:
    pools, seconds = tuple(pool for pool, _ in seen), tuple(one for _, one in seen)
    return learned(needs=1, start_up_pools=pools, start_up_seconds=seconds)


@pytest.mark.parametrize(
    ("seen", "want"),
    [
        pytest.param([], PRIOR, id="nothing seen: as configured"),
        pytest.param([FAST] * 2, PRIOR, id="two starts prove nothing"),
        pytest.param([SLOW], 300.0, id="but for the worse"),
        pytest.param([FAST] * 3, 60.0, id="one pool"),
        pytest.param([FAST] * 20 + [SLOW], 300.0, id="the slowest pool, however rare"),
        pytest.param([SLOW] + [FAST] * 19, 300.0, id="while it is among the last twenty"),
        pytest.param([SLOW] + [FAST] * 20, 60.0, id="and no longer"),
        pytest.param(
            [SLOW, ("spot", 90.0)] + [FAST] * 19, 300.0, id="all that is known of it counts then"
        ),
        pytest.param([("", 200.0), FAST, FAST], 200.0, id="a pool that is not known is one too"),
    ],
)
def test_the_start_up_time(seen: list[tuple[str, float]], want: float) -> None:
    assert start_up_seconds(memory(*seen), PRIOR) == want


def test_median_and_95th_percentile_of_each_pool_the_slowest_first() -> None:
    seen = [("warm", 50.0 + i) for i in range(9)] + [("spot", 200.0), ("spot", 400.0)]
    assert by_pool(memory(*seen)) == (
        PoolStarts(pool="spot", count=2, p50_seconds=400.0, p95_seconds=400.0),
        PoolStarts(pool="warm", count=9, p50_seconds=54.0, p95_seconds=58.0),
    )


def test_what_an_earlier_version_remembered_is_of_no_known_pool() -> None:
    old = learned(needs=1, start_up_seconds=(70.0, 80.0, 90.0))
    assert starts(old) == (("", 70.0), ("", 80.0), ("", 90.0))
    newer = replace(old, start_up_pools=("warm",))
    assert starts(newer) == (("", 70.0), ("", 80.0), ("warm", 90.0))
    assert start_up_seconds(old, PRIOR) == 90.0


PAIRS = st.tuples(st.sampled_from("abcdefghijkl"), st.floats(0.0, 7200.0))


@given(st.lists(PAIRS, max_size=400))
def test_few_pools_and_few_starts_are_kept_the_newest(seen: list[tuple[str, float]]) -> None:
    found: Starts = kept(tuple(seen))
    pools = {pool for pool, _ in found}
    assert len(pools) <= POOLS_KEPT
    for pool in pools:
        of_it = [one for one in seen if one[0] == pool]
        assert [one for one in found if one[0] == pool] == of_it[-START_UPS_KEPT:]
    newest = list(dict.fromkeys(pool for pool, _ in reversed(seen)))[:POOLS_KEPT]
    assert pools == set(newest)


@given(st.lists(PAIRS, min_size=3, max_size=400))
def test_it_is_never_less_than_the_slowest_of_the_last_twenty(
    seen: list[tuple[str, float]],
) -> None:
    remembered = memory(*kept(tuple(seen)))
    newest = remembered.start_up_seconds[-OF_LATE:]
    assert start_up_seconds(remembered, PRIOR) >= max(newest)


def test_a_start_is_learned_with_the_pool_of_its_node() -> None:
    starting = observation(
        150.0, 2, running=workload(3, (pod("p0"), pod("p1"), pod("p2", ready=False, age=50.0)))
    )
    before = decide(snapshot(starting), memory_of(learned(needs=1))).memory
    ready = pod("p2", age=50.0, ready_at=NOON + 10.0)
    after = replace(starting, workloads=(workload(3, (pod("p0"), pod("p1"), ready)),))
    shot = replace(snapshot(after, nodes={"node-1": priced_node()}), at=NOON + 15.0)
    assert starts(decide(shot, before).memory.policies[policy().key]) == (("g6", 60.0),)


def test_it_is_told_in_one_line() -> None:
    seen = [("warm", 50.0), ("warm", 60.0), ("spot", 240.0), ("", 70.0), ("b", 30.0), ("c", 20.0)]
    told = explain(plan_of(observation(150.0, 2), memory(*seen)), observation(150.0, 2))
    assert told.starts == (
        "Starts: the only one in pool spot took 4 min; the only one took 70 s; half of the last 2 in pool warm within "
        "60 s, 95 % within 60 s; 2 more, faster."
    )
    assert told.starts in told.lines
    assert explain(plan_of(observation(150.0, 2)), observation(150.0, 2)).starts == ""
