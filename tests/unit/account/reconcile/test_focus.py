"""A bill in FOCUS 1.2 against the ledger, and exports that cannot be read."""

from decimal import Decimal

import pytest

from inference_cost.account.ledger.lines import Total
from inference_cost.account.reconcile.focus import (
    Bill,
    FocusError,
    NodeBill,
    bill,
    parse,
)
from tests.unit.account.ledger.histories import WINDOW

HEAD = "ResourceId,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,BillingCurrency,EffectiveCost,ListCost"
HOUR = "2025-11-22T12:00:00Z,2025-11-22T13:00:00Z"
INSTANCE = "arn:aws:ec2:us-east-1:123456789012:instance/i-0abc"
NODES = {
    "n1": ("aws:///us-east-1a/i-0abc", Total(amount=Decimal("4.20"))),
    "n2": ("aws:///us-east-1a/i-0def", Total(amount=Decimal(1))),
}


def compared(*rows: str, currency: str = "USD") -> Bill:
    return bill(parse([HEAD, *rows]), NODES, WINDOW, currency)


def first(*rows: str) -> NodeBill:
    return compared(*rows).nodes[0]


BILLED: dict[str, tuple[list[str], str]] = {
    "an hour": ([f"{INSTANCE},Usage,{HOUR},USD,4.00,5.00"], "4.00"),
    "a day counts for the hour that is in the window": (
        [f"{INSTANCE},Usage,2025-11-22T00:00:00Z,2025-11-23T00:00:00Z,USD,96.00,120"], "4.00",
    ),
    "two charges of one instance": (
        [f"{INSTANCE},Usage,{HOUR},USD,3,5", f"{INSTANCE},Usage,{HOUR},USD,1,0"], "4.00",
    ),
    "a correction counts with its sign": (
        [f"{INSTANCE},Usage,{HOUR},USD,5,5", f"{INSTANCE},Usage,{HOUR},USD,-1,0"], "4.00",
    ),
    "taxes, credits and purchases do not count": (
        [
            f"{INSTANCE},Usage,{HOUR},USD,4,5",
            f"{INSTANCE},Tax,{HOUR},USD,0.8,0.8",
            f"{INSTANCE},Credit,{HOUR},USD,-4,0",
            f"{INSTANCE},Purchase,{HOUR},USD,700,700",
        ],
        "4.00",
    ),
    "a time without a zone is UTC": (
        [f"{INSTANCE},Usage,2025-11-22 12:00:00,2025-11-22 13:00:00,USD,4,5"], "4.00",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BILLED)
def test_billed(sentence: str) -> None:
    rows, billed = BILLED[sentence]
    node = first(*rows)
    assert node.billed == Decimal(billed)
    assert node.difference == Decimal("0.20")
    assert node.error == Decimal("0.05")


def test_a_node_that_is_not_in_the_export_has_no_error_and_is_not_in_the_sums() -> None:
    found = compared(
        f"{INSTANCE},Usage,{HOUR},USD,4,5", f"vol-1,Usage,{HOUR},USD,9,9", f",Usage,{HOUR},USD,9,9"
    )
    assert found.nodes[1].billed is None
    assert found.nodes[1].error is None
    assert found.compared == (Decimal("4.20"), Decimal(4))
    assert found.others == 1


def test_a_charge_outside_the_window_is_none() -> None:
    assert (
        first(f"{INSTANCE},Usage,2025-11-21T12:00:00Z,2025-11-21T13:00:00Z,USD,4,5").billed is None
    )


REFUSED: dict[str, tuple[list[str], str]] = {
    "no column": (["ResourceId,EffectiveCost"], "line 1: no column ChargeCategory,"),
    "nothing at all": ([], "line 1: no column ResourceId,"),
    "no time": (
        [HEAD, f"{INSTANCE},Usage,noon,{HOUR[-20:]},USD,1,1"], "line 2: ChargePeriodStart 'noon' is no time",
    ),
    "no amount": (
        [HEAD, f"{INSTANCE},Usage,{HOUR},USD,many,1"], "line 2: EffectiveCost 'many' is no amount",
    ),
    "an amount without an end": (
        [HEAD, f"{INSTANCE},Usage,{HOUR},USD,1,Infinity"], "line 2: ListCost 'Infinity' is no amount",
    ),
    "a row that ends early": ([HEAD, f"{INSTANCE},Usage,{HOUR}"], "line 2: EffectiveCost None is no amount"),
    "a period of no length": (
        [HEAD, f"{INSTANCE},Usage,{HOUR[:20]},{HOUR[:20]},USD,1,1"],
        "line 2: ChargePeriodEnd is not after ChargePeriodStart",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_an_export_that_cannot_be_read_names_line_and_column(sentence: str) -> None:
    lines, says = REFUSED[sentence]
    with pytest.raises(FocusError) as error:
        parse(lines)
    assert str(error.value).startswith(says)


def test_another_currency_is_refused() -> None:
    with pytest.raises(FocusError, match="billed in EUR, the ledger is in USD"):
        compared(f"{INSTANCE},Usage,{HOUR},EUR,1,1")
