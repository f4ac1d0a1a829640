"""Status of an InferenceCostPolicy: recent observation, rebuilt from the world at any time."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from inference_cost.api.base import ApiModel
from inference_cost.api.baseline import Baseline
from inference_cost.api.conditions import Conditions
from inference_cost.api.fields import (
    ATOMIC,
    JSON_INTEGER_LIMIT,
    OBSERVED_LIMIT,
    CamelCase,
    Currency,
    DecimalText,
    DnsName,
    Generation,
    LabelValueNotEmpty,
    Message,
    Microseconds,
    NodeCount,
    ObservedMilliseconds,
    ObservedReplicas,
    PercentText,
    SignedDecimalText,
    SignedPercentText,
    Time,
    map_by,
    unique_by,
)

MAX_PLACEMENTS = 8


class ReplicaStatus(ApiModel):
    """Replicas of the target."""

    current: ObservedReplicas = Field(
        description="current is the replica count that the target asks for now."
    )
    ready: ObservedReplicas = Field(description="ready is the number of pods that are Ready.")
    desired: ObservedReplicas = Field(
        description="desired is the replica count decided; in Recommend it is not written."
    )


class VariantStatus(ApiModel):
    """One of several variants."""

    name: DnsName = Field(description="name is that of the variant.")
    current: ObservedReplicas = Field(
        description="current is the replica count that its target asks for now."
    )
    ready: ObservedReplicas = Field(description="ready is the number of its pods that are Ready.")
    desired: ObservedReplicas = Field(
        description="desired is the replica count decided, those included that stay until others"
        " serve in their place; in Recommend it is not written."
    )
    per_replica_hour: DecimalText | None = Field(
        default=None,
        description="perReplicaHour is the price of one replica per hour, a decimal string. Unset"
        " when it is not known.",
    )
    losses_per_hour: DecimalText | None = Field(
        default=None,
        description="lossesPerHour is how often the cloud is expected to take a zone of it away per"
        " hour, as learned here. Unset where nothing is taken away.",
    )
    away_until: Time | None = Field(
        default=None,
        description="awayUntil is until when no more replicas are asked for here, after a loss or"
        " because none came. Unset where they may be.",
    )


class DemandStatus(ApiModel):
    """Load offered to the target."""

    requests_per_second: DecimalText = Field(
        description="requestsPerSecond is the load offered now, in requests per second."
    )
    forecast_requests_per_second: DecimalText | None = Field(
        default=None,
        description="forecastRequestsPerSecond is the highest load expected before a new replica"
        " could be ready, in requests per second.",
    )
    backlog_requests: Annotated[int, Field(strict=True, ge=0, le=JSON_INTEGER_LIMIT)] | None = (
        Field(
            default=None,
            description="backlogRequests is the number of requests that wait beyond the steady state.",
        )
    )


class ProfileSource(StrEnum):
    BATCH_STATISTICS = "BatchStatistics"
    COUNTERS = "Counters"
    CHECKPOINT = "Checkpoint"
    LARGEST_SEEN = "LargestSeen"


class ProfileStatus(ApiModel):
    """What one replica can do, as learned: a batch of b requests takes alpha + beta · b."""

    alpha_microseconds: Microseconds = Field(
        description="alphaMicroseconds is the fixed time of one batch, in microseconds."
    )
    beta_microseconds: Microseconds = Field(
        description="betaMicroseconds is the time that each request adds to its batch, in"
        " microseconds."
    )
    max_batch_size: Annotated[int, Field(strict=True, ge=1, le=OBSERVED_LIMIT)] = Field(
        description="maxBatchSize is the largest batch that Triton forms, in requests."
    )
    requests_per_second_per_replica: DecimalText = Field(
        description="requestsPerSecondPerReplica is the load at which one replica still meets the"
        " objective, in requests per second."
    )
    source: ProfileSource = Field(
        description="source is where the profile comes from: BatchStatistics (Triton's timings per"
        " batch), Counters (learned from Prometheus), Checkpoint (restored) or LargestSeen (the"
        " largest load seen while the objective held)."
    )
    error_percent: PercentText = Field(
        description="errorPercent is the relative uncertainty of the largest batch's time, in"
        " percent (two standard deviations)."
    )
    calibration_percent: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = Field(
        default=None,
        description="calibrationPercent is the load at which the latency model predicts what is"
        " observed, as a share of the real load, in percent: 100 where it is exact, more where it is"
        " optimistic. Unset until enough was observed.",
    )
    template_hash: LabelValueNotEmpty = Field(
        description="templateHash is the pod-template hash that the profile was learned for."
    )


class SloState(StrEnum):
    MET = "Met"
    AT_RISK = "AtRisk"
    VIOLATED = "Violated"
    UNKNOWN = "Unknown"


class MeasuredAt(StrEnum):
    GATEWAY = "Gateway"
    SERVER = "Server"
    PREDICTED = "Predicted"


class SloStatus(ApiModel):
    """How the objective is met."""

    state: SloState = Field(
        description="state is Met or Violated (measured), AtRisk (measured as met, predicted to be"
        " missed) or Unknown (not measured)."
    )
    measured_at: MeasuredAt = Field(
        description="measuredAt is where compliance is measured: Gateway or Server; Predicted means"
        " that it is not measured."
    )
    attainment_percent: PercentText | None = Field(
        default=None,
        description="attainmentPercent is the measured share of requests within the objective, in"
        " percent. Unset when not measured.",
    )
    predicted_milliseconds: ObservedMilliseconds | None = Field(
        default=None,
        description="predictedMilliseconds is the latency at the target percentile, the mean queue"
        " time, or the longest wait, predicted for the desired replicas, in milliseconds. Unset when"
        " nothing is learned yet.",
    )


class PriceSource(StrEnum):
    CAPACITY_POOL = "CapacityPool"
    NODE_OVERLAY = "NodeOverlay"
    KARPENTER = "Karpenter"
    OPEN_COST = "OpenCost"
    SHIPPED_TABLE = "ShippedTable"
    MIXED = "Mixed"


class BudgetState(StrEnum):
    WITHIN = "Within"
    AT_RISK = "AtRisk"
    EXCEEDED = "Exceeded"


class ProjectedMonth(ApiModel):
    """What the month will have cost."""

    expected: DecimalText = Field(
        description="expected is the cost of the whole month, if the rest of it costs what the last"
        " whole days did: a decimal string."
    )
    low: DecimalText | None = Field(
        default=None,
        description="low is the lower end of the band in which four of five months end. Unset before"
        " three whole days are known.",
    )
    high: DecimalText | None = Field(
        default=None,
        description="high is the upper end of that band. Unset before three whole days are known.",
    )


class CostStatus(ApiModel):
    """What the replicas cost: their share of the nodes that they really run on."""

    currency: Currency = Field(
        description="currency is the ISO 4217 code of all amounts, a setting of the installation."
    )
    per_hour: DecimalText | None = Field(
        default=None,
        description="perHour is the cost of the current replicas per hour, a decimal string. Unset"
        " when no price is known.",
    )
    month_to_date: DecimalText | None = Field(
        default=None,
        description="monthToDate is the cost since monthToDateSince, a decimal string.",
    )
    month_to_date_since: Time | None = Field(
        default=None,
        description="monthToDateSince is the start of monthToDate: of the month (UTC), or when the"
        " policy was first seen in it.",
    )
    coverage_percent: PercentText | None = Field(
        default=None,
        description="coveragePercent is the share of that time in which the nodes and their prices"
        " were known, in percent.",
    )
    per_thousand_inferences: DecimalText | None = Field(
        default=None,
        description="perThousandInferences is the cost of the current replicas for each thousand"
        " inferences of the last minute, a decimal string. Unset when nothing was served or no price"
        " is known.",
    )
    per_thousand_in_time: DecimalText | None = Field(
        default=None,
        description="perThousandInTime is the same for each thousand requests within the objective,"
        " where that is measured.",
    )
    per_million_tokens: DecimalText | None = Field(
        default=None,
        description="perMillionTokens is the same for each million tokens read and written. Unset"
        " where the backend reports none.",
    )
    projected_month: ProjectedMonth | None = Field(
        default=None,
        description="projectedMonth is what the calendar month (UTC) will have cost. Unset when no"
        " price is known, or a target is not followed.",
    )
    budget_state: BudgetState | None = Field(
        default=None,
        description="budgetState is Within, AtRisk (the month is expected to cost more than"
        " spec.monthlyBudget) or Exceeded (it has already). Unset without a budget, and where neither"
        " can be said because part of what ran this month had no price, or was not counted.",
    )
    price_source: PriceSource | None = Field(
        default=None,
        description="priceSource is where the prices come from: CapacityPool, NodeOverlay"
        " (Karpenter's object for negotiated prices), Karpenter (the cloud's price of the"
        " offering), OpenCost, ShippedTable (list prices shipped with the"
        " operator) or Mixed.",
    )
    price_time: Time | None = Field(
        default=None, description="priceTime is the date of the oldest price in use."
    )


class SavingsState(StrEnum):
    MEASURED = "Measured"
    POTENTIAL = "Potential"
    UNKNOWN = "Unknown"


class SavingsStatus(ApiModel):
    """This month against the baseline, both at the same objective. In whole nodes, idle ones included."""

    baseline: Baseline = Field(
        description="baseline is spec.baseline: Observed, HPA or StaticPeak."
    )
    state: SavingsState = Field(
        description="state is Measured (mode Enforce), Potential (what the decisions would save; mode"
        " Recommend) or Unknown (message says why)."
    )
    amount: SignedDecimalText | None = Field(
        default=None,
        description="amount is what was saved since `since`, a decimal string; negative where more"
        " was paid. Unset when it is not known.",
    )
    percent: SignedPercentText | None = Field(
        default=None, description="percent is the same, of what the baseline would have cost."
    )
    since: Time = Field(
        description="since is the start of the count: of the month (UTC), or of the mode or baseline."
    )
    cost: DecimalText | None = Field(
        default=None, description="cost is what was paid, or would have been, a decimal string."
    )
    baseline_cost: DecimalText | None = Field(
        default=None, description="baselineCost is what the baseline would have cost."
    )
    in_time_percent: PercentText | None = Field(
        default=None,
        description="inTimePercent is the share of requests within the objective on the policy's"
        " side, in percent.",
    )
    baseline_in_time_percent: PercentText | None = Field(
        default=None, description="baselineInTimePercent is the same on the baseline's side."
    )
    message: Message = Field(
        default="",
        description="message says what was counted, what is assumed, and why there is no amount where"
        " there is none. Default empty.",
    )


class GpuUtilizationStatus(ApiModel):
    """Mean GPU utilization of the ready pods, or why it is not known."""

    percent: Annotated[int, Field(strict=True, ge=0, le=100)] | None = Field(
        default=None,
        description="percent is the mean GPU utilization of the ready pods, in percent. Unset when"
        " not known.",
    )
    reason: CamelCase | None = Field(
        default=None,
        description="reason is why percent is not known, for example NotExported.",
    )


class DecisionAction(StrEnum):
    SCALE_OUT = "ScaleOut"
    SCALE_IN = "ScaleIn"
    HOLD = "Hold"


class DecisionStatus(ApiModel):
    """The last decision, and why."""

    time: Time = Field(description="time is when this was first decided.")
    action: DecisionAction = Field(
        description="action is ScaleOut (add replicas), ScaleIn (remove some) or Hold."
    )
    desired_replicas: ObservedReplicas = Field(
        description="desiredReplicas is the replica count decided."
    )
    limited_by: CamelCase | None = Field(
        default=None,
        description="limitedBy is what keeps the replicas from following the need, for example"
        " MaxReplicas or Rollout. Unset when nothing does.",
    )
    message: Message = Field(
        default="",
        description="message says what was seen, what was chosen and why, to a person. Default"
        " empty.",
    )
    why_not_fewer: Message | None = Field(
        default=None, description="whyNotFewer says what one replica fewer would do."
    )
    cost_per_hour: DecimalText | None = Field(
        default=None,
        description="costPerHour is the cost of the desired replicas per hour, a decimal string."
        " Unset when no price is known.",
    )
    saves_per_hour: SignedDecimalText | None = Field(
        default=None,
        description="savesPerHour is what nodes cost less per hour with the desired replicas, if those"
        " that empty are removed, a decimal string. A replica that leaves its node to others saves"
        " nothing; negative where more nodes are needed. Unset when a price is not known.",
    )


class Placement(ApiModel):
    """Replicas of one variant in one pool."""

    variant: DnsName = Field(
        description="variant is the name of the variant: default, for a single scale target."
    )
    pool: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        description="pool is the CapacityPool, or the pool inferred from node labels."
    )
    replicas: ObservedReplicas = Field(description="replicas is the number of pods there.")
    nodes: NodeCount = Field(description="nodes is the number of nodes that they run on.")
    per_hour: DecimalText | None = Field(
        default=None,
        description="perHour is their cost per hour, a decimal string. Unset when no price is"
        " known.",
    )


class PolicyStatus(ApiModel):
    """The recent observation."""

    observed_generation: Generation = Field(
        default=0,
        description="observedGeneration is the metadata.generation that the status speaks of.",
    )
    conditions: Conditions = Field(
        default=(),
        description="conditions are Ready, Accepted, MetricsAvailable, SLOMet, CapacityAvailable,"
        " ScalingLimited, TrafficUneven and Conflicted. Default empty: not looked at yet.",
    )
    target: Annotated[str, Field(max_length=512)] | None = Field(
        default=None,
        description="target names the workload that is scaled, or those of all variants. Unset"
        " until it was looked at.",
    )
    replicas: ReplicaStatus | None = Field(
        default=None, description="replicas are the replicas of the target: asked for, ready, due."
    )
    variants: Annotated[
        tuple[VariantStatus, ...],
        Field(max_length=MAX_PLACEMENTS, json_schema_extra=map_by("name")),
        unique_by("name"),
    ] = Field(
        default=(),
        description="variants are the replicas of each of several variants. Default empty: there is"
        " one workload.",
    )
    demand: DemandStatus | None = Field(
        default=None, description="demand is the load. Unset when no metrics are usable."
    )
    profile: ProfileStatus | None = Field(
        default=None,
        description="profile is what one replica can do. Unset until it is learned.",
    )
    slo: SloStatus | None = Field(default=None, description="slo is how the objective is met.")
    cost: CostStatus | None = Field(default=None, description="cost is what the replicas cost.")
    savings: SavingsStatus | None = Field(
        default=None, description="savings is this month against the baseline."
    )
    gpu_utilization: GpuUtilizationStatus | None = Field(
        default=None,
        description="gpuUtilization is that of the ready pods, or why it is not known.",
    )
    decision: DecisionStatus | None = Field(
        default=None, description="decision is the last decision, and why."
    )
    placement: Annotated[
        tuple[Placement, ...], Field(max_length=MAX_PLACEMENTS, json_schema_extra=ATOMIC)
    ] = Field(
        default=(),
        description="placement says where the replicas run. Default empty.",
    )
