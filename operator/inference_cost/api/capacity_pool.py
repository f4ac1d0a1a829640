"""CapacityPool: how the platform team names and prices nodes. Optional."""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from inference_cost.api.base import ApiModel, Rule
from inference_cost.api.fields import (
    LABEL_KEY,
    DecimalText,
    LabelValue,
    LabelValueNotEmpty,
    NodeCount,
    PercentText,
    map_by,
    unique_by,
)
from inference_cost.api.group import API_VERSION, CAPACITY_POOL
from inference_cost.api.metadata import ObjectMeta, TopLevel
from inference_cost.api.pool_status import CapacityPoolStatus

WARM_LIMIT: Final = 100
# Labels of nodes that the cloud may take back, as observe/nodes.py reads them.
SPOT_LABELS: Final[tuple[tuple[str, str], ...]] = (
    ("karpenter.sh/capacity-type", "spot"),
    ("eks.amazonaws.com/capacityType", "SPOT"),
    ("cloud.google.com/gke-spot", "true"),
    ("cloud.google.com/gke-preemptible", "true"),
    ("cloud.google.com/gke-provisioning", "spot"),
    ("cloud.google.com/gke-provisioning", "preemptible"),
    ("kubernetes.azure.com/scalesetpriority", "spot"),
    ("kubernetes.azure.com/priority", "spot"),
    ("machine.openshift.io/interruptible-instance", ""),
    ("machine.openshift.io/interruptible-instance", "true"),
)


class NodeSelector(ApiModel):
    """Labels that bind nodes to the pool."""

    rules = (
        Rule(
            cel=f"self.matchLabels.all(key, key.matches('{LABEL_KEY}'))",
            message="each key of `matchLabels` must be a node label, for example"
            " karpenter.sh/nodepool",
            field="matchLabels",
            holds=lambda self: all(re.fullmatch(LABEL_KEY, key) for key in self.match_labels),
        ),
    )
    match_labels: Annotated[dict[str, LabelValue], Field(min_length=1, max_length=8)] = Field(
        description="matchLabels are the labels that a node must all have."
    )


class Offering(ApiModel):
    """The price of one instance type."""

    rules = (
        Rule(
            cel="double(self.perNodeHour) > 0.0",
            message="`perNodeHour` must be greater than 0; leave the offering out when its price is"
            " unknown",
            field="perNodeHour",
            holds=lambda self: Decimal(self.per_node_hour) > 0,
        ),
    )
    instance_type: LabelValueNotEmpty = Field(
        description="instanceType is the value of the node label node.kubernetes.io/instance-type."
    )
    zone: LabelValue = Field(
        default="",
        description="zone is the value of the node label topology.kubernetes.io/zone. Default"
        " empty: every zone without an offering of its own.",
    )
    per_node_hour: DecimalText = Field(
        description="perNodeHour is the price of one whole node per hour, a decimal string in the"
        " currency of the installation."
    )


class Limits(ApiModel):
    """How much of the pool policies may order."""

    rules = (
        Rule(
            cel="has(self.nodes) || has(self.hourlyCost)",
            message="`limits` must have `nodes`, `hourlyCost` or both; leave it out where there is no limit",
            holds=lambda self: self.nodes is not None or self.hourly_cost is not None,
        ),
    )
    nodes: NodeCount | None = Field(
        default=None,
        description="nodes is the largest number of nodes, in shares that replicas take of one: of a"
        " replica that takes half of a node twice as many fit. Replicas of different shares may not"
        " fit together on so few nodes: where it must hold, set the limit of the node pool as well."
        " What other pods use of the pool counts too. 0: no more are ordered here. Default unset: no"
        " limit.",
    )
    hourly_cost: DecimalText | None = Field(
        default=None,
        description="hourlyCost is the most that what is used of the nodes may cost per hour, a"
        " decimal string in the currency of the installation. Where the price of a node is not"
        " known it limits nothing. Default unset: no limit.",
    )


class WarmStrategy(StrEnum):
    """How nodes are kept ready for replicas that do not run yet."""

    NONE = "None"
    PLACEHOLDER = "Placeholder"
    CAPACITY_BUFFER = "CapacityBuffer"


