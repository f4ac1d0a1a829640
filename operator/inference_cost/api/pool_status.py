"""Status of a CapacityPool: recent observation, rebuilt from the world at any time."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from inference_cost.api.base import ApiModel
from inference_cost.api.conditions import Conditions
from inference_cost.api.fields import (
    OBSERVED_LIMIT,
    DecimalText,
    Generation,
    Message,
    NodeCount,
    ObservedReplicas,
    Time,
)
from inference_cost.api.policy_status import PriceSource

Seconds = Annotated[int, Field(strict=True, ge=0, le=86_400)]


class PoolConditionType(StrEnum):
    """Conditions of a CapacityPool."""

    AVAILABLE = "Available"
    PRICE_KNOWN = "PriceKnown"
    SCARCE = "Scarce"
    WARM_READY = "WarmReady"


POOL_CONDITION_MEANING: Final[dict[PoolConditionType, str]] = {
    PoolConditionType.AVAILABLE: "The pool has nodes that are ready and stay.",
    PoolConditionType.PRICE_KNOWN: "What a node costs is known, so replicas may be moved to save money.",
    PoolConditionType.SCARCE: "Nodes were taken back, did not come or are cordoned: fewer are asked for, for a while.",
    PoolConditionType.WARM_READY: "The nodes that spec.warm keeps ready are free; Unknown where it asks for none.",
}


Starts = Annotated[int, Field(strict=True, ge=1, le=OBSERVED_LIMIT)]


class LeadTimePart(ApiModel):
    """How long one part of the starts took."""

    starts: Starts = Field(description="starts is the number of starts that had this part.")
    p50_seconds: Seconds = Field(description="p50Seconds is their median, in seconds.")
    p95_seconds: Seconds = Field(description="p95Seconds is their 95th percentile, in seconds.")


class LeadTime(ApiModel):
    """From the creation of a pod to ready, as seen in this pool by all policies."""

    starts: Starts = Field(
        description="starts is the number of starts that were seen, of the newest of each policy."
    )
    p50_seconds: Seconds = Field(description="p50Seconds is their median, in seconds.")
    p95_seconds: Seconds = Field(description="p95Seconds is their 95th percentile, in seconds.")
    node: LeadTimePart | None = Field(
        default=None,
        description="node is the wait for a node, of pods for which one was bought: from the creation"
        " of the pod until it was bound. Unset until three were seen.",
    )
    image: LeadTimePart | None = Field(
        default=None,
        description="image is from there until its containers ran: volumes, images, init containers."
        " Unset until three were seen.",
    )
    pod: LeadTimePart | None = Field(
        default=None,
        description="pod is from there until it was ready: the server starts and loads its models."
        " Unset until three were seen.",
    )


class WarmStatus(ApiModel):
    """Nodes kept ready for replicas that do not run yet."""

    shown: Annotated[str, Field(max_length=32)] = Field(
        description="shown is ready/wanted, as kubectl get shows it."
    )
    ready: NodeCount = Field(description="ready is the number of nodes that are free at once.")
    wanted: NodeCount = Field(description="wanted is the number that there should be.")
    used_by_others: NodeCount = Field(
        description="usedByOthers is the number of these nodes on which pods run now that belong to"
        " no policy."
    )
    uses_per_day: ObservedReplicas = Field(
        description="usesPerDay is how many replicas of policies started there in the last 24 hours."
    )
    per_hour: DecimalText | None = Field(
        default=None,
        description="perHour is what the nodes that are kept cost per hour now, a decimal string. It"
        " is part of no policy's cost. Unset when a price is not known.",
    )
    message: Message = Field(description="message says why so many.")


class CapacityPoolStatus(ApiModel):
    """The recent observation."""

    observed_generation: Generation = Field(
        default=0,
        description="observedGeneration is the metadata.generation that the status speaks of.",
    )
    conditions: Conditions = Field(
        default=(),
        description="conditions are Available, PriceKnown, Scarce and WarmReady. Default empty: not looked"
        " at yet.",
    )
    nodes: NodeCount | None = Field(
        default=None, description="nodes is the number of nodes that the pool binds."
    )
    pods: ObservedReplicas | None = Field(
        default=None, description="pods is the number of pods of policies that run on them."
    )
    per_node_hour: DecimalText | None = Field(
        default=None,
        description="perNodeHour is the price of one node per hour, the lowest where nodes differ,"
        " a decimal string. Unset when it is not known.",
    )
    price_source: PriceSource | None = Field(
        default=None, description="priceSource is where that price comes from."
    )
    price_time: Time | None = Field(
        default=None, description="priceTime is the date of that price."
    )
    losses_per_hour: DecimalText | None = Field(
        default=None,
        description="lossesPerHour is how often the cloud is expected to take a zone of it away per"
        " hour, as the policies with a variant here learned it together. Unset where none has one, or"
        " nothing is taken away.",
    )
    away_until: Time | None = Field(
        default=None,
        description="awayUntil is until when the last policy asks for no more here, after a loss or"
        " because none came. Unset where all may.",
    )
    lead_time: LeadTime | None = Field(
        default=None,
        description="leadTime is how long starts took here. Unset until three were seen: decisions reckon"
        " with the installation's startUpSecondsPrior until then.",
    )
    warm: WarmStatus | None = Field(
        default=None,
        description="warm is what is kept ready. Unset where spec.warm asks for nothing.",
    )
