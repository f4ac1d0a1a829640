"""Conditions: types, reasons, and how a new set is merged into the stored one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from inference_cost.api.base import ApiModel
from inference_cost.api.fields import Generation, Message, Time, shorten


class ConditionType(StrEnum):
    """Conditions of an InferenceCostPolicy."""

    READY = "Ready"
    ACCEPTED = "Accepted"
    METRICS_AVAILABLE = "MetricsAvailable"
    SLO_MET = "SLOMet"
    CAPACITY_AVAILABLE = "CapacityAvailable"
    SCALING_LIMITED = "ScalingLimited"
    CONFLICTED = "Conflicted"


class PoolConditionType(StrEnum):
    """Conditions of a CapacityPool."""

    PRICE_KNOWN = "PriceKnown"


class ConditionStatus(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


CONDITION_MEANING: dict[ConditionType, str] = {
    ConditionType.READY: "The policy is accepted and its target is found. A metrics gap leaves it.",
    ConditionType.ACCEPTED: "The policy can be acted on as written.",
    ConditionType.METRICS_AVAILABLE: "Metrics are fresh and complete enough to decide on.",
    ConditionType.SLO_MET: "The objective is met; True or False only from a measurement.",
    ConditionType.CAPACITY_AVAILABLE: "The replicas asked for get nodes and start.",
    ConditionType.SCALING_LIMITED: "Something keeps the replicas from following the need.",
    ConditionType.CONFLICTED: "Another autoscaler, policy or manager wants the same replicas.",
}


class ConditionReason(StrEnum):
    """Reasons beyond those that say which reading is missing (`MetricsAvailable`)."""

    READY = "Ready"
    ACCEPTED = "Accepted"
    NOT_OBSERVED = "NotObserved"
    INVALID_SPEC = "InvalidSpec"
    INVALID_ANNOTATION = "InvalidAnnotation"
    TARGET_NOT_FOUND = "TargetNotFound"
    KIND_NOT_ENABLED = "KindNotEnabled"
    NO_SCALE_SUBRESOURCE = "NoScaleSubresource"
    OWNED_BY = "OwnedBy"
    INTERNAL_ERROR = "InternalError"
    METRICS_FRESH = "MetricsFresh"
    MET = "Met"
    VIOLATED = "Violated"
    NOT_MEASURED = "NotMeasured"
    SHARED_POD = "SharedPod"
    CAPACITY_SUFFICIENT = "CapacitySufficient"
    PODS_PENDING = "PodsPending"
    PODS_FAILING = "PodsFailing"
    REFUSED = "Refused"
    NOT_LIMITED = "NotLimited"
    PAUSED = "Paused"
    NO_CONFLICT = "NoConflict"
    AUTOSCALER = "Autoscaler"
    POLICY = "Policy"
    REVERTED = "Reverted"
    PRICE_KNOWN = "PriceKnown"
    PRICE_UNKNOWN = "PriceUnknown"


class Condition(ApiModel):
    """One aspect of the state, as in `metav1.Condition`."""

    type: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Z][A-Za-z0-9]*$")] = (
        Field(description="type names the aspect, in CamelCase.")
    )
    status: ConditionStatus = Field(description="status is one of True, False, Unknown.")
    reason: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Z][A-Za-z0-9]*$")] = (
        Field(description="reason says in one CamelCase word why the status is as it is.")
    )
    message: Message = Field(
        default="", description="message says it to a person, with the field and the fix."
    )
    observed_generation: Generation = Field(
        default=0,
        description="observedGeneration is the metadata.generation that this condition speaks of.",
    )
    last_transition_time: Time = Field(
        description="lastTransitionTime is when status last changed."
    )


def condition(
    kind: ConditionType | PoolConditionType,
    status: ConditionStatus,
    reason: str,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> Condition:
    """A condition as seen at `now`, its message cut to what the schema admits."""
    return Condition(
        type=kind.value,
        status=status,
        reason=reason,
        message=shorten(message),
        observed_generation=generation,
        last_transition_time=now,
    )


def merge_conditions(
    stored: Sequence[Condition], seen: Iterable[Condition]
) -> tuple[Condition, ...]:
    """The conditions to store: `lastTransitionTime` is kept where the status did not change."""
    before = {(c.type, c.status): c.last_transition_time for c in stored}
    return tuple(
        c.model_copy(
            update={"last_transition_time": before.get((c.type, c.status), c.last_transition_time)}
        )
        for c in seen
    )
