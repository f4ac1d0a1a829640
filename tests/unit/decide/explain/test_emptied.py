"""What a removal saves, in words."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.decide.explain.explanation import explain
from inference_cost.model.plan import Plan, Removal
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.decide.worlds import learned, observation, plan_of, priced_node

SEEN = observation(100.0, 5)
UNKNOWN = Missing(reason=MissingReason.PRICE_UNKNOWN)
NOTHING = "No node is left empty, so nothing is saved until one is."


def going_down(removal: Removal | None) -> Plan:
    plan = plan_of(SEEN, learned(needs=2), nodes={"node-1": priced_node()})
    assert plan.desired < plan.current
    (one,) = plan.variants
    return replace(plan, variants=(replace(one, removal=removal),))


LESS = "Cost: $2.40 per hour, $3.60 less than now; one replica is $1.20 per hour."
SAME = "Cost: $2.40 per hour; one replica is $1.20 per hour."
CASES: dict[str, tuple[Removal | None, str]] = {
    "it is not known which pods go": (None, LESS),
    "whichever go, none is empty": (
        Removal(nodes=(), per_hour=Decimal(0)),
        f"{SAME} {NOTHING}",
    ),
    "pods are marked": (
        Removal(nodes=("node-7",), per_hour=Decimal("1.20"), pods=("a", "b", "c")),
        f"{LESS} Pods go first that leave node node-7 empty ($1.20 per hour).",
    ),
    "two are emptied, of a price not known": (
        Removal(nodes=("x", "y"), per_hour=UNKNOWN, pods=("a", "b", "c")),
        f"{LESS} Pods go first that leave 2 nodes empty.",
    ),
    "a node can be empty, and nobody is marked": (
        Removal(nodes=("x",), per_hour=Decimal("1.20")),
        LESS,
    ),
    "another controller orders the pods": (
        Removal(nodes=("x",), per_hour=Decimal("1.20"), left_to="karpenter"),
        f"{LESS} Which pods go is left to karpenter, who sets their deletion cost.",
    ),
}


@pytest.mark.parametrize("sentence", CASES)
def test_the_cost_says_what_is_saved(sentence: str) -> None:
    removal, told = CASES[sentence]
    assert explain(going_down(removal), SEEN).cost == told


def test_the_decision_says_when_nothing_is_saved() -> None:
    assert NOTHING in explain(going_down(CASES["whichever go, none is empty"][0]), SEEN).message
