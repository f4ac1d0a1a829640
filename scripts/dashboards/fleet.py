"""The whole fleet: what it costs, what could be saved, how it does."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from inference_cost.account.savings.look import ALLOWED_LATE
from scripts.dashboards.parts import (
    RATIO,
    SECONDS,
    Column,
    Panel,
    Query,
    board,
    choice,
    grown,
    laid_out,
    lines,
    number,
    rows,
    shown,
    total,
)

CHOSEN = {"namespace": "~$namespace"}
COST = shown("policy_hourly_cost", **CHOSEN)
DESIRED = shown("policy_desired_hourly_cost", **CHOSEN)
COMPARED = shown("policy_compared_hourly_cost", **CHOSEN)
MONTH = shown("policy_month_to_date_cost", **CHOSEN)
LINK = (
    "/d/inference-cost-policy?var-namespace=${__data.fields.namespace}"
    "&var-policy=${__data.fields.policy}&${datasource:queryparam}"
)


def recommended() -> str:
    """Of policies that only recommend: what nodes would cost less."""
    mode = shown("policy_info", mode="Recommend", **CHOSEN)
    would_save = shown("policy_would_save_hourly_cost", **CHOSEN)
    return f"{total('namespace, policy, currency', would_save)} and on (namespace, policy) {mode}"


def saved() -> str:
    """In the time range: the baseline's cost less the policy's."""
    kept = "namespace, policy, baseline, mode, currency"
    sides = (
        total(kept, grown("policy_compared_cost", side=side, **CHOSEN))
        for side in ("baseline", "policy")
    )
    return " - ".join(sides)


def in_time(side: str) -> str:
    """Where no more of a side's requests were late than the objective lets be."""
    kept = "namespace, policy, baseline, mode"
    late = total(kept, grown("policy_compared_late_requests", side=side, **CHOSEN))
    asked = total(kept, grown("policy_compared_requests", **CHOSEN))
    met = f"{late} <= {asked} * on (namespace, policy) group_left () ({_allowed_late()})"
    return f"on (namespace, policy, baseline, mode) ({met})"


def _allowed_late() -> str:
    """As a share; an objective on the mean queue time has none of its own."""
    target = total("namespace, policy", shown("policy_slo_target_ratio", **CHOSEN))
    return f"(1 - {target} > 0) or 0 * {target} + {ALLOWED_LATE}"


def fleet() -> Dashboard:
    variable = choice(
        "namespace",
        "Namespace",
        "label_values(inference_cost_policy_info, namespace)",
        everything=True,
    )
    dashboard = board(
        "Fleet", "inference-cost-fleet", "What all policies cost, and how they do."
    ).with_variable(variable)
    return laid_out(
        dashboard,
        ("Now", _now()),
        ("Cost", _cost()),
        ("Savings", _savings()),
        ("Policies", _policies()),
        ("Pools", _pools()),
    )


def _now() -> list[Panel]:
    violated = shown("condition", type="SLOMet", status="False", **CHOSEN)
    return [
        number(
            "Cost per hour",
            "Of the replicas that run, as far as prices are known.",
            Query(total("currency", COST), "{{currency}}"),
        ),
        number(
            "Month to date",
            "Since the start of the month (UTC), or since a policy was first seen in it.",
            Query(total("currency", MONTH), "{{currency}}"),
        ),
        number(
            "Idle nodes per hour",
            "Cost of what nobody requested, of nodes in pools that replicas run in, or ran in.",
            Query(total("currency", shown("pool_idle_hourly_cost")), "{{currency}}"),
        ),
        number(
            "Policies by mode",
            "In force: all are Recommend while enforcing is switched off.",
            Query(f"count by (mode) ({shown('policy_info', **CHOSEN)})", "{{mode}}"),
        ),
        number(
            "Objectives missed",
            "Policies whose measured objective is not met.",
            Query(f"sum({violated})", "missed"),
            bad_from=1,
        ),
        number(
            "Prices not known",
            "Policies with replicas whose price is not known: the cost above lacks them.",
            Query(f"sum(1 - {shown('policy_price_known', **CHOSEN)})", "policies"),
            bad_from=1,
        ),
    ]


