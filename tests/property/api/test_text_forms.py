"""Numbers as decimal strings: exact enough, always within the schema."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.api.fields import (
    DECIMAL_PATTERN,
    MESSAGE_LENGTH,
    PERCENT_PATTERN,
    decimal_text,
    money_text,
    percent_text,
    shorten,
)

AMOUNTS = st.decimals(0, 10**12 - 1, places=6)
FRACTIONS = st.floats(0.0, 1.0)


@given(AMOUNTS)
def test_money_is_within_half_of_its_last_place(amount: Decimal) -> None:
    text = money_text(amount)
    assert re.fullmatch(DECIMAL_PATTERN, text)
    assert abs(Decimal(text) - amount) <= Decimal("0.00005")
    assert re.search(r"\.\d\d", text)


@given(FRACTIONS)
def test_a_percentage_is_within_the_schema(fraction: float) -> None:
    text = percent_text(fraction)
    assert re.fullmatch(PERCENT_PATTERN, text)
    assert float(text) == pytest.approx(fraction * 100, abs=0.0051)


@given(st.floats(0.0, 1e9), st.integers(0, 6))
def test_a_rate_has_at_most_its_places(rate: float, places: int) -> None:
    text = decimal_text(rate, places=places)
    assert re.fullmatch(DECIMAL_PATTERN, text)
    assert len(text.partition(".")[2]) <= places
    assert not ("." in text and text.endswith("0"))


@given(st.floats().filter(lambda x: not x >= 0 or x == float("inf")))
def test_what_is_no_amount_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        decimal_text(value)


@given(st.text(max_size=3000))
def test_a_message_fits(message: str) -> None:
    short = shorten(message)
    assert len(short) <= MESSAGE_LENGTH
    assert short == message or short.endswith("…")
