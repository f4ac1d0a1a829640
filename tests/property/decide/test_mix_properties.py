"""The cheapest mix against all mixes, and what changes it."""

from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.mix.cheapest import (
    Domain,
    Risk,
    cheapest,
    cost_per_hour,
    survivors,
)

domains = st.lists(
    st.builds(
        Domain,
        price_per_hour=st.floats(0.1, 3.0),
        losses_per_hour=st.sampled_from([0.0, 0.05, 0.3, 2.0]),
        parts=st.sampled_from([1, 1, 3]),
        held=st.integers(0, 4),
        lowest=st.integers(0, 1),
        highest=st.integers(1, 5),
        settled=st.integers(0, 4),
        unsettled_losses_per_hour=st.sampled_from([0.0, 2.0]),
    ),
    min_size=1,
    max_size=4,
)
risks = st.builds(
    Risk,
    late_price=st.floats(0.0, 100.0),
    served_price_per_hour=st.floats(0.1, 3.0),
    exposure_seconds=st.floats(1.0, 600.0),
    start_seconds=st.floats(1.0, 600.0),
)


def all_mixes(given: list[Domain], total: int) -> list[tuple[int, ...]]:
    ranges = [range(one.lowest, one.highest + 1) for one in given]
    return [mix for mix in product(*ranges) if sum(mix) == total]


@given(domains, risks, st.integers(0, 8))
def test_no_mix_of_as_many_replicas_is_cheaper(
    given: list[Domain], risk: Risk, needed: int
) -> None:
    found = cheapest(needed, given, risk)
    total = max(needed, sum(one.lowest for one in given))
    assert sum(found) == min(total, sum(one.highest for one in given))
    least = min(cost_per_hour(needed, mix, given, risk) for mix in all_mixes(given, sum(found)))
    assert cost_per_hour(needed, found, given, risk) <= least * (1 + 1e-9)


@given(domains, risks, st.integers(1, 8), st.integers(0, 3), st.floats(1.05, 5.0))
def test_a_dearer_domain_gets_no_more(
    given: list[Domain], risk: Risk, needed: int, which: int, times: float
) -> None:
    which %= len(given)
    dearer = list(given)
    dearer[which] = replace(given[which], price_per_hour=given[which].price_per_hour * times)
    assert cheapest(needed, dearer, risk)[which] <= cheapest(needed, given, risk)[which]


@given(domains, risks, st.integers(1, 8), st.floats(1.0, 50.0))
def test_dearer_late_requests_put_no_more_where_it_can_be_lost(
    given: list[Domain], risk: Risk, needed: int, times: float
) -> None:
    """Between one domain that can be lost and one that cannot."""
    safe = Domain(price_per_hour=1.0, highest=8)
    pair = [replace(given[0], losses_per_hour=0.3, highest=8), safe]
    dearer = replace(risk, late_price=risk.late_price * times)
    assert cheapest(needed, pair, dearer)[0] <= cheapest(needed, pair, risk)[0]


@given(domains, risks, st.integers(1, 6))
def test_the_largest_domain_may_go_where_survivors_are_asked_for(
    given: list[Domain], risk: Risk, needed: int
) -> None:
    """At no more than the price of as many that cannot be lost."""
    every = [*given, Domain(price_per_hour=2.0)]
    surviving = replace(risk, survivors=needed)
    found = cheapest(needed, every, surviving)
    assert survivors(every, found) >= needed
    safe = (*(one.lowest for one in given), needed)
    most = cost_per_hour(needed, safe, every, surviving)
    assert cost_per_hour(needed, found, every, surviving) <= most * (1 + 1e-9)
