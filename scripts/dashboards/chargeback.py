"""Who pays: cost of a time range by namespace and policy, and what nobody requested."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from scripts.dashboards.parts import (
    RATIO,
    Column,
    Panel,
    Query,
    board,
    choice,
    laid_out,
    lines,
    over_range,
    rows,
    shown,
    total,
)

CHOSEN = {"namespace": "~$namespace"}
COST = shown("policy_hourly_cost", **CHOSEN)
IDLE = shown("pool_idle_hourly_cost")
# What a bill is made by: one table and one graph each. A label of `COST` more is one line here.
PAYERS = (
    ("namespace", "namespace", "namespaces"),
    ("namespace, policy", "policy", "policies"),
    ("capacity_type", "capacity type", "capacity types"),
)


def chargeback() -> Dashboard:
    variable = choice(
        "namespace",
        "Namespace",
        "label_values(inference_cost_policy_hourly_cost, namespace)",
        everything=True,
    )
    dashboard = board(
        "Chargeback",
        "inference-cost-chargeback",
        "What each namespace and policy cost in the time range. Amounts are integrals of the cost per hour: what was"
        " not priced, or not scraped, is not in them.",
        hours=24,
    ).with_variable(variable)
    by_payer = [(f"By {one}", _paid_by(labels, one, many)) for labels, one, many in PAYERS]
    return laid_out(dashboard, *by_payer, ("Nobody's", _nobodys()))


def _paid_by(labels: str, one: str, many: str) -> list[Panel]:
    kept = f"{labels}, currency"
    paid = total(kept, over_range(total(kept, COST)))
    everything = total("currency", over_range(total("currency", COST)))
    legend = "/".join("{{" + label.strip() + "}}" for label in labels.split(","))
    return [
        rows(
            f"Cost by {one}",
            f"In the time range, and the share of all {many} chosen.",
            Column("Cost", paid),
            Column("Share", f"{paid} / on (currency) group_left () {everything}", RATIO),
            Column("Per hour now", total(kept, COST)),
            wide=12,
        ),
        lines(
            f"Cost per hour by {one}",
            "Over time.",
            Query(total(kept, COST), f"{legend} {{{{currency}}}}"),
            stacked=True,
            wide=12,
        ),
    ]


def _nobodys() -> list[Panel]:
    kept = "pool, currency"
    return [
        rows(
            "Idle nodes by pool",
            "In the time range: what no replica requested, of pools that replicas run in.",
            Column("Idle", total(kept, over_range(total(kept, IDLE)))),
            Column("Nodes in all", total(kept, over_range(total(kept, shown("pool_hourly_cost"))))),
            wide=12,
        ),
        lines(
            "Idle nodes per hour by pool",
            "Over time.",
            Query(total(kept, IDLE), "{{pool}} {{currency}}"),
            stacked=True,
            wide=12,
        ),
    ]
