"""Decisions in a row: a domain goes, others take over at once, and it is asked again when some time has passed."""

from dataclasses import replace

import pytest

from inference_cost.decide.mix.cheapest import Risk
from inference_cost.decide.mix.losses import FIRST_AWAY_SECONDS
from inference_cost.decide.mix.place import DomainSeen, exposure_seconds, place

RISK = Risk(late_price=10.0, served_price_per_hour=1.0, exposure_seconds=70.0, start_seconds=180.0)
SPOT = DomainSeen(name="a", price_per_hour=0.4, can_be_lost=True, ready=0, starting=0)
DEARER = replace(SPOT, name="b", price_per_hour=0.5)
ON_DEMAND = DomainSeen(name="on-demand", price_per_hour=1.0, can_be_lost=False, ready=4, starting=0)
NOBODY = replace(ON_DEMAND, ready=0)


def test_four_replicas_with_a_good_prior_move_to_the_cheaper_spot_zone() -> None:
    first = place(4, [SPOT, DEARER, ON_DEMAND], RISK, (), 0.0)
    assert first.asked == (4, 0, 4)  # made before broken
    there = [replace(SPOT, ready=4), DEARER, ON_DEMAND]
    assert place(4, there, RISK, first.remembered, 200.0).asked == (4, 0, 0)


def test_a_loss_is_answered_at_once_from_outside_the_domain() -> None:
    on_spot = [replace(SPOT, ready=4), DEARER, NOBODY]
    placed = place(4, on_spot, RISK, (), 0.0)
    taken = [replace(SPOT, lost=4), DEARER, NOBODY]
    assert place(4, taken, RISK, placed.remembered, 15.0).asked == (0, 4, 0)


def test_where_every_zone_is_kept_away_from_it_is_on_demand() -> None:
    placed = place(4, [replace(SPOT, ready=4), NOBODY], RISK, (), 0.0)
    assert place(4, [replace(SPOT, lost=4), NOBODY], RISK, placed.remembered, 15.0).asked == (0, 4)


def test_a_zone_that_was_lost_is_asked_for_one_replica_before_it_gets_all() -> None:
    placed = place(4, [replace(SPOT, ready=4), NOBODY], RISK, (), 0.0)
    placed = place(4, [replace(SPOT, lost=4), NOBODY], RISK, placed.remembered, 15.0)
    back = 15.0 + FIRST_AWAY_SECONDS
    before = place(4, [SPOT, ON_DEMAND], RISK, placed.remembered, back - 1)
    assert before.asked == (0, 4)
    probe = place(4, [SPOT, ON_DEMAND], RISK, before.remembered, back)
    assert probe.asked == (1, 4)
    proven = place(4, [replace(SPOT, ready=1), ON_DEMAND], RISK, probe.remembered, back + 180)
    assert proven.asked == (4, 3)


def test_a_refused_probe_waits_longer_than_the_loss_before() -> None:
    placed = place(4, [replace(SPOT, lost=4), NOBODY], RISK, (), 0.0)
    probe = place(4, [SPOT, ON_DEMAND], RISK, placed.remembered, FIRST_AWAY_SECONDS)
    assert probe.asked == (1, 4)
    nothing = [replace(SPOT, refused=True), ON_DEMAND]
    refused = place(4, nothing, RISK, probe.remembered, FIRST_AWAY_SECONDS + 15)
    assert refused.asked == (0, 4)
    again = place(4, [SPOT, ON_DEMAND], RISK, refused.remembered, 2 * FIRST_AWAY_SECONDS + 15)
    assert again.asked == (0, 4)


def test_a_dear_late_request_keeps_a_risky_fleet_on_demand() -> None:
    dear = replace(RISK, late_price=1000.0)
    assert place(4, [SPOT, ON_DEMAND], dear, (), 0.0).asked == (0, 4)


def test_a_domain_that_was_not_there_before_starts_with_nothing_known() -> None:
    lost = place(2, [replace(SPOT, lost=2), NOBODY], RISK, (), 0.0)
    wider = place(2, [DEARER, SPOT, NOBODY], RISK, lost.remembered, 15.0)
    records = {one.name: one.record for one in wider.remembered}
    assert records["b"].away_until is None
    assert records["a"].away_until == FIRST_AWAY_SECONDS


def test_replicas_spread_over_zones_are_lost_a_zone_at_a_time() -> None:
    """What one zone holds is a third of them, and a loss of it makes fewer late."""
    dear = replace(RISK, late_price=100.0)
    one_zone = place(6, [SPOT, NOBODY], dear, (), 0.0)
    three = place(6, [replace(SPOT, parts=3), NOBODY], dear, (), 0.0)
    assert three.wanted[0] > one_zone.wanted[0]


def test_a_notice_longer_than_a_start_leaves_little_exposed() -> None:
    assert exposure_seconds(180.0, 120.0, 7.5) == 67.5
    assert exposure_seconds(60.0, 120.0, 7.5) == 10.0


CHEAP_NOW = replace(ON_DEMAND, name="on-demand", price_per_hour=0.3)


@pytest.mark.parametrize("grows", [False, True])
def test_a_price_that_goes_up_and_down_moves_a_fleet_only_as_often_as_it_pays_for_the_starts(
    grows: bool,
) -> None:
    """On demand for 0.35 and for 0.5 in turn, every five minutes; spot asks 0.4 all the time."""
    seen, remembered, moved = [replace(SPOT, ready=4), NOBODY], (), []
    for i in range(24):
        price = 0.5 if i % 2 else 0.35
        seen = [seen[0], replace(seen[1], price_per_hour=price)]
        placed = place(4 + i if grows else 4, seen, RISK, remembered, 300.0 * i)
        if any(n < one.ready for n, one in zip(placed.wanted, seen, strict=True)):
            moved.append(300.0 * i)
        remembered = placed.remembered
        seen = [replace(one, ready=n) for one, n in zip(seen, placed.wanted, strict=True)]
    assert 2 <= len(moved) <= 8, moved


def test_why_replicas_do_not_go_back_at_once_is_told() -> None:
    first = place(4, [replace(SPOT, ready=4), replace(CHEAP_NOW, ready=0)], RISK, (), 0.0)
    assert first.wanted == (0, 4)
    there = [SPOT, replace(ON_DEMAND, ready=4, price_per_hour=0.55)]
    soon = place(4, there, RISK, first.remembered, 300.0)
    assert (soon.wanted, soon.dwelling) == ((0, 4), True)
    later = place(4, there, RISK, soon.remembered, 4_000.0)
    assert (later.wanted, later.dwelling) == ((4, 0), False)


def test_what_is_lost_is_replaced_where_it_came_from_however_short_a_while_ago() -> None:
    first = place(4, [replace(SPOT, ready=4), replace(CHEAP_NOW, ready=0)], RISK, (), 0.0)
    gone = [SPOT, replace(CHEAP_NOW, ready=0)]
    assert sum(place(4, gone, RISK, first.remembered, 60.0).wanted) == 4
    back = place(4, [SPOT, replace(NOBODY, price_per_hour=0.7)], RISK, first.remembered, 60.0)
    assert back.wanted == (4, 0)


def test_leaving_a_zone_that_is_lost_is_no_move_for_the_sake_of_cost() -> None:
    placed = place(4, [replace(SPOT, ready=4), NOBODY], RISK, (), 0.0)
    lost = place(4, [replace(SPOT, ready=2, lost=2), NOBODY], RISK, placed.remembered, 15.0)
    assert [one.left_at for one in lost.remembered] == [None, None]
