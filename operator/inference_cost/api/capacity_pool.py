"""CapacityPool: how the platform team names and prices nodes. Optional."""

import re
from decimal import Decimal
from typing import Annotated

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
        description="nodes is the largest number of nodes: of a replica that takes half of a node"
        " twice as many fit. What other pods use of the pool counts too. 0: no more are ordered"
        " here. Default unset: no limit.",
    )
    hourly_cost: DecimalText | None = Field(
        default=None,
        description="hourlyCost is the most that what is used of the nodes may cost per hour, a"
        " decimal string in the currency of the installation. Where the price of a node is not"
        " known it limits nothing. Default unset: no limit.",
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
