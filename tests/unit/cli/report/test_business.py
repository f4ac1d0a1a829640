"""No return, payback or month from what is too little to tell; and by hand where there is enough."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.advise.month import LEAST_HOURS
from inference_cost.advise.returns import Investment
from inference_cost.advise.sensitivity import Circumstances
from inference_cost.cli.report.business_document import BasisPart
from inference_cost.cli.report.comparing import MEASURED, POTENTIAL
from inference_cost.cli.report.recorded import Compared
from inference_cost.cli.report.returning import Inputs, ownership_part, returns_part
from tests.unit.cli.report.savings import CENTS, MIXED, compared, policies, recorded, worlds

INPUTS = Inputs(
    investment=Investment(implementation=Decimal(6000), running_per_month=Decimal(200)),
    implementation_given=True,
    given={"staff": Decimal(3000), "operator": Decimal(200)},
    worst=Circumstances(
        traffic=Decimal("0.7"), efficacy=Decimal("0.5"), model_changes_per_year=Decimal(24)
    ),
    best=Circumstances(traffic=Decimal("1.3"), efficacy=Decimal("1.1")),
)


given_inputs = st.builds(
    Inputs,
    investment=st.builds(
        Investment,
        implementation=st.decimals(0, 10**15 - 1, places=6),
        running_per_month=st.decimals(0, 10**15 - 1, places=6),
        months=st.integers(1, 600),
        discount_per_year=st.decimals(0, 10, places=4),
    ),
    implementation_given=st.booleans(),
    given=st.dictionaries(
        st.sampled_from(["storage", "energy", "operator"]), st.decimals(0, 10**9, places=2)
    ),
    worst=st.builds(Circumstances, traffic=st.decimals(0, 2, places=2)),
    best=st.builds(Circumstances, efficacy=st.decimals(0, 2, places=2)),
)


@given(worlds, given_inputs, st.floats(0, 1e5), st.decimals(0, 10**6, places=4))
def test_no_window_is_too_short_and_below_a_day_there_is_no_number(
    found: dict[str, Compared], inputs: Inputs, hours: float, cost: Decimal
) -> None:
    parts = policies(recorded(**found))
    returns = returns_part(parts, inputs, CENTS)
    for state, basis in ((MEASURED, returns.measured), (POTENTIAL, returns.potential)):
        known = {
            f"{one.namespace}/{one.name}": part.hours
            for one in parts
            for part in one.savings
            if part.state == state and part.amount is not None
        }
        assert (basis is None) == (not known)
        if basis is not None:
            _holds(basis, known)
    owned = ownership_part(cost, hours, parts, inputs, CENTS)
    enough = hours >= LEAST_HOURS
    assert (owned.per_month is not None) == enough
    assert (owned.nodes_why_not == "") == enough
    if owned.per_month is not None:
        assert Decimal(owned.lowest_per_month or -1) <= Decimal(owned.highest_per_month or -1)


def _holds(basis: BasisPart, hours: dict[str, float]) -> None:
    enough = {name for name, counted in hours.items() if counted >= LEAST_HOURS}
    assert set(basis.policies) == enough
    assert {one.rpartition(" ")[0].rpartition(" ")[0] for one in basis.too_early} == set(
        hours
    ) - enough
    if not enough:
        assert basis.saved_per_month is None
        assert basis.cases == ()
        assert basis.why_not.startswith("too early: 24 h are needed, and counted are, of ")
    if basis.cases:
        saved = [Decimal(one.saved_per_month) for one in basis.cases]
        worst, _, best = saved
        assert worst <= best


def test_a_return_on_seconds_of_data_is_refused_and_says_what_it_needs() -> None:
    """0.00004 h round to none, by which nothing can be divided."""
    found = policies(recorded(new_Enforce=compared(1.0, 100.0, 0.00004)))
    measured = returns_part(found, INPUTS, CENTS).measured
    assert measured is not None
    assert (measured.saved_per_month, measured.cases) == (None, ())
    assert measured.why_not == "too early: 24 h are needed, and counted are, of serving/new 0 h"


def test_measured_and_potential_returns_are_apart_and_what_is_too_early_is_named() -> None:
    world = recorded(
        old_Enforce=compared(48.0, 96.0, 48.0),
        new_Enforce=compared(0.0, 900.0, 3.0),
        watching_Recommend=compared(0.0, 480.0, 48.0),
    )
    returns = returns_part(policies(world), INPUTS, CENTS)
    assert returns.measured is not None
    assert returns.potential is not None
    assert (returns.measured.policies, returns.measured.too_early) == (
        ("serving/old",),
        ("serving/new 3 h",),
    )
    assert returns.measured.saved_per_month == "730.00"  # 1 per hour
    assert returns.potential.saved_per_month == "7300.00"
    expected = returns.measured.cases[1]
    assert (expected.name, expected.payback_months) == ("expected", 11.3)  # 6000 ÷ 530


def ownership(**changes: Any) -> Any:
    found = policies(recorded(old_Enforce=compared(48.0, 96.0, 48.0)))
    arguments: dict[str, Any] = {"recorded_hours": 48.0, "inputs": INPUTS} | changes
    return ownership_part(Decimal(96), policies=found, rounding=CENTS, **arguments)


def test_cost_of_ownership_by_hand() -> None:
    """Nodes of 2 per hour, of which 1 more is saved; 3000 for people, 200 for the operator."""
    owned = ownership()
    assert owned.nodes_per_month == "1460.00"
    assert owned.per_month == "4660.00"
    assert owned.in_all == f"{4660 * 36 + 6000}.00"
    assert owned.absent == ("storage", "network", "energy", "licences")
    # 70 % of the traffic with 110 % of the efficacy; 130 % with half of it, and 24 days of 365 without.
    assert owned.lowest_per_month == f"{3200 + 0.7 * (2190 - 730 * 1.1):.2f}"
    assert owned.highest_per_month == f"{3200 + 1.3 * (2190 - 730 * 0.5 * (1 - 24 / 365)):.2f}"


def test_what_it_costs_to_bring_in_and_to_run_is_named_where_it_is_not_given() -> None:
    nothing_given = Inputs()
    owned = ownership(inputs=nothing_given)
    assert owned.absent[-2:] == ("operator", "implementation")
    assert owned.implementation is None
    returns = returns_part(policies(MIXED), nothing_given, CENTS)
    assert "nothing to bring it in, for --implementation-cost is not given" in returns.assumed
    assert "nothing to run it, for --running-cost is not given" in returns.assumed
