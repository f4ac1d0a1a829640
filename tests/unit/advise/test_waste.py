"""What is called waste: amounts by hand, their order, and that nothing unknown becomes an amount."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.advise.waste import (
    FIX,
    Found,
    Piece,
    Waste,
    kept_by_minimum,
    not_computing,
    paid_for_late,
    ranked,
)

FOUR_OF_WHICH_TWO = {"desired": 4.0, "forecast": 50.0, "load_per_replica": 30.0}
shares = st.one_of(st.none(), st.floats(0, 1))
amounts = st.decimals(0, 1000, places=2)
pieces = st.builds(
    Piece,
    cost=amounts,
    serving=st.just(Decimal(0)),
    gpu_utilization=shares,
    minimum_limits_share=shares,
    desired=st.one_of(st.none(), st.floats(0, 50)),
    forecast=st.one_of(st.none(), st.floats(0, 1000)),
    load_per_replica=st.one_of(st.none(), st.floats(0, 100)),
    late_share=shares,
)


def piece(cost: str = "10", **known: float | None) -> Piece:
    return Piece(cost=Decimal(cost), serving=Decimal(cost), **known)  # type: ignore[arg-type]


MINIMUM: dict[str, tuple[Piece, str | None]] = {
    "two of four replicas all the time": (piece(minimum_limits_share=1.0, **FOUR_OF_WHICH_TWO), "5"),
    "half of the time": (piece(minimum_limits_share=0.5, **FOUR_OF_WHICH_TWO), "2.5"),
    "never": (piece(minimum_limits_share=0.0, **FOUR_OF_WHICH_TWO), "0"),
    "one replica is needed where nobody asks": (
        piece(minimum_limits_share=1.0, desired=2.0, forecast=0.0, load_per_replica=30.0), "5",
    ),
    "no less than is needed is ever kept": (
        piece(minimum_limits_share=1.0, desired=1.0, forecast=90.0, load_per_replica=30.0), "0",
    ),
    "a load that is a whole number of replicas needs no more": (
        piece(minimum_limits_share=1.0, desired=4.0, forecast=60.0, load_per_replica=30.0), "5",
    ),
    "what a replica carries is not known": (piece(minimum_limits_share=1.0, desired=4.0, forecast=5.0), "0"),
    "what limits is not recorded": (piece(**FOUR_OF_WHICH_TWO), None),
}  # fmt: skip


@pytest.mark.parametrize("sentence", MINIMUM)
def test_kept_by_the_minimum(sentence: str) -> None:
    given_, expected = MINIMUM[sentence]
    found = kept_by_minimum([given_])
    assert found == (None if expected is None else Decimal(expected))


def test_pieces_without_a_measure_are_not_counted_as_waste() -> None:
    known, unknown = piece("10", gpu_utilization=0.4, late_share=0.1), piece("1000")
    assert not_computing([known, unknown]) == Decimal(6)
    assert paid_for_late([known, unknown]) == Decimal(1)
    assert not_computing([unknown]) is None
    assert paid_for_late([unknown]) is None


def test_a_replica_that_carries_next_to_nothing_leaves_none_over() -> None:
    """The forecast ÷ its load is no number that a float can have."""
    piece = Piece(
        cost=Decimal(8),
        serving=Decimal(8),
        minimum_limits_share=1.0,
        desired=4.0,
        forecast=1.0,
        load_per_replica=2e-313,
    )
    assert kept_by_minimum([piece]) == 0


@given(st.lists(pieces))
def test_no_waste_is_more_than_was_paid(given_: list[Piece]) -> None:
    paid = sum((one.cost for one in given_), Decimal(0))
    for found in (kept_by_minimum(given_), paid_for_late(given_)):
        assert found is None or 0 <= found <= paid


@given(st.lists(st.tuples(st.sampled_from(list(Waste)), st.one_of(st.none(), amounts))))
def test_the_dearest_comes_first_and_what_has_no_price_last(
    given_: list[tuple[Waste, Decimal | None]],
) -> None:
    found = [Found(waste=waste, where="a", amount=amount, why="") for waste, amount in given_]
    known = [one.amount for one in ranked(found) if one.amount is not None]
    assert known == sorted((a for _, a in given_ if a), reverse=True)
    unknown = [one for one in ranked(found) if one.amount is None]
    assert list(ranked(found))[len(known) :] == unknown
    assert len(unknown) == sum(a is None for _, a in given_)


def test_each_kind_says_what_to_do() -> None:
    assert set(FIX) == set(Waste)
