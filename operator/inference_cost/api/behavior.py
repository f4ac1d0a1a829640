"""`spec.behavior`: the shape of `autoscaling/v2`. What is not set adds no limit."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from inference_cost.api.base import ApiModel
from inference_cost.api.fields import ATOMIC


class SelectPolicy(StrEnum):
    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


class ScalingPolicyType(StrEnum):
    PODS = "Pods"
    PERCENT = "Percent"


class ScalingPolicy(ApiModel):
    """How much the replicas may change within a period."""

    type: ScalingPolicyType = Field(
        description="type is the unit of value: Pods (a count) or Percent (of the replicas at the"
        " start of the period, rounded up)."
    )
    value: Annotated[int, Field(strict=True, ge=1, le=10_000)] = Field(
        description="value is the largest change within periodSeconds, in the unit of type."
    )
    period_seconds: Annotated[int, Field(strict=True, ge=1, le=1800)] = Field(
        description="periodSeconds is the length of the period, in seconds."
    )


class ScalingRules(ApiModel):
    """Limits in one direction."""

    stabilization_window_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] = Field(
        default=0,
        description="stabilizationWindowSeconds is how long, in seconds, past recommendations hold"
        " the replicas back: the lowest of the window when scaling up, the highest when scaling"
        " down. Default 0: no extra wait.",
    )
    select_policy: SelectPolicy = Field(
        default=SelectPolicy.MAX,
        description="selectPolicy chooses among policies the one that allows the largest change"
        " (Max) or the smallest (Min); Disabled forbids scaling in this direction. Default Max.",
    )
    policies: Annotated[
        tuple[ScalingPolicy, ...], Field(max_length=8, json_schema_extra=ATOMIC)
    ] = Field(
        default=(),
        description="policies limit the change per period. Default empty: no limit on the step.",
    )


class Behavior(ApiModel):
    """Limits on the speed of scaling, as in `autoscaling/v2`."""

    scale_up: ScalingRules = Field(
        default=ScalingRules(),
        description="scaleUp limits how replicas are added. Default: no extra limit.",
    )
    scale_down: ScalingRules = Field(
        default=ScalingRules(),
        description="scaleDown limits how replicas are removed, on top of the operator's own"
        " prudence. Default: no extra limit (the defaults of a HorizontalPodAutoscaler are not"
        " implied).",
    )
