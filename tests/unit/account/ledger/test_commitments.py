"""Committed nodes: paid whether they run or not, charged to those who run."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.account.ledger.build import ledger
from inference_cost.account.ledger.commitments import Commitment
from inference_cost.account.ledger.history import History, NodeLife
from inference_cost.account.ledger.lines import Kind
from inference_cost.model.workload import CapacityType
from tests.unit.account.ledger.histories import HOUR, WINDOW, by_kind, life, stay
from tests.unit.account.worlds import NOON, price

TWO = Commitment(
    pool="l4",
    capacity_type=CapacityType.RESERVED,
    nodes=2,
    node_price=price("2.50"),
    begin=NOON - 9 * HOUR,
    end=NOON + 9 * HOUR,
)

CASES: dict[str, tuple[list[NodeLife], dict[Kind, str]]] = {
    "both committed nodes run": ([life("n1"), life("n2")], {Kind.IDLE: "5.00"}),
    "one runs, the other is paid for nothing": (
        [life("n1")], {Kind.IDLE: "2.50", Kind.UNUSED: "2.50"},
    ),
    "none runs": ([], {Kind.UNUSED: "5.00"}),
    "a third one pays its own price": (
        [life("n1"), life("n2"), life("n3")], {Kind.IDLE: "9.00"},
    ),
    "one of two goes after half an hour": (
        [life("n1"), life("n2", gone=0.5)], {Kind.IDLE: "3.75", Kind.UNUSED: "1.25"},
    ),
    "nodes of another pool have nothing of it": (
        [life("n1", pool="other")], {Kind.IDLE: "4.00", Kind.UNUSED: "5.00"},
    ),
    "a committed node without a price of its own has that of the contract": (
        [life("n1", None), life("n2", None)], {Kind.IDLE: "5.00"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", CASES)
def test_two_committed_nodes_for_an_hour(sentence: str) -> None:
    nodes, expected = CASES[sentence]
    made = ledger(History(nodes=tuple(nodes)), WINDOW, commitments=(TWO,))
    assert by_kind(made) == {kind: Decimal(amount) for kind, amount in expected.items()}
    assert abs(made.remainder) < Decimal("1e-20")


def test_all_nodes_that_run_share_the_contract_alike() -> None:
    nodes = tuple(life(name) for name in ("n1", "n2", "n3"))
    stays = tuple(stay(f"p-{one.node.name}", one.node.name) for one in nodes)
    made = ledger(History(nodes=nodes, stays=stays), WINDOW, commitments=(TWO,))
    assert {round(cost.amount, 6) for cost in made.nodes.values()} == {Decimal(3)}
    assert made.total.listed == 12


def test_a_contract_that_ends_within_the_window() -> None:
    ending = replace(TWO, end=NOON + HOUR / 2)
    made = ledger(History(nodes=(life("n1"), life("n2"))), WINDOW, commitments=(ending,))
    assert by_kind(made) == {Kind.IDLE: Decimal("6.50")}


def test_two_contracts_of_one_pool_are_refused() -> None:
    with pytest.raises(ValueError, match="add them up"):
        ledger(History(nodes=()), WINDOW, commitments=(TWO, TWO))
