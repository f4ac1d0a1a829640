"""What is learned of a domain that goes and comes back."""

import pytest

from inference_cost.decide.mix.losses import (
    FIRST_AWAY_SECONDS,
    HALF_LIFE_SECONDS,
    LONGEST_AWAY_SECONDS,
    NOTHING_KNOWN,
    PRIOR_HOURS,
    PRIOR_LOSSES,
    Happened,
    keeps_away,
    watched,
)
from inference_cost.model.placement import LossRecord

READY, LOST = Happened(ready=3, alive=3), Happened(ready=0, alive=3, lost=1.0)
REFUSED, EMPTY = Happened(ready=0, alive=0, refused=True), Happened(ready=0, alive=0)
HOUR = 3600.0


def after(*looks: tuple[float, Happened]) -> LossRecord:
    record = NOTHING_KNOWN
    for at, happened in looks:
        record = watched(record, happened, at)
    return record


def test_hours_with_replicas_make_a_loss_less_likely_and_a_loss_more_so() -> None:
    quiet = after(*((i * 60.0, READY) for i in range(8 * 60 + 1)))
    assert quiet.per_hour < 0.5 * PRIOR_LOSSES / PRIOR_HOURS
    assert watched(quiet, LOST, 8 * HOUR + 60).per_hour > 1.5 * quiet.per_hour


def test_hours_without_replicas_and_refusals_say_nothing_of_losses() -> None:
    record = after((0.0, EMPTY), (8 * HOUR, EMPTY), (8 * HOUR + 60, REFUSED))
    assert record.per_hour == PRIOR_LOSSES / PRIOR_HOURS


def test_what_is_known_fades_to_the_prior() -> None:
    record = after((0.0, LOST), (0.0, LOST))
    later = watched(record, EMPTY, HALF_LIFE_SECONDS)
    assert record.losses == PRIOR_LOSSES + 2
    assert later.losses == pytest.approx(PRIOR_LOSSES + 1)


@pytest.mark.parametrize("what", [LOST, REFUSED], ids=["lost", "refused"])
def test_the_time_away_doubles_up_to_two_hours(what: Happened) -> None:
    record, at, times = NOTHING_KNOWN, 0.0, []
    for _ in range(7):
        record = watched(record, what, at)
        assert keeps_away(record, at)
        assert record.away_until is not None
        times.append(record.away_until - at)
        at = record.away_until
        assert not keeps_away(record, at)
    assert times[:3] == [FIRST_AWAY_SECONDS, 2 * FIRST_AWAY_SECONDS, 4 * FIRST_AWAY_SECONDS]
    assert times[-1] == LONGEST_AWAY_SECONDS


def test_the_time_away_halves_with_each_long_spell() -> None:
    record = after((0.0, LOST), (600.0, LOST))
    longest = record.away_seconds
    looks = [(1800.0 + i * 60.0, READY) for i in range(200)]
    for at, happened in looks:
        record = watched(record, happened, at)
    assert longest == 4 * FIRST_AWAY_SECONDS
    assert record.away_seconds == FIRST_AWAY_SECONDS


def test_a_domain_is_proven_again_by_a_replica_that_is_ready() -> None:
    record = after((0.0, LOST))
    assert not record.proven
    assert not watched(record, EMPTY, 700.0).proven
    assert watched(record, READY, 700.0).proven


def test_replicas_that_are_left_do_not_say_that_more_are_to_be_had() -> None:
    record = after((0.0, Happened(ready=2, alive=2, refused=True)), (15.0, READY))
    assert keeps_away(record, 15.0)
    assert not record.proven
    assert watched(record, READY, FIRST_AWAY_SECONDS).proven


def test_a_clock_that_steps_back_counts_no_time_twice() -> None:
    minute = 60.0
    record = after((0.0, READY), (minute, READY), (0.0, READY), (minute, READY))
    assert record.hours == pytest.approx(PRIOR_HOURS + 1 / 60)


def test_what_nobody_looked_at_is_no_time_without_a_loss() -> None:
    """A weekend's outage of the operator would make every spot pool a safe one."""
    away_for_days = after((0.0, READY), (60 * HOUR, READY))
    assert away_for_days.hours <= PRIOR_HOURS + 0.1


def test_single_machines_count_for_their_share_and_keep_nobody_away() -> None:
    one_of_four = Happened(ready=3, alive=4, lost=0.25)
    record = after((0.0, one_of_four))
    assert record.losses == PRIOR_LOSSES + 0.25
    assert not keeps_away(record, 1.0)
    assert record.proven


def test_hours_count_for_each_zone_that_replicas_are_spread_over() -> None:
    spread = Happened(ready=4, alive=4, parts=2)
    assert after((0.0, spread), (60.0, spread)).hours == pytest.approx(PRIOR_HOURS + 2 / 60)


ONE_OF_FOUR = Happened(ready=3, alive=4, lost=0.25)
SINGLES: dict[str, tuple[list[float], bool]] = {
    "two of four machines that go within seconds are one event": ([0.0, 1.0], True),
    "as well within minutes": ([0.0, 170.0], True),
    "an hour apart they are two single ones": ([0.0, HOUR], False),
    "one alone is a single one": ([0.0], False),
}


@pytest.mark.parametrize("sentence", SINGLES)
def test_machines_that_go_one_after_the_other(sentence: str) -> None:
    times, away = SINGLES[sentence]
    record = after(*((at, ONE_OF_FOUR) for at in times))
    assert keeps_away(record, times[-1]) is away


def test_the_rest_of_one_event_does_not_double_the_time_away() -> None:
    record = after((0.0, ONE_OF_FOUR), (1.0, ONE_OF_FOUR), (2.0, ONE_OF_FOUR))
    assert record.away_until == 1.0 + FIRST_AWAY_SECONDS
