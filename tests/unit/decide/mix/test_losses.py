"""What is learned of a domain that goes and comes back."""

import pytest

from inference_cost.decide.mix.losses import (
    FIRST_AWAY_SECONDS,
    HALF_LIFE_SECONDS,
    LONGEST_AWAY_SECONDS,
    PRIOR_HOURS,
    PRIOR_LOSSES,
    Happened,
    LossRecord,
    keeps_away,
    watched,
)

READY, LOST = Happened(ready=3, alive=3), Happened(ready=0, alive=3, lost=True)
REFUSED, EMPTY = Happened(ready=0, alive=0, refused=True), Happened(ready=0, alive=0)
HOUR = 3600.0


def after(*looks: tuple[float, Happened]) -> LossRecord:
    record = LossRecord()
    for at, happened in looks:
        record = watched(record, happened, at)
    return record


def test_hours_with_replicas_make_a_loss_less_likely_and_a_loss_more_so() -> None:
    quiet = after(*((i * HOUR, READY) for i in range(9)))
    assert quiet.per_hour < 0.5 * PRIOR_LOSSES / PRIOR_HOURS
    assert watched(quiet, LOST, 9 * HOUR).per_hour > 1.5 * quiet.per_hour


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
    record, at, times = LossRecord(), 0.0, []
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
    record = after((0.0, READY), (HOUR, READY), (0.0, READY), (HOUR, READY))
    assert record.hours == pytest.approx(PRIOR_HOURS + 1)
