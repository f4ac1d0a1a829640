"""What a policy scales: one workload, or variants of it in different places."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from inference_cost.api.base import ApiModel, Rule
from inference_cost.api.fields import (
    API_VERSION_PATTERN,
    DNS_LABEL,
    CamelCase,
    DnsName,
    Replicas,
    ReplicasFromZero,
)


class ScaleTargetRef(ApiModel):
    """The workload to scale, in the namespace of the policy."""

    rules = (
        Rule(
            cel="self == oldSelf",
            message="`scaleTargetRef` may not be changed; create a new policy for the other target",
            on_update=lambda new, old: new == old,
        ),
    )
    api_version: Annotated[
        str, Field(min_length=1, max_length=317, pattern=API_VERSION_PATTERN)
    ] = Field(
        default="apps/v1",
        description="apiVersion is the API group and version of the target, as this installation"
        " watches it. Default apps/v1.",
    )
    kind: CamelCase = Field(
        default="Deployment",
        description="kind is the kind of the target. It must have a /scale subresource and be"
        " enabled in this installation; Deployment and StatefulSet are. Default Deployment.",
    )
    name: DnsName = Field(description="name is the name of the target.")


class PoolRef(ApiModel):
    """A CapacityPool."""

    name: DnsName = Field(description="name is the name of the CapacityPool.")


class Variant(ApiModel):
    """One of several workloads that serve the same requests in different places."""

    rules = (
        Rule(
            cel="!has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
            message="`minReplicas` must be less than or equal to `maxReplicas`; lower the one or"
            " raise the other",
            field="minReplicas",
            holds=lambda self: self.max_replicas is None or self.min_replicas <= self.max_replicas,
        ),
    )
    name: Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL)] = Field(
        description="name is what the variant is called in status, for example spot."
    )
    scale_target_ref: ScaleTargetRef = Field(
        description="scaleTargetRef is the workload to scale, in the namespace of the policy. It"
        " exists already, and its pods serve behind the same Service as those of the others."
    )
    pool_ref: PoolRef | None = Field(
        default=None,
        description="poolRef is the CapacityPool that the workload runs on; its pod template must"
        " select the nodes of that pool. It tells what a replica costs and whether it can be lost"
        " where none runs yet. Default unset: known from the nodes once replicas run.",
    )
    min_replicas: ReplicasFromZero = Field(
        default=0,
        description="minReplicas is the smallest number of replicas of this variant. Default 0.",
    )
    max_replicas: Replicas | None = Field(
        default=None,
        description="maxReplicas is the largest number of replicas of this variant. Default unset:"
        " that of the policy.",
    )
    max_traffic_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        default=100,
        description="maxTrafficPercent is the largest part of the replicas, and so of the"
        " requests, that this variant may have, in percent. Default 100.",
    )


class SpotRisk(StrEnum):
    PRICED = "Priced"
    SURVIVE_LARGEST_ZONE = "SurviveLargestZone"