class Warm(ApiModel):
    """Nodes kept ready for all policies of the pool together."""

    rules = (
        Rule(
            cel="self.min <= self.max",
            message="`min` must be at most `max`; lower it, or raise `max`",
            field="min",
            holds=lambda self: self.min <= self.max,
        ),
        Rule(
            cel="self.strategy != 'CapacityBuffer' || !self.prePullImages",
            message="`prePullImages` must not be set with `strategy: CapacityBuffer`, which has no pods to load"
            " images; remove it, or set `strategy: Placeholder`",
            field="prePullImages",
            holds=lambda self: (
                self.strategy is not WarmStrategy.CAPACITY_BUFFER or not self.pre_pull_images
            ),
        ),
    )
    strategy: WarmStrategy = Field(
        default=WarmStrategy.PLACEHOLDER,
        description="strategy is how nodes are kept. Placeholder: by pods of low priority, which make"
        " room for any other pod at once; they are created only with the chart value warm.enabled."
        " CapacityBuffer: by an object of autoscaling.x-k8s.io/v1beta1, where the cluster's autoscaler"
        " serves it and the chart value warm.capacityBuffers is set. None: no node is kept. Default"
        " Placeholder.",
    )
    min: Annotated[int, Field(strict=True, ge=0, le=WARM_LIMIT)] = Field(
        default=0, description="min is the least number of nodes kept ready. Default 0."
    )
    max: Annotated[int, Field(strict=True, ge=1, le=WARM_LIMIT)] = Field(
        default=5, description="max is the largest number of nodes kept ready. Default 5."
    )
    pre_pull_images: Annotated[bool, Field(strict=True)] = Field(
        default=False,
        description="prePullImages says whether the images of the policies' pods are loaded onto these"
        " nodes ahead of time. Images that need a pull secret are left out: secrets are not read."
        " Default false.",
    )


def _is_spot(labels: Mapping[str, str]) -> bool:
    return any(labels.get(key) == value for key, value in SPOT_LABELS)


_SPOT_LABELS_IN_CEL: Final = ", ".join(f"'{key}={value}'" for key, value in SPOT_LABELS)
_SELECTS_SPOT: Final = (
    "self.nodeSelector.matchLabels.exists(key,"
    f" (key + '=' + self.nodeSelector.matchLabels[key]) in [{_SPOT_LABELS_IN_CEL}])"
)


class CapacityPoolSpec(ApiModel):
    """Which nodes, at which price. One accelerator product and one capacity type per pool."""

    rules = (
        Rule(
            cel="!has(self.discountPercent) || size(self.offerings) == 0",
            message="`discountPercent` must not be set together with `offerings`: a price is either"
            " given or derived from the list price",
            field="discountPercent",
            holds=lambda self: self.discount_percent is None or not self.offerings,
        ),
        Rule(
            cel="!has(self.discountPercent) || double(self.discountPercent) < 100.0",
            message='`discountPercent` must be less than 100, written as a string: "12.5"',
            field="discountPercent",
            holds=lambda self: (
                self.discount_percent is None or Decimal(self.discount_percent) < Decimal(100)
            ),
        ),
        Rule(
            cel=f"!has(self.warm) || self.warm.strategy == 'None' || !{_SELECTS_SPOT}",
            message="`warm` must not be set for spot nodes, which are taken back just when they are"
            " needed; remove it, or set it on a CapacityPool of on-demand or reserved nodes",
            field="warm",
            holds=lambda self: (
                self.warm is None
                or self.warm.strategy is WarmStrategy.NONE
                or not _is_spot(self.node_selector.match_labels)
            ),
        ),
    )
    node_selector: NodeSelector = Field(
        description="nodeSelector binds nodes to the pool. They should have one accelerator product"
        " and one capacity type."
    )
    offerings: Annotated[
        tuple[Offering, ...],
        Field(max_length=64, json_schema_extra=map_by("instanceType", "zone")),
        unique_by("instance_type", "zone"),
    ] = Field(
        default=(),
        description="offerings are prices that replace the list prices. Default empty: list prices.",
    )
    discount_percent: PercentText | None = Field(
        default=None,
        description="discountPercent is taken off the list prices, in percent, a decimal string"
        ' such as "12.5". Not together with offerings. Default unset: no discount.',
    )
    limits: Limits | None = Field(
        default=None,
        description="limits are bounds on what policies may order in the pool, all together. They never"
        " take away replicas that serve: no more are added, and policies of higher priority come"
        " first. Default unset: no limit.",
    )
    warm: Warm | None = Field(
        default=None,
        description="warm asks for nodes that are kept ready for all policies of the pool together: a"
        " replica that starts there waits for no machine. Not on spot nodes. Default unset: none.",
    )


class CapacityPool(TopLevel):
    """CapacityPool names a group of nodes and says what they cost."""

    names = CAPACITY_POOL

    api_version: str = API_VERSION
    kind: str = CAPACITY_POOL.kind
    metadata: ObjectMeta = ObjectMeta()
    spec: CapacityPoolSpec = Field(description="spec is the desired state.")
    status: CapacityPoolStatus | None = Field(
        default=None, description="status is the recent observation, written by the operator."
    )
