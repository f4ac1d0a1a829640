"""Who pays: cost of a time range by whom and for what, and what nobody requested. All of it from the totals."""

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
    per_hour,
    rows,
    total,
)

CHOSEN = {"namespace": "~$namespace"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """What a bill is made by: one table and one graph."""

    labels: str
    one: str
    many: str

    @property
    def kept(self) -> str:
        return f"{self.labels}, currency"

    @property
    def legend(self) -> str:
        return "/".join("{{" + label.strip() + "}}" for label in self.labels.split(","))

    @property
    def now(self) -> str:
        return total(self.kept, per_hour("policy_cost", **CHOSEN))

    def paid(self, kept: str) -> str:
        return total(kept, grown("policy_cost", **CHOSEN))


PAYERS = (
    Payer(labels="cost_center", one="cost center", many="cost centers"),
    Payer(labels="namespace", one="namespace", many="namespaces"),
    Payer(labels="namespace, policy", one="policy", many="policies"),
    Payer(labels="pool", one="pool", many="pools"),
    Payer(labels="capacity_type", one="capacity type", many="capacity types"),
    Payer(labels="line", one="what for", many="lines"),
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
        "What each cost center, namespace and policy cost in the time range, by what the operator's totals grew, from"
        " the recording rules inference_cost:policy_cost_total and pool_cost_total. Time that is not known is not in"
        " them; the last row says how much that was.",
        hours=24,
    ).with_variable(variable)
    by_payer = [(f"By {payer.one}", _paid_by(payer)) for payer in PAYERS]
    return laid_out(dashboard, *by_payer, ("Nobody's", _nobodys()), ("Not in it", _missing()))


def _paid_by(payer: Payer) -> list[Panel]:
    paid = payer.paid(payer.kept)
    share = f"{paid} / on (currency) group_left () {payer.paid('currency')}"
    return [
        rows(
            f"Cost by {payer.one}",
            f"In the time range, and the share of all {payer.many} chosen.",
            Column("Cost", paid),
            Column("Share", share, RATIO),
            Column("Per hour now", payer.now),
            wide=12,
        ),
        lines(
            f"Cost per hour by {payer.one}",
            "Over time.",
            Query(payer.now, f"{payer.legend} {{{{currency}}}}"),
            stacked=True,
            wide=12,
        ),
    ]


def _nobodys() -> list[Panel]:
    kept = "pool, line, currency"
    return [
        rows(
            "What is no policy's by pool",
            "In the time range, of pools that replicas run in, or ran in: idle (nobody requested it), warm (kept"
            " ready), overhead (system pods), other (pods of no policy) and boot (nodes that are not ready).",
            Column("Cost", total(kept, grown("pool_cost"))),
            Column("Per hour now", total(kept, per_hour("pool_cost"))),
            wide=12,
        ),
        lines(
            "What is no policy's per hour by pool",
            "Over time.",
            Query(total(kept, per_hour("pool_cost")), "{{pool}} {{line}} {{currency}}"),
            stacked=True,
            wide=12,
        ),
    ]


def _missing() -> list[Panel]:
    """Time, not money: what it cost is not known."""
    return [
        rows(
            "Time not known by policy",
            "Hours of the time range of which not all is in the amounts: the operator was away, or a price was not"
            " known.",
            Column(
                "Hours",
                f"{total('namespace, policy, reason', grown('policy_cost_unknown_seconds', **CHOSEN))} / 3600",
            ),
            wide=12,
        ),
        rows(
            "Time not known by pool",
            "The same of what nobody requested.",
            Column(
                "Hours",
                f"{total('pool, reason', grown('pool_cost_unknown_seconds'))} / 3600",
            ),
            wide=12,
        ),
    ]
