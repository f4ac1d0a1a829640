"""Own writes: what the cache does not show yet, and who keeps undoing them."""

from inference_cost.act.expectations import Expectations

UID = "deployment-1"


def written(replicas: int = 5, previous: int = 3, at: float = 0.0) -> Expectations:
    expectations = Expectations()
    expectations.wrote(UID, replicas=replicas, previous=previous, at=at)
    return expectations


def test_a_write_is_pending_until_the_cache_shows_it() -> None:
    expectations = written()
    expectations.see(UID, 3, at=1)  # the cache is older than the write
    assert expectations.pending(UID, at=1) == 5
    expectations.see(UID, 5, at=2)
    assert expectations.pending(UID, at=2) is None


def test_a_write_that_is_never_seen_is_given_up_after_five_seconds() -> None:
    expectations = written()
    assert expectations.pending(UID, at=4.9) == 5
    assert expectations.pending(UID, at=5.0) is None
    assert not expectations.fought_over(UID, at=30.0)


def test_a_write_undone_before_the_watch_showed_it_is_found_out_by_reading() -> None:
    """The watch merges what follows within a tenth of a second: all it shows is the value of before."""
    expectations = Expectations()
    for at in (0.0, 6.0, 12.0):
        expectations.wrote(UID, replicas=5, previous=3, at=at)
        expectations.see(UID, 3, at=at + 1)
        assert expectations.pending(UID, at=at + 5.5) is None
        expectations.see_live(UID, 3, at=at + 5.5)
    assert expectations.fought_over(UID, at=18.0)


def test_the_echo_of_a_write_may_come_before_its_answer() -> None:
    expectations = written(replicas=5, previous=3)
    expectations.see(UID, 5, at=1)
    with expectations.writing(UID, 7):
        expectations.see(UID, 7, at=2)
        expectations.wrote(UID, replicas=7, previous=5, at=2)
    assert expectations.take_reverted() == set()
    expectations.see(UID, 7, at=3)
    assert expectations.pending(UID, at=3) is None


def test_another_number_while_a_write_is_under_way_is_a_revert() -> None:
    expectations = written(replicas=5, previous=3)
    expectations.see(UID, 5, at=1)
    with expectations.writing(UID, 7):
        expectations.see(UID, 2, at=2)
    assert expectations.take_reverted() == {UID}


def undo(expectations: Expectations, at: float, *, replicas: int = 3) -> None:
    expectations.wrote(UID, replicas=5, previous=replicas, at=at)
    expectations.see(UID, 5, at=at + 1)
    expectations.see(UID, replicas, at=at + 2)


def test_three_reverts_within_ten_minutes_are_a_fight() -> None:
    expectations = Expectations()
    undo(expectations, 0)
    undo(expectations, 100)
    assert not expectations.fought_over(UID, at=102)
    undo(expectations, 200)
    assert expectations.fought_over(UID, at=202)


def test_a_fight_is_over_when_nothing_was_reverted_for_long_enough() -> None:
    expectations = Expectations()
    for at in (0, 100, 200):
        undo(expectations, at)
    assert expectations.fought_over(UID, at=601)
    assert not expectations.fought_over(UID, at=602)


def test_one_revert_is_counted_once_however_often_it_is_seen() -> None:
    expectations = Expectations()
    undo(expectations, 0)
    for at in range(3, 20):
        expectations.see(UID, 3, at=at)
    assert not expectations.fought_over(UID, at=20)


def test_a_revert_between_two_looks_is_found_by_reading_afresh() -> None:
    expectations = Expectations()
    for at in (0, 50, 100):
        expectations.wrote(UID, replicas=5, previous=3, at=at)
        expectations.see_live(UID, 3, at=at + 40)
    assert expectations.fought_over(UID, at=141)


def test_a_third_value_is_a_revert_even_before_ours_was_seen() -> None:
    expectations = written(replicas=5, previous=3)
    expectations.see(UID, 8, at=1)
    assert expectations.pending(UID, at=1) is None
    assert expectations.take_reverted() == {UID}
    assert expectations.take_reverted() == set()


def test_a_target_that_we_never_wrote_is_never_reverted() -> None:
    expectations = Expectations()
    expectations.see(UID, 3, at=0)
    expectations.see(UID, 7, at=1)
    expectations.see_live(UID, 2, at=2)
    assert expectations.take_reverted() == set()


def test_targets_that_are_gone_are_forgotten() -> None:
    expectations = written()
    expectations.keep_only(set())
    assert expectations.pending(UID, at=1) is None
