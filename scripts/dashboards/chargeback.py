"""Who pays: cost of a time range by namespace and policy, and what nobody requested."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard

from scripts.dashboards.parts import (
    RATIO,
    Column,
    Panel,
    Query,
    board,
    choice,
    grown,
    laid_out,
    lines,
    over_range,
    rows,
    series,
    shown,
    total,
)

CHOSEN = {"namespace": "~$namespace"}
COST = shown("policy_hourly_cost", **CHOSEN)
IDLE = shown("pool_idle_hourly_cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """What a bill is made by: one table and one graph.

    `per_hour`: an amount per hour. `counted`: amounts of the time range where a counter has them; else it is the
    integral of the former.
    """

    labels: str
    one: str
    many: str
    per_hour: str = COST
    counted: str = ""

    @property
    def kept(self) -> str:
        return f"{self.labels}, currency"

    @property
    def legend(self) -> str:
        return "/".join("{{" + label.strip() + "}}" for label in self.labels.split(","))

    def paid(self, kept: str) -> str:
        return total(kept, self.counted or over_range(total(kept, self.per_hour)))


PAYERS = (
    Payer(
        labels="cost_center",
        one="cost center",
        many="cost centers",
        per_hour=f"3600 * rate({series('policy_cost_total', **CHOSEN)}[10m])",
        counted=grown("policy_cost", **CHOSEN),
    ),
    Payer(labels="namespace", one="namespace", many="namespaces"),
    Payer(labels="namespace, policy", one="policy", many="policies"),
    Payer(labels="capacity_type", one="capacity type", many="capacity types"),
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
    by_payer = [(f"By {payer.one}", _paid_by(payer)) for payer in PAYERS]
    return laid_out(dashboard, *by_payer, ("Nobody's", _nobodys()))


def _paid_by(payer: Payer) -> list[Panel]:
    paid, now = payer.paid(payer.kept), total(payer.kept, payer.per_hour)
    share = f"{paid} / on (currency) group_left () {payer.paid('currency')}"
    return [
        rows(
            f"Cost by {payer.one}",
            f"In the time range, and the share of all {payer.many} chosen.",
            Column("Cost", paid),
            Column("Share", share, RATIO),
            Column("Per hour now", now),
            wide=12,
        ),
        lines(
            f"Cost per hour by {payer.one}",
            "Over time.",
            Query(now, f"{payer.legend} {{{{currency}}}}"),
            stacked=True,
            wide=12,
        ),
    ]


def _nobodys() -> list[Panel]:
    kept = "pool, currency"
    return [
        rows(
            "Idle nodes by pool",
            "In the time range: what nobody requested, of pools that replicas run in, or ran in.",
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
