"""One policy: its objective beside its replicas beside its cost."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from scripts.dashboards.parts import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PER_SECOND,
    RATIO,
    RED,
    SECONDS,
    TIME,
    Panel,
    Query,
    board,
    choice,
    laid_out,
    lines,
    number,
    shown,
    states,
    total,
)

ONE = {"namespace": "$namespace", "policy": "$policy"}
COST = shown("policy_hourly_cost", **ONE)
DEMAND = shown("policy_demand_requests_per_second", **ONE)
LATE = f"1 - {shown('policy_slo_attainment_ratio', **ONE)}"
ALLOWED = f"1 - {shown('policy_slo_target_ratio', **ONE)}"
READY = shown("policy_ready_replicas", **ONE)
GOOD_IS_TRUE = ("Ready", "Accepted", "MetricsAvailable", "SLOMet", "CapacityAvailable")
GOOD_IS_FALSE = ("ScalingLimited", "TrafficUneven", "Conflicted")


def policy() -> Dashboard:
    namespaces = "label_values(inference_cost_policy_info, namespace)"
    policies = 'label_values(inference_cost_policy_info{namespace="$namespace"}, policy)'
    dashboard = (
        board("Policy", "inference-cost-policy", "Objective, replicas and cost of one policy.")
        .with_variable(choice("namespace", "Namespace", namespaces, everything=False))
        .with_variable(choice("policy", "Policy", policies, everything=False))
    )
    return laid_out(
        dashboard,
        ("Now", _now()),
        ("Objective", _objective()),
        ("Replicas now", _replicas()),
        ("Cost", _cost()),
        ("Why", _why()),
    )


def _now() -> list[Panel]:
    return [
        number(
            "In time",
            "Measured share of requests within the objective, over five minutes.",
            Query(shown("policy_slo_attainment_ratio", **ONE), "in time"),
            unit=RATIO,
        ),
        number(
            "Burn",
            "Late requests ÷ those that may be late: above 1 the objective is missed. Of latency objectives.",
            Query(f"({LATE}) / (({ALLOWED}) > 0)", "burn"),
            bad_from=1,
        ),
        number(
            "Replicas now",
            "That the target asks for, and those decided.",
            Query(shown("policy_current_replicas", **ONE), "current"),
            Query(shown("policy_desired_replicas", **ONE), "desired"),
        ),
        number(
            "Cost now per hour",
            "Of the replicas that run.",
            Query(total("currency", COST), "{{currency}}"),
        ),
        number(
            "Per 1,000 requests",
            "Cost per hour ÷ demand now.",
            Query(
                f"{total('namespace, policy, currency', COST)} / on (namespace, policy) group_left ()"
                f" ({total('namespace, policy', DEMAND)} > 0) / 3.6",
                "{{currency}}",
            ),
        ),
        number(
            "Mode",
            "In force.",
            Query(shown("policy_info", **ONE), "{{mode}}"),
            names={"1": ("in force", BLUE)},
        ),
    ]


def _objective() -> list[Panel]:
    return [
        lines(
            "Requests in time",
            "Measured share, over five minutes; the dashed line is the objective. No line: nothing measures it.",
            Query(shown("policy_slo_attainment_ratio", **ONE), "in time"),
            Query(shown("policy_slo_target_ratio", **ONE), "objective"),
            unit=RATIO,
            dashed=["objective"],
        ),
        lines(
            "Predicted latency",
            "At the target percentile, for the desired replicas, with the margin for what is not known."
            " Mean queue time or longest wait, where that is the objective.",
            Query(shown("policy_predicted_seconds", **ONE), "predicted"),
            Query(shown("policy_objective_seconds", **ONE), "objective"),
            unit=SECONDS,
            dashed=["objective"],
        ),
        lines(
            "GPU utilization",
            "Mean of the ready pods. It is high long before a fleet is slow, and says little of latency.",
            Query(shown("policy_gpu_utilization_ratio", **ONE), "mean"),
            unit=RATIO,
        ),
    ]


def _replicas() -> list[Panel]:
    load = shown("policy_replica_load_requests_per_second", **ONE)
    return [
        lines(
            "Replicas",
            "Ready below current: they start. Desired above current: they are ordered, or only recommended."
            " Baseline: what the savings compare with would run.",
            Query(shown("policy_desired_replicas", **ONE), "desired"),
            Query(shown("policy_current_replicas", **ONE), "current"),
            Query(READY, "ready"),
            Query(shown("policy_max_replicas", **ONE), "allowed"),
            Query(total("namespace", shown("policy_baseline_replicas", **ONE)), "baseline"),
            dashed=["allowed", "baseline"],
        ),
        lines(
            "Demand and what the ready replicas carry",
            "Requests per second: offered now, highest before new replicas could be ready, and what the ready ones"
            " carry within the objective.",
            Query(DEMAND, "demand"),
            Query(shown("policy_forecast_requests_per_second", **ONE), "forecast"),
            Query(f"{load} * {READY}", "within the objective"),
            unit=PER_SECOND,
            dashed=["within the objective"],
        ),
        lines(
            "Where they run",
            "Replicas that are paid for, by capacity type.",
            Query(
                total("capacity_type", shown("policy_running_replicas", **ONE)), "{{capacity_type}}"
            ),
            stacked=True,
        ),
    ]


def _cost() -> list[Panel]:
    return [
        lines(
            "Cost per hour",
            "By capacity type; dashed: at the desired replicas.",
            Query(total("capacity_type", COST), "{{capacity_type}}"),
            Query(
                total("namespace", shown("policy_desired_hourly_cost", **ONE)),
                "desired",
            ),
            stacked=True,
            dashed=["desired"],
        ),
        lines(
            "Against the baseline",
            "Cost per hour of both sides of the savings, in whole nodes; no lines while one is not known.",
            *(
                Query(total("side", shown("policy_compared_hourly_cost", side=one, **ONE)), one)
                for one in ("baseline", "policy")
            ),
        ),
        lines(
            "Month to date",
            "Since the start of the month (UTC), or since the policy was first seen in it; what the month is expected"
            " to cost, and its budget.",
            Query(total("namespace", shown("policy_month_to_date_cost", **ONE)), "so far"),
            Query(
                total("namespace", shown("policy_projected_month_cost", bound="expected", **ONE)),
                "expected",
            ),
            Query(total("namespace", shown("policy_monthly_budget", **ONE)), "budget"),
            dashed=["budget"],
            wide=4,
        ),
        number(
            "Oldest price",
            "When the oldest of the prices in use was true.",
            Query(f"1000 * {shown('policy_price_timestamp_seconds', **ONE)}", "price"),
            unit=TIME,
        ),
    ]


def _why() -> list[Panel]:
    return [
        states(
            "Conditions that should be true",
            "Grey: not known. Their messages: kubectl describe icp.",
            *(_condition(kind) for kind in GOOD_IS_TRUE),
            names={"0": ("False", RED), "1": ("True", GREEN), "2": ("Unknown", GREY)},
        ),
        states(
            "Conditions that should be false",
            "Grey: not known.",
            *(_condition(kind) for kind in GOOD_IS_FALSE),
            names={"0": ("False", GREEN), "1": ("True", ORANGE), "2": ("Unknown", GREY)},
        ),
        states(
            "Limited by",
            "What keeps the replicas from following the need. Empty: nothing.",
            Query(shown("policy_limited_by", **ONE), "{{limited_by}}"),
            names={"1": ("limits", ORANGE)},
            wide=24,
        ),
    ]


def _condition(kind: str) -> Query:
    """0, 1 or 2 for False, True and Unknown."""
    true, unknown = (
        total("type", shown("condition", type=kind, status=status, **ONE))
        for status in ("True", "Unknown")
    )
    return Query(f"{true} + 2 * {unknown}", kind)
