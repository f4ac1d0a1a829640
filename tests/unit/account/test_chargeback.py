"""Rows that add up to the cent, and FOCUS rows with every mandatory column."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.account.accrual import CostLine
from inference_cost.account.chargeback import NOBODY, By, Missed, Spent, rows_of
from inference_cost.account.focus import COLUMNS, focus_rows
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.rounding import CENT, in_cents
from inference_cost.model.workload import CapacityType

BEGIN = datetime(2026, 2, 20, tzinfo=UTC).timestamp()
END = datetime(2026, 2, 25, 12, tzinfo=UTC).timestamp()
# FOCUS 1.2, feature level Mandatory; those that may be null are marked with a question mark.
MANDATORY = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName?",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass?",
    "ChargeDescription?",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity?",
    "PricingUnit?",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
]


def spent(
    amount: str,
    policy: str = "resnet",
    *,
    center: str = "search",
    kind: Kind = Kind.SERVING,
    **line: str,
) -> Spent:
    return Spent(
        namespace="team-a" if policy else "",
        policy=policy,
        line=CostLine(
            kind=kind,
            pool=line.get("pool", "l4"),
            capacity_type=CapacityType(line.get("capacity_type", "on-demand")),
            variant="default" if policy else "",
            cost_center=center if policy else "",
        ),
        amount=Decimal(amount),
        begin=BEGIN,
        end=END,
    )


IDLE = spent("2.005", "", kind=Kind.IDLE)
ALL = [spent("10.004"), spent("1.004", kind=Kind.BOOT), spent("5.004", "bert", center=""), IDLE]
SHOWN: dict[By, list[tuple[str, str]]] = {
    By.COST_CENTER: [("search", "11.01"), (NOBODY, "7.01")],
    By.NAMESPACE: [("team-a", "16.01"), (NOBODY, "2.01")],
    By.POLICY: [("team-a/resnet", "11.01"), ("team-a/bert", "5.00"), (NOBODY, "2.01")],
    By.VARIANT: [
        ("team-a/resnet/default", "11.01"), ("team-a/bert/default", "5.00"), (NOBODY, "2.01"),
    ],
    By.POOL: [("l4", "18.02")],
    By.CAPACITY_TYPE: [("on-demand", "18.02")],
}  # fmt: skip


@pytest.mark.parametrize("by", By)
def test_rows(by: By) -> None:
    rows = rows_of(ALL, by)
    assert [row.name for row in rows] == [name for name, _ in SHOWN[by]]
    assert sum(row.total for row in rows) == Decimal("18.02")  # of 18.017
    for row, (_, total) in zip(rows, SHOWN[by], strict=True):
        assert abs(row.total - Decimal(total)) <= CENT


@given(st.lists(st.decimals(0, 1000, places=5), max_size=40))
def test_cents_add_up_and_none_is_off_by_a_cent(amounts: list[Decimal]) -> None:
    cents = in_cents(amounts)
    assert abs(sum(cents, Decimal(0)) - sum(amounts, Decimal(0))) <= CENT / 2
    assert all(abs(cent - amount) < CENT for cent, amount in zip(cents, amounts, strict=True))


def test_focus_rows_have_every_mandatory_column_and_no_null_where_none_may_be() -> None:
    rows = list(focus_rows(ALL, currency="EUR", account="prod-1"))
    assert len(rows) == len(ALL)
    for row in rows:
        for column in MANDATORY:
            assert column.rstrip("?") in row
            assert column.endswith("?") or row[column]
        assert tuple(row) == COLUMNS
    assert sum(Decimal(row["EffectiveCost"]) for row in rows) == Decimal("18.017")


def test_a_focus_row_is_within_its_billing_period_and_names_the_team() -> None:
    (row,) = focus_rows(
        [spent("1.5", capacity_type="spot", pool="=l4")], currency="USD", account="prod-1"
    )
    assert row["BillingPeriodStart"] == "2026-02-01T00:00:00Z"
    assert row["BillingPeriodEnd"] == "2026-03-01T00:00:00Z"
    assert row["ChargePeriodStart"] == "2026-02-20T00:00:00Z"
    assert (row["PricingQuantity"], row["PricingUnit"]) == ("132.000000", "Hours")
    assert (row["PricingCategory"], row["BilledCost"]) == ("Dynamic", "1.500000")
    assert row["Tags"] == (
        '{"cost_center": "search", "namespace": "team-a", "policy": "resnet", "variant": "default"}'
    )


DESCRIBED = {
    "Replicas of team-a/resnet, ready to serve, on reserved nodes of pool l4": (
        "resnet",
        Kind.SERVING,
    ),
    "Replicas of team-a/resnet, not ready yet, on reserved nodes of pool l4": ("resnet", Kind.BOOT),
    "What is no policy's of reserved nodes of pool l4, idle": ("", Kind.IDLE),
    "What is no policy's of reserved nodes of pool l4, kept ready for replicas to come": (
        "",
        Kind.WARM,
    ),
}


@pytest.mark.parametrize("text", DESCRIBED)
def test_a_focus_row_says_what_it_is_for_and_claims_no_commitment_discount(text: str) -> None:
    """Committed needs a CommitmentDiscountId, and no node names one."""
    policy, kind = DESCRIBED[text]
    one = spent("1", policy, kind=kind, capacity_type="reserved")
    (row,) = focus_rows([one], currency="USD", account="prod")
    assert (row["ChargeDescription"], row["PricingCategory"]) == (text, "Standard")
    assert not any("Commitment" in column for column in row)


@pytest.mark.parametrize(("policy", "unit"), [("resnet", "Replica-Hours"), ("", "Node-Hours")])
def test_a_focus_rows_quantity_is_what_was_charged_for(policy: str, unit: str) -> None:
    one = replace(spent("1", policy), hours=Decimal("264.5"))
    (row,) = focus_rows([one], currency="USD", account="prod")
    assert (row["PricingQuantity"], row["PricingUnit"]) == ("264.500000", unit)


def test_a_focus_row_names_what_its_amount_lacks() -> None:
    lacks = Missed(namespace="team-a", policy="resnet", pool="", what="a price was not known")
    found = [
        row["x_Incomplete"]
        for row in focus_rows(ALL, currency="USD", account="prod", missed=[lacks])
    ]
    assert found == ["a price was not known", "a price was not known", "", ""]
