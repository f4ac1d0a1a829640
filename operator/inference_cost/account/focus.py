"""What was spent as rows of FOCUS 1.2 (FinOps Open Cost and Usage Specification).

All columns that are mandatory there, Tags, and columns of our own with the prefix that is kept for them. The cluster
charges its teams: it is provider, publisher and issuer. List prices are not recorded, so ListCost and ContractedCost
repeat what was paid.

Source: FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec v1.2, specification/columns.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from inference_cost.account.calendar import month_end, month_of, month_start
from inference_cost.account.chargeback import Spent
from inference_cost.account.milliseconds import hours_between
from inference_cost.model.workload import CapacityType

GENERATOR = "inference-cost-operator"
STEP = Decimal("0.000001")
_PRICED = {
    CapacityType.SPOT: "Dynamic",
    CapacityType.ON_DEMAND: "Standard",
    CapacityType.RESERVED: "Standard",
}


def focus_rows(spent: Sequence[Spent], *, currency: str, account: str) -> Iterator[dict[str, str]]:
    """`account`: whom the cluster is billed to; "" is not allowed there."""
    for one in spent:
        if one.amount:
            yield _row(one, currency, account)


def _row(one: Spent, currency: str, account: str) -> dict[str, str]:
    cost = f"{one.amount.quantize(STEP, ROUND_HALF_UP):f}"
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
        "BillingPeriodEnd": _time(month_end(one.begin)),
        "BillingPeriodStart": _time(month_start(month_of(one.begin))),
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": _described(one),
        "ChargePeriodEnd": _time(one.end),
        "ChargePeriodStart": _time(one.begin),
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "InvoiceIssuerName": GENERATOR,
        "ListCost": cost,
        "PricingCategory": _PRICED[one.line.capacity_type],
        "PricingQuantity": f"{hours_between(one.begin, one.end).quantize(STEP):f}",
        "PricingUnit": "Hours",
        "ProviderName": GENERATOR,
        "PublisherName": GENERATOR,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Model inference",
        "Tags": json.dumps({name: value for name, value in tags.items() if value}),
        "x_CapacityType": one.line.capacity_type.value,
        "x_CostCenter": one.line.cost_center,
        "x_Line": one.line.kind.value,
        "x_Namespace": one.namespace,
        "x_Policy": one.policy,
        "x_Pool": one.line.pool,
        "x_Variant": one.line.variant,
    }


def _described(one: Spent) -> str:
    who = f"Replicas of {one.namespace}/{one.policy}" if one.policy else "Nodes that nobody used"
    return f"{who}, pool {one.line.pool}, {one.line.kind.value}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(round(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
