"""Names of the series in which the operator records what it has counted; written by one leader, read by the next."""

from typing import Final

PREFIX: Final = "inference_cost_"
POLICY_COST: Final = "policy_cost"
POOL_COST: Final = "pool_cost"
POLICY_COUNTED: Final = "policy_cost_counted_time_seconds"
POOL_COUNTED: Final = "pool_cost_counted_time_seconds"
POOL_GAP: Final = "pool_cost_gap_seconds"
POOL_UNPRICED: Final = "pool_cost_unpriced_seconds"
MONTH_TO_DATE: Final = "policy_month_to_date_cost"

COMPARED_COST: Final = "policy_compared_cost"
COMPARED_REQUESTS: Final = "policy_compared_requests"
COMPARED_LATE: Final = "policy_compared_late_requests"

UID: Final = "uid"
POLICY_LABELS: Final = ("namespace", "policy")
LINE_LABELS: Final = ("variant", "pool", "capacity_type", "cost_center", "line", "currency")
COMPARED_LABELS: Final = ("baseline", "mode")
POOL_LINE_LABELS: Final = ("pool", "capacity_type", "line", "currency")
BASELINE_SIDE, POLICY_SIDE = "baseline", "policy"
