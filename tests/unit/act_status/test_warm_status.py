"""What a CapacityPool's status says of the nodes that it keeps ready."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.account.costs import Costs, PoolCost
from inference_cost.act.status_changes import Change, change_of
from inference_cost.act.warm_status import render_warm, warm_finding
from inference_cost.api.pool_status import CapacityPoolStatus, WarmStatus
from inference_cost.model.plan import Reason
from inference_cost.model.warm import Holder, WarmPlan, WarmPool

HOLDER = Holder(uid="h", node="n1", created_at=0.0, ready_at=10.0)
POOL = WarmPool(name="safe", spec=None, holders=(HOLDER,))
PLAN = WarmPlan(
    pool="safe",
    wanted=2,
    free=1,
    lost=1,
    uses=7,
    reasons=(Reason(code="warm-no-policy"),),
    shape=None,
)


def costs(warm: str = "0.80", unpriced: tuple[str, ...] = ()) -> Costs:
    line = PoolCost(
        pool="safe",
        nodes=1,
        per_hour=Decimal("0.80"),
        allocated_per_hour=Decimal(0),
        idle_per_hour=Decimal(0),
        warm_per_hour=Decimal(warm),
        unpriced_nodes=unpriced,
    )
    return Costs(currency="USD", policies={}, pools=(line,))


def told(unwritten: str = "", pool: WarmPool = POOL, money: Costs | None = None) -> WarmStatus:
    return render_warm(PLAN, pool, costs() if money is None else money, unwritten=unwritten)


def test_all_that_is_known() -> None:
    found = told()
    assert (found.shown, found.ready, found.wanted) == ("1/2", 1, 2)
    assert (found.used_by_others, found.uses_per_day, found.per_hour) == (1, 7, "0.80")


def test_it_says_why_and_what_keeps_it_from_being_done() -> None:
    assert told().message.startswith("No policy that finds out itself")
    assert told("The switch is off.").message.endswith("The switch is off.")
    assert "paused" in told(pool=replace(POOL, paused=True)).message


def test_no_price_is_not_a_price_of_zero() -> None:
    assert told(money=costs(unpriced=("n1",))).per_hour is None
    assert told(money=costs("0", unpriced=("other",))).per_hour == "0.00"
    assert render_warm(PLAN, POOL, None, unwritten="").per_hour is None
    nothing = replace(POOL, holders=())
    assert told(pool=nothing, money=Costs(currency="USD", policies={}, pools=())).per_hour == "0.00"


def status(**warm: Any) -> dict[str, Any]:
    return CapacityPoolStatus(warm=told().model_copy(update=warm)).to_object()


def test_a_node_that_was_taken_is_told_at_once_and_money_when_its_turn_comes() -> None:
    assert change_of(status(), status(shown="0/2")) is Change.MEANING
    assert change_of(status(), status(used_by_others=0)) is Change.MEANING
    assert change_of(status(), status(per_hour="0.90")) is Change.NUMBERS


UNSERVED = replace(POOL, unserved="Not served: set another strategy.")
FOUND: dict[str, tuple[WarmPlan, WarmPool, str, tuple[str, str, str]]] = {
    "some are missing": (PLAN, POOL, "", ("False", "Missing", "1 of 2 are free.")),
    "all are there": (
        replace(PLAN, free=3), POOL, "", ("True", "Ready", "2 of 2 are free."),
    ),
    "none is wanted": (
        replace(PLAN, wanted=0), POOL, "",
        ("True", "NoneWanted", "No node is to be kept ready now: see `warm.message`."),
    ),
    "it cannot be written": (PLAN, POOL, "Denied.", ("False", "NotWritten", "Denied.")),
    "the cluster does not serve it": (
        PLAN, UNSERVED, UNSERVED.unserved, ("False", "NotServed", UNSERVED.unserved),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", FOUND)
def test_the_condition_where(sentence: str) -> None:
    plan, pool, unwritten, expected = FOUND[sentence]
    found = warm_finding(plan, pool, unwritten=unwritten)
    assert (found.status.value, found.reason, found.message) == expected
