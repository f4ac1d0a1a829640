"""Float noise does not cost a replica; what is really a fraction does."""

import pytest

from inference_cost.simulate.baselines.rounding import whole_down, whole_up

UP = {
    "a whole quotient that floats put above": ((0.1 + 0.2) / 0.1, 3),
    "a thousandth more": (3.001, 4),
    "a whole number": (3.0, 3),
}
DOWN = {
    "a whole quotient that floats put below": (0.3 / 0.1, 3),
    "a thousandth less": (2.999, 2),
    "a whole number": (3.0, 3),
}


@pytest.mark.parametrize(("quotient", "expected"), UP.values(), ids=UP)
def test_up(quotient: float, expected: int) -> None:
    assert whole_up(quotient) == expected


@pytest.mark.parametrize(("quotient", "expected"), DOWN.values(), ids=DOWN)
def test_down(quotient: float, expected: int) -> None:
    assert whole_down(quotient) == expected
