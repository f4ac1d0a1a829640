"""What was spent as rows of FOCUS 1.2 (FinOps Open Cost and Usage Specification).

All columns that are mandatory there, Tags, and columns of our own with the prefix that is kept for them. The cluster
charges its teams: it is provider, publisher and issuer. List prices are not recorded, so ListCost and ContractedCost
repeat what was paid.

Reserved nodes are priced at an agreed rate, hence Standard: Committed is for charges that a commitment discount with an
identifier reduces, and no node names one.

Source: FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec v1.2, specification/columns.
"""

import json
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from inference_cost.account.calendar import month_end, month_of, month_start, time_text
from inference_cost.account.chargeback import Missed, Spent
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.milliseconds import hours_between
from inference_cost.model.workload import CapacityType

GENERATOR = "inference-cost-operator"
STEP = Decimal("0.000001")
_PRICED = {
    CapacityType.SPOT: "Dynamic",
    CapacityType.ON_DEMAND: "Standard",
    CapacityType.RESERVED: "Standard",
}


_DOING = {
    Kind.SERVING: "ready to serve",
    Kind.BOOT: "not ready yet",
    Kind.WARM: "kept ready for replicas to come",
    Kind.IDLE: "idle",
    Kind.OVERHEAD: "system pods",
    Kind.OTHER: "pods of no policy",
}
COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "Tags",
    "x_CapacityType",
    "x_CostCenter",
    "x_Incomplete",
    "x_Line",
    "x_Namespace",
    "x_Policy",
    "x_Pool",
    "x_Variant",
)


def focus_rows(
    spent: Sequence[Spent], *, currency: str, account: str, missed: Sequence[Missed] = ()
) -> Iterator[dict[str, str]]:
    """Rows of COLUMNS. `account`: whom the cluster is billed to; "" is not allowed there."""
    for one in spent:
        if one.amount:
            lacks = "; ".join(m.what for m in missed if m.is_of(one))
            yield _row(one, currency, account, lacks)


def _row(one: Spent, currency: str, account: str, lacks: str) -> dict[str, str]:
    cost = f"{one.amount.quantize(STEP, ROUND_HALF_UP):f}"
    quantity, unit = _quantity(one)
    tags = {
        "cost_center": one.line.cost_center,
        "namespace": one.namespace,
        "policy": one.policy,
        "variant": one.line.variant,
    }
    return {
        "BilledCost": cost,
        "BillingAccountId": account,
        "BillingAccountName": account,
        "BillingCurrency": currency,
        "BillingPeriodEnd": time_text(month_end(one.begin)),
        "BillingPeriodStart": time_text(month_start(month_of(one.begin))),
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": _described(one),
        "ChargePeriodEnd": time_text(one.end),
        "ChargePeriodStart": time_text(one.begin),
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "InvoiceIssuerName": GENERATOR,
        "ListCost": cost,
        "PricingCategory": _PRICED[one.line.capacity_type],
        "PricingQuantity": f"{quantity.quantize(STEP, ROUND_HALF_UP):f}",
        "PricingUnit": unit,
        "ProviderName": GENERATOR,
        "PublisherName": GENERATOR,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Model inference",
        "Tags": json.dumps({name: value for name, value in tags.items() if value}),
        "x_CapacityType": one.line.capacity_type.value,
        "x_CostCenter": one.line.cost_center,
        "x_Incomplete": lacks,
        "x_Line": one.line.kind.value,
        "x_Namespace": one.namespace,
        "x_Policy": one.policy,
        "x_Pool": one.line.pool,
        "x_Variant": one.line.variant,
    }


def _quantity(one: Spent) -> tuple[Decimal, str]:
    """A usage must have one: where it is not recorded, the hours of the period."""
    if not one.hours:
        return hours_between(one.begin, one.end), "Hours"
    return one.hours, "Replica-Hours" if one.policy else "Node-Hours"


def _described(one: Spent) -> str:
    where = f"{one.line.capacity_type.value} nodes of pool {one.line.pool}"
    if one.policy:
        return f"Replicas of {one.namespace}/{one.policy}, {_DOING.get(one.line.kind, one.line.kind.value)}, on {where}"
    return f"What is no policy's of {where}, {_DOING.get(one.line.kind, one.line.kind.value)}"
