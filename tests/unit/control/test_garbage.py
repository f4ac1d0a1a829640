"""Garbage is collected in bigger lots than Python's own."""

import gc
from collections.abc import Iterator

import pytest

from inference_cost.control.garbage import NEW_VALUES, collect_seldom


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_new_values_are_looked_at_in_lots_and_old_ones_as_ever() -> None:
    gc.set_threshold(700, 11, 12)
    collect_seldom()
    assert gc.get_threshold() == (NEW_VALUES, 11, 12)
