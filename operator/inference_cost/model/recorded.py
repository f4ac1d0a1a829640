"""Names of the series in which the operator records what it has counted; written by one leader, read by the next."""

from typing import Final

PREFIX: Final = "inference_cost_"
POLICY_COST: Final = "policy_cost"
POOL_COST: Final = "pool_cost"
POLICY_CHARGED: Final = "policy_charged_seconds"
POOL_CHARGED: Final = "pool_charged_seconds"
POLICY_COUNTED: Final = "policy_cost_counted_time_seconds"
POOL_COUNTED: Final = "pool_cost_counted_time_seconds"
POLICY_UNKNOWN: Final = "policy_cost_unknown_seconds"
POOL_UNKNOWN: Final = "pool_cost_unknown_seconds"
MONTH_TO_DATE: Final = "policy_month_to_date_cost"

COMPARED_COST: Final = "policy_compared_cost"
COMPARED_REQUESTS: Final = "policy_compared_requests"
COMPARED_LATE: Final = "policy_compared_late_requests"
COMPARED_SECONDS: Final = "policy_compared_seconds"

UID: Final = "uid"
REASON: Final = "reason"
SIDE: Final = "side"
POLICY_LABELS: Final = ("namespace", "policy")
PLACE_LABELS: Final = ("variant", "pool", "capacity_type", "cost_center", "line")
LINE_LABELS: Final = (*PLACE_LABELS, "currency")
POOL_PLACE_LABELS: Final = ("pool", "capacity_type", "line")
POOL_LINE_LABELS: Final = (*POOL_PLACE_LABELS, "currency")
COMPARED_LABELS: Final = ("baseline", "mode")
BASELINE_SIDE, POLICY_SIDE = "baseline", "policy"
AWAY, UNPRICED = "away", "price"  # why time is not known
