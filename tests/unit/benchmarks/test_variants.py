"""Variants keep every request and the length, and change only when they come."""

import numpy as np
import pytest

from benchmarks.traces.variants import Variant, part, reversed_in_time, shifted, varied
from inference_cost.simulate.traffic import Traffic, from_times

HOURS = Traffic(width_seconds=3600.0, counts=np.arange(48.0))
MINUTES = Traffic(width_seconds=10.0, counts=np.arange(6.0))
SINGLE = from_times(np.array([0.5, 1.0, 11.0, 25.0, 41.0]), 10.0)


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("traffic", [HOURS, MINUTES, SINGLE])
def test_no_request_and_no_second_is_lost(traffic: Traffic, variant: Variant) -> None:
    changed = varied(traffic, variant)
    assert changed.seconds == traffic.seconds
    assert sorted(changed.counts) == sorted(traffic.counts)
    assert (changed.times is None) == (traffic.times is None)


@pytest.mark.parametrize("variant", Variant)
def test_times_and_counts_agree(variant: Variant) -> None:
    changed = varied(SINGLE, variant)
    assert changed.times is not None
    assert (np.diff(changed.times) >= 0).all()
    edges = np.arange(len(changed.counts) + 1) * changed.width_seconds
    assert np.histogram(changed.times, edges)[0].tolist() == changed.counts.tolist()


def test_days_are_shifted_by_seven_hours() -> None:
    assert shifted(HOURS).counts[:3].tolist() == [7.0, 8.0, 9.0]
    assert shifted(HOURS).counts[-1] == 6.0


def test_shorter_traces_are_shifted_by_a_third() -> None:
    assert shifted(MINUTES).counts.tolist() == [2.0, 3.0, 4.0, 5.0, 0.0, 1.0]


def test_reversed_ends_where_it_began() -> None:
    assert reversed_in_time(MINUTES).counts.tolist() == [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    times = reversed_in_time(SINGLE).times
    assert times is not None
    assert times.tolist() == pytest.approx([9.0, 25.0, 39.0, 49.0, 49.5])


def test_a_part_counts_from_its_first_second() -> None:
    assert part(MINUTES, 20.0, 50.0).counts.tolist() == [2.0, 3.0, 4.0]
    piece = part(SINGLE, 10.0, 40.0)
    assert piece.times is not None
    assert piece.times.tolist() == [1.0, 15.0]
    assert piece.counts.tolist() == [1.0, 1.0, 0.0]
