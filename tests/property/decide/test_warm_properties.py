"""Warm nodes for all policies of a pool together: never dearer than for each by itself, and never out of bounds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inference_cost.decide.warm.shortfall import DRAWS, Lost, Surge, alone, shortfalls
from inference_cost.decide.warm.sizing import Bounds, cost, enough, shared_penalty
from inference_cost.decide.warm.steps import ENDS, Floats

ANY = Bounds(0, 1_000)

weights = st.lists(
    st.sampled_from([0.0, 0.0, 1.0, 10.0, 100.0]), min_size=len(ENDS), max_size=len(ENDS)
)
surges = st.builds(
    Surge,
    filled=st.floats(0.0, 20.0),
    size=st.integers(0, 25),
    most=st.integers(1, 60),
    steps=weights.map(tuple),
    nodes_each=st.sampled_from([0.25, 0.5, 1.0]),
    growth=st.sampled_from([0.0, 0.3, 1.0, 1.0]),
)
losses = st.builds(
    Lost,
    domain=st.sampled_from(["spot-a", "spot-b"]),
    zones=st.integers(1, 3),
    chance=st.sampled_from([0.0, 0.0005, 0.02, 0.2, 1.0]),
    replicas=st.integers(1, 5),
)
losing = st.builds(
    lambda one, lost: replace(one, lost=tuple(lost)), surges, st.lists(losses, max_size=2)
)
many_losing = st.lists(losing, min_size=1, max_size=8)
many = st.lists(surges, min_size=1, max_size=8)
prices = st.floats(0.1, 10.0)
penalties = st.floats(0.0, 500.0)
correlations = st.sampled_from([0.0, 0.1, 0.5, 1.0])


@given(many_losing, correlations, prices, penalties)
def test_together_never_costs_more_than_each_by_itself(
    given: list[Surge], correlation: float, price: float, penalty: float
) -> None:
    """Nodes, and the requests that are late all the same; whatever is shared, at one price of being late."""
    short = shortfalls(given, correlation)
    together = short.sum(axis=1)
    shared = cost(together, price, penalty, enough(together, price, penalty, ANY))
    each = [short[:, i] for i in range(len(given))]
    separate = sum(cost(one, price, penalty, enough(one, price, penalty, ANY)) for one in each)
    assert shared <= separate * (1 + 1e-9) + 1e-9


@given(many, prices, penalties)
def test_where_all_grow_at_once_sharing_saves_nothing_but_parts_of_nodes(
    given: list[Surge], price: float, penalty: float
) -> None:
    together = shortfalls(given, 1.0).sum(axis=1)
    nodes = enough(together, price, penalty, ANY)
    separate = sum(enough(alone(one), price, penalty, ANY) for one in given)
    assert nodes <= separate
    assert nodes >= separate - len(given)


GROWTH = st.floats(0.05, 0.6)  # deviation of the logarithm


def bell(deviation: float) -> tuple[float, ...]:
    """Steps as of a demand that grows and shrinks alike."""
    ends = np.asarray(ENDS)
    return tuple(float(one) for one in np.exp(-((ends / deviation) ** 2) / 2))


@given(st.lists(st.tuples(st.floats(1.0, 20.0), GROWTH), min_size=2, max_size=30), correlations)
@example([(1.0, 0.125), (3.0, 0.25)], 0.5)
def test_usual_services_together_need_no_more_than_each_by_itself(
    services: list[tuple[float, float]], correlation: float
) -> None:
    """At the odds at which warm nodes pay, but for what is rounded up to whole nodes in each.

    Of bursts that are rarer than that each by itself would keep none.
    """
    given = [
        Surge(filled=filled, size=int(filled) + 1, most=100, steps=bell(growth), nodes_each=1.0)
        for filled, growth in services
    ]
    together = enough(shortfalls(given, correlation).sum(axis=1), 1.0, 40.0, ANY)
    separate = sum(enough(alone(one), 1.0, 40.0, ANY) for one in given)
    assert together <= separate + len(given)


@given(st.integers(0, 2**31), prices, penalties, st.floats(1.0, 10.0))
def test_dearer_nodes_are_fewer_and_dearer_lateness_asks_for_more(
    seed: int, price: float, penalty: float, times: float
) -> None:
    short: Floats = np.random.default_rng(seed).exponential(5.0, DRAWS)
    nodes = enough(short, price, penalty, ANY)
    assert enough(short, price * times, penalty, ANY) <= nodes
    assert enough(short, price, penalty * times, ANY) >= nodes


@given(many_losing, correlations, penalties, st.integers(0, 5), st.integers(0, 20))
def test_within_bounds_whatever_comes(
    given: list[Surge], correlation: float, penalty: float, least: int, more: int
) -> None:
    short = shortfalls(given, correlation).sum(axis=1)
    assert least <= enough(short, 1.0, penalty, Bounds(least, least + more)) <= least + more


@given(many_losing, correlations)
def test_the_same_state_gives_the_same_draws(given: list[Surge], correlation: float) -> None:
    assert np.array_equal(shortfalls(given, correlation), shortfalls(list(given), correlation))


@given(surges, st.integers(0, 10))
def test_no_more_than_a_policy_may_have_and_less_with_more_replicas(
    surge: Surge, more: int
) -> None:
    short = alone(surge)
    assert float(short.max()) <= max(surge.most - surge.size, 0) * surge.nodes_each
    larger = replace(surge, size=surge.size + more)
    assert bool((alone(larger) <= short).all())


def test_who_is_short_more_often_counts_for_more() -> None:
    short = np.zeros((DRAWS, 2))
    short[:300, 0], short[:100, 1] = 1.0, 1.0
    assert shared_penalty([10.0, 50.0], short) == pytest.approx(20.0)
    assert shared_penalty([10.0, 50.0], np.zeros((DRAWS, 2))) == 0.0


@pytest.mark.parametrize(("penalty", "nodes"), [(1.0, 0), (9.9, 0), (10.1, 3), (1e9, 3)])
def test_the_rule_by_hand(penalty: float, nodes: int) -> None:
    """Three nodes short in a tenth of the time, at a price of 1 per node."""
    short = np.array([3.0] * (DRAWS // 10) + [0.0] * (DRAWS - DRAWS // 10))
    assert enough(short, 1.0, penalty, ANY) == nodes


def quiet(*lost: Lost) -> Surge:
    """Of a load that never grows."""
    return Surge(
        filled=3.0, size=4, most=9, steps=bell(1e-3), nodes_each=1.0, growth=0.0, lost=lost
    )


@given(losses)
def test_each_zone_is_lost_as_often_as_it_is_likely(one: Lost) -> None:
    short = alone(quiet(one))
    assert float(short.sum()) == one.replicas * one.zones * round(one.chance * DRAWS)
    assert set(np.unique(short)) <= {one.replicas * n for n in range(one.zones + 1)}


@given(losses, st.integers(2, 8), correlations)
def test_a_zone_is_lost_to_all_policies_there_at_once(
    one: Lost, policies: int, correlation: float
) -> None:
    short = shortfalls([quiet(one)] * policies, correlation)
    assert bool((short == short[:, :1]).all())


@given(losses, losses)
def test_of_two_pools_both_are_rarely_lost_at_once(one: Lost, other: Lost) -> None:
    a, b = replace(one, domain="spot-a"), replace(other, domain="spot-b")
    each = [alone(quiet(a)), alone(quiet(b))]
    both = [int((short > 0).sum()) for short in each]
    together = int((shortfalls([quiet(a), quiet(b)], 0.5).sum(axis=1) > 0).sum())
    assert max(both) <= together <= sum(both)


@given(losing)
def test_who_grows_elsewhere_is_short_of_what_it_loses_alone(one: Surge) -> None:
    elsewhere = replace(one, growth=0.0)
    assert bool((alone(elsewhere) <= alone(one)).all())
    assert not alone(replace(elsewhere, lost=())).any()


def test_what_covers_one_pool_covers_the_other() -> None:
    """Each is lost in a twentieth of the time, both in a four hundredth."""
    two = [quiet(Lost(domain=one, zones=1, chance=0.05, replicas=3)) for one in ("a", "b")]
    assert [enough(alone(one), 1.0, 30.0, ANY) for one in two] == [3, 3]
    assert enough(shortfalls(two, 0.0).sum(axis=1), 1.0, 30.0, ANY) == 3