def _cost() -> list[Panel]:
    by_policy = total("namespace, policy, currency", COST)
    return [
        lines(
            "By capacity type",
            "Cost per hour.",
            Query(total("capacity_type, currency", COST), "{{capacity_type}} {{currency}}"),
            stacked=True,
        ),
        lines(
            "The ten dearest policies",
            "Cost per hour.",
            Query(f"topk(10, {by_policy})", "{{namespace}}/{{policy}} {{currency}}"),
        ),
        lines(
            "Idle nodes by pool",
            "Cost per hour of what nobody requested.",
            Query(total("pool, currency", shown("pool_idle_hourly_cost")), "{{pool}} {{currency}}"),
            stacked=True,
        ),
    ]


def _savings() -> list[Panel]:
    """Each further figure of savings is one more `Query` or `Column` here."""
    return [
        lines(
            "Cost now and at the desired replicas",
            "Per hour, by what replicas request of nodes; in Enforce the two meet.",
            Query(total("currency", COST), "now {{currency}}"),
            Query(total("currency", DESIRED), "desired {{currency}}"),
            wide=12,
        ),
        rows(
            "What Enforce would change",
            "Of policies in Recommend: what nodes would cost less per hour, if those that empty are removed. A replica"
            " that leaves its node to others saves nothing. Negative: more nodes are needed.",
            Column("Less per hour", f"sort_desc({recommended()})"),
            link=("policy", LINK),
            wide=12,
        ),
        lines(
            "What is paid and what the baseline would cost",
            "Per hour, in whole nodes, of policies of which both are known. In Recommend what is paid is what the"
            " decisions would cost.",
            Query(total("side, currency", COMPARED), "{{side}} {{currency}}"),
            wide=12,
        ),
        rows(
            "Saved in the time range",
            "Against each policy's baseline, by mode: in Recommend it is potential. Of policies and baselines that met"
            " the objective; a loss is negative.",
            Column(
                "Saved", f"sort_desc(({saved()}) and {in_time('policy')} and {in_time('baseline')})"
            ),
            link=("policy", LINK),
            wide=12,
        ),
    ]


def _policies() -> list[Panel]:
    def of_each(name: str) -> str:
        return total("namespace, policy", shown(name, **CHOSEN))

    return [
        rows(
            "All policies",
            "Click a policy to see it alone.",
            Column("Cost per hour", total("namespace, policy", COST)),
            Column("Month to date", total("namespace, policy", MONTH)),
            Column("Replicas", of_each("policy_current_replicas")),
            Column("Desired", of_each("policy_desired_replicas")),
            Column("In time", of_each("policy_slo_attainment_ratio"), RATIO),
            Column("Objective", of_each("policy_slo_target_ratio"), RATIO),
            link=("policy", LINK),
            wide=16,
        ),
        lines(
            "Replicas by capacity type",
            "Replicas that are paid for.",
            Query(
                total("capacity_type", shown("policy_running_replicas", **CHOSEN)),
                "{{capacity_type}}",
            ),
            stacked=True,
        ),
    ]


def _pools() -> list[Panel]:
    return [
        lines(
            "Nodes of pools",
            "Of those that replicas run in.",
            Query(shown("pool_nodes"), "{{pool}}"),
        ),
        lines(
            "Cost of pools per hour",
            "Of all nodes of a pool, used or idle.",
            Query(shown("pool_hourly_cost"), "{{pool}} {{currency}}"),
        ),
        rows(
            "CapacityPools",
            "What was learned of each: how long a start takes, how often a zone is lost, whether it is kept away from.",
            Column(
                "Start p95", total("pool", shown("pool_start_seconds", quantile="0.95")), SECONDS
            ),
            Column("Losses per hour", total("pool", shown("pool_losses_per_hour"))),
            Column("Scarce", total("pool", shown("pool_condition", type="Scarce", status="True"))),
            Column("Nodes without a price", total("pool", shown("pool_unpriced_nodes"))),
            wide=8,
        ),
    ]
