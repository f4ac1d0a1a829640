"""Conditions: what each type means, and how one is stored."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from inference_cost.api.base import ApiModel
from inference_cost.api.fields import Generation, Message, Time, map_by, unique_by

MAX_CONDITIONS: Final = 16  # eight are ours at most; others may add theirs


class ConditionType(StrEnum):
    """Conditions of an InferenceCostPolicy."""

    READY = "Ready"
    ACCEPTED = "Accepted"
    METRICS_AVAILABLE = "MetricsAvailable"
    SLO_MET = "SLOMet"
    CAPACITY_AVAILABLE = "CapacityAvailable"
    SCALING_LIMITED = "ScalingLimited"
    TRAFFIC_UNEVEN = "TrafficUneven"
    CONFLICTED = "Conflicted"


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
    ConditionType.TRAFFIC_UNEVEN: "Some ready pods get far more of the requests than others.",
    ConditionType.CONFLICTED: "Another autoscaler, policy or manager wants the same replicas.",
}


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


Conditions = Annotated[
    tuple[Condition, ...],
    Field(max_length=MAX_CONDITIONS, json_schema_extra=map_by("type")),
    unique_by("type"),
]
