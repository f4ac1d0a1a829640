"""Placement over hours: it moves, is thrown back, returns, and does not run to and fro."""

from itertools import pairwise

from tests.unit.decide.closed_loop.two_pools import NEEDED, NOTICE, START, TICK, Look, play

MINUTE = 60.0


def changes(looks: list[Look]) -> int:
    return sum(a.asked != b.asked for a, b in pairwise(looks))


def dollars_per_hour(looks: list[Look]) -> float:
    """Of what is ready; on demand alone it is 4.8."""
    return sum(0.3 * one.ready[0] + 1.2 * one.ready[1] for one in looks) / len(looks)


def short_seconds(looks: list[Look]) -> float:
    return TICK * sum(sum(one.ready) < NEEDED for one in looks)


def test_it_moves_to_spot_once_and_stays() -> None:
    looks = list(play(lambda _: True, 3.0))
    assert looks[-1].ready == (NEEDED, 0)
    assert changes(looks) <= 5
    assert short_seconds(looks) == 0


def test_a_loss_is_made_up_for_within_a_start_and_spot_is_taken_up_again_when_it_is_back() -> None:
    lost, back = 60 * MINUTE, 80 * MINUTE
    looks = list(play(lambda t: not lost <= t < back, 4.0))
    away = [one for one in looks if lost + NOTICE + START + 2 * TICK < one.at < back]
    assert all(one.ready == (0, NEEDED) for one in away)
    assert short_seconds(looks) <= START - NOTICE + 2 * TICK
    assert looks[-1].ready == (NEEDED, 0)


def test_twice_within_ten_minutes() -> None:
    def available(t: float) -> bool:
        return not (60 * MINUTE <= t < 62 * MINUTE or 68 * MINUTE <= t < 70 * MINUTE)

    looks = list(play(available, 4.0))
    assert (
        short_seconds(looks) <= START - NOTICE + 2 * TICK
    )  # of the first: the second finds nobody there
    assert looks[-1].ready == (NEEDED, 0)


def test_spot_that_comes_and_goes_is_left_alone_for_longer_and_longer() -> None:
    """Ten minutes of each half hour: asked after every loss it would cost a loss each time."""
    looks = list(play(lambda t: t % (30 * MINUTE) < 10 * MINUTE, 8.0))
    assert short_seconds(looks) <= 0.03 * 8 * 3600
    assert dollars_per_hour(looks) <= 1.02 * 1.2 * NEEDED
    late = [one for one in looks if one.at > 5 * 3600]
    assert changes(late) <= 24


def test_spot_that_never_comes_costs_nothing() -> None:
    looks = list(play(lambda _: False, 6.0))
    assert short_seconds(looks) == 0
    assert all(one.ready == (0, NEEDED) for one in looks)
    probes = sum(b.asked[0] > a.asked[0] for a, b in pairwise(looks))
    assert 1 <= probes <= 10
