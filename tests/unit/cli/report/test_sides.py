"""Measured and potential savings apart; the same policies in the same time on both sides of each."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.cli.report.comparing import MEASURED, POTENTIAL
from inference_cost.cli.report.document import Totals
from inference_cost.cli.report.headline import headline
from inference_cost.cli.report.recorded import Compared, Recorded
from inference_cost.cli.report.sides import sides_by_piece, sides_of
from inference_cost.cli.report.window import Window
from tests.unit.cli.report.savings import (
    CENTS,
    MIXED,
    NOTHING_RECORDED,
    PIECES,
    compared,
    policies,
    recorded,
    worlds,
)


def test_what_was_saved_and_what_could_have_been_are_two_sums_of_other_policies() -> None:
    found = policies(MIXED)
    measured, potential = (sides_of(found, state, CENTS) for state in (MEASURED, POTENTIAL))
    assert measured is not None
    assert potential is not None
    assert measured.policies == ("serving/dearer", "serving/enforced")
    assert (measured.cost, measured.baseline_cost) == ("210.00", "200.00")
    assert (measured.saved, measured.percent) == ("-10.00", -5.0), "a loss stays one"
    assert potential.policies == ("serving/watching",)
    assert (potential.saved, potential.percent, potential.policy_hours) == ("30.00", 30.0, 48.0)


def test_a_policy_that_missed_its_objective_is_on_neither_side() -> None:
    alone = policies(recorded(late_Enforce=compared(1.0, 1000.0, 48.0, late=0.5)))
    assert sides_of(alone, MEASURED, CENTS) is None
    assert sides_by_piece(MIXED, alone, MEASURED, CENTS, PIECES) == [None] * PIECES


def told(found: Recorded) -> tuple[str, ...]:
    parts = policies(found)
    measured, potential = (sides_of(parts, state, CENTS) for state in (MEASURED, POTENTIAL))
    totals = Totals(
        cost="1234.50",
        policies="1234.50",
        unused="0.00",
        per_hour_now=None,
        measured=measured,
        potential=potential,
        not_comparable=(),
        requests=None,
        in_time_percent=None,
    )
    return headline(totals, "EUR", Window(begin=0.0, piece_seconds=43_200.0, pieces=PIECES))


MEASURED_TOLD = (
    "Measured: serving/dearer and serving/enforced cost 210.00 EUR where the baseline would have cost 200.00 at "
    "the same objective (100 % in time against 100 %), 10.00 EUR (5 %) more."
)
POTENTIAL_TOLD = (
    "Potential: serving/watching would have cost 70.00 EUR where the baseline would have cost 100.00 at the same "
    "objective (100 % in time against 100 %), 30.00 EUR (30 %) less, had decisions been followed."
)
HEADLINES: dict[str, tuple[Recorded, tuple[str, ...]]] = {
    "both, never in one number": (MIXED, (MEASURED_TOLD, POTENTIAL_TOLD)),
    "nothing is enforced": (recorded(watching_Recommend=compared(70.0, 100.0, 48.0)), (POTENTIAL_TOLD,)),
    "nothing is known": (NOTHING_RECORDED, (
        "What was saved is not known: see what is not in these figures.",
    )),
}  # fmt: skip


@pytest.mark.parametrize("sentence", HEADLINES)
def test_the_headline(sentence: str) -> None:
    found, others = HEADLINES[sentence]
    assert told(found) == ("1,234.50 EUR in 2 days", *others)


@given(worlds, st.sampled_from([MEASURED, POTENTIAL]))
def test_pieces_are_the_sums_of_the_same_policies_on_both_sides(
    found: dict[str, Compared], state: str
) -> None:
    world = recorded(**found)
    parts = policies(world)
    sides = sides_of(parts, state, CENTS)
    pieces = sides_by_piece(world, parts, state, CENTS, PIECES)
    if sides is None:
        assert pieces == [None] * PIECES
        return
    known = [one for one in pieces if one is not None]
    assert sum((Decimal(one.cost) for one in known), Decimal(0)) == Decimal(sides.cost)
    theirs = sum((Decimal(one.baseline_cost) for one in known), Decimal(0))
    assert theirs == Decimal(sides.baseline_cost)
    assert Decimal(sides.saved) == Decimal(sides.baseline_cost) - Decimal(sides.cost)
