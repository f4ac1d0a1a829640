"""InferenceCostPolicy: what a team asks for."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from inference_cost.api.base import ApiModel, Rule
from inference_cost.api.baseline import Baseline
from inference_cost.api.behavior import Behavior
from inference_cost.api.fields import (
    ATOMIC,
    SET,
    DeadlineSeconds,
    DecimalText,
    LabelValue,
    Milliseconds,
    ModelName,
    PercentText,
    Replicas,
    ReplicasFromZero,
    map_by,
    unique_by,
)
from inference_cost.api.group import API_VERSION, POLICY
from inference_cost.api.metadata import ObjectMeta, TopLevel
from inference_cost.api.policy_status import PolicyStatus
from inference_cost.api.schedule import Schedule
from inference_cost.api.targets import ScaleTargetRef, SpotRisk, Variant

ALL_TRAFFIC_PERCENT: Final = 100
PRIORITY_LIMIT: Final = 1_000_000_000  # of a PriorityClass that users may make


class Mode(StrEnum):
    RECOMMEND = "Recommend"
    ENFORCE = "Enforce"


class LatencyObjective(ApiModel):
    """A share of the requests is answered within a threshold."""

    rules = (
        Rule(
            cel="double(self.target) >= 50.0 && double(self.target) <= 99.99",
            message='`target` must be from 50 to 99.99 percent, written as a string: "99.0"',
            field="target",
            holds=lambda self: Decimal(50) <= Decimal(self.target) <= Decimal("99.99"),
        ),
    )
    threshold_milliseconds: Milliseconds = Field(
        description="thresholdMilliseconds is the time, in milliseconds, within which a request is"
        " to be answered."
    )
    target: PercentText = Field(
        default="99.0",
        description="target is the share of requests, in percent, to be answered within"
        ' thresholdMilliseconds; a decimal string from "50" to "99.99". Default "99.0".',
    )


class QueueTimeObjective(ApiModel):
    """The mean wait in Triton's scheduler queue. For a Triton that exports no latency histogram."""

    mean_milliseconds: Milliseconds = Field(
        description="meanMilliseconds is the largest mean queue time, in milliseconds."
    )


class DrainObjective(ApiModel):
    """No request waits longer than a deadline. For batch services, whose requests may wait."""

    within_seconds: DeadlineSeconds = Field(
        description="withinSeconds is the longest time, in seconds, that a request may wait before"
        " it is served, from 10 to 86400. At every moment what waits, in Triton's queues and at the"
        " gateway, and what arrives is served so that no request waits longer, with the fewest"
        " replicas: waiting is allowed up to the deadline. Where it is shorter than the time a"
        " replica takes to start, only replicas that already run can meet it."
    )


class Slo(ApiModel):
    """The objective: exactly one kind."""

    rules = (
        Rule(
            cel="[has(self.latency), has(self.queueTime), has(self.drain)].filter(x, x).size() == 1",
            message="`slo` must have exactly one objective: set `latency`, `queueTime` or `drain`",
            holds=lambda self: (
                sum(one is not None for one in (self.latency, self.queue_time, self.drain)) == 1
            ),
        ),
    )
    latency: LatencyObjective | None = Field(
        default=None,
        description="latency asks that a share of the requests is answered within a threshold."
        " Not together with queueTime or drain.",
    )
    queue_time: QueueTimeObjective | None = Field(
        default=None,
        description="queueTime asks that the mean wait in Triton's queue stays below a bound."
        " Not together with latency or drain.",
    )
    drain: DrainObjective | None = Field(
        default=None,
        description="drain asks that no request waits longer than a deadline; for batch services."
        " Not together with latency or queueTime.",
    )


class Serving(ApiModel):
    """Which models of the target count."""

    models: Annotated[
        tuple[ModelName, ...], Field(max_length=32, json_schema_extra=SET), unique_by()
    ] = Field(
        default=(),
        description="models are the names of the Triton models to look at. Default empty: every"
        " model seen on the target.",
    )


class FallbackBehavior(StrEnum):
    STATIC = "Static"
    CURRENT_REPLICAS = "CurrentReplicas"
    CURRENT_REPLICAS_IF_HIGHER = "CurrentReplicasIfHigher"
    CURRENT_REPLICAS_IF_LOWER = "CurrentReplicasIfLower"


class Fallback(ApiModel):
    """What to run when metrics stay away, as in KEDA."""

    rules = (
        Rule(
            cel="self.behavior == 'CurrentReplicas' || has(self.replicas)",
            message="`replicas` must be set unless `behavior` is CurrentReplicas",
            holds=lambda self: (
                self.behavior is FallbackBehavior.CURRENT_REPLICAS or self.replicas is not None
            ),
        ),
    )
    failure_threshold: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        default=3,
        description="failureThreshold is the number of decisions in a row without usable metrics"
        " after which the fallback takes over: it does so at the next one. Until then the replicas"
        " are held. Default 3.",
    )
    replicas: Replicas | None = Field(
        default=None,
        description="replicas is the count to run. Required unless behavior is CurrentReplicas,"
        " where it is ignored.",
    )
    behavior: FallbackBehavior = Field(
        default=FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER,
        description="behavior is one of KEDA's four: Static (static: run replicas),"
        " CurrentReplicas (currentReplicas: leave them), CurrentReplicasIfHigher"
        " (currentReplicasIfHigher: leave them where they are more than replicas) and"
        " CurrentReplicasIfLower (currentReplicasIfLower: leave them where they are fewer)."
        " Default CurrentReplicasIfHigher, which never removes a replica.",
    )


class HeadroomMode(StrEnum):
    AUTO = "Auto"
    FIXED = "Fixed"
    DISABLED = "Disabled"


class Routing(StrEnum):
    EQUAL = "Equal"
    LEAST_REQUEST = "LeastRequest"


class Headroom(ApiModel):
    """Replicas kept above the need, for load that grows while new pods start."""

    rules = (
        Rule(
            cel="has(self.replicas) == (self.mode == 'Fixed')",
            message="`replicas` must be set when `mode` is Fixed and must not be set otherwise",
            holds=lambda self: (self.replicas is not None) == (self.mode is HeadroomMode.FIXED),
        ),
    )
    mode: HeadroomMode = Field(
        default=HeadroomMode.AUTO,
        description="mode is Auto (learned from the trend of the load and the time a replica takes"
        " to start), Fixed (always replicas more) or Disabled (none). Default Auto.",
    )
    replicas: Replicas | None = Field(
        default=None,
        description="replicas is the number kept above the need. Required when mode is Fixed, not"
        " allowed otherwise.",
    )


def _in_order(schedule: Schedule, spec: "PolicySpec") -> bool:
    lowest, highest = schedule.min_replicas, schedule.max_replicas
    return (spec.min_replicas if lowest is None else lowest) <= (
        spec.max_replicas if highest is None else highest
    )


def _targets(spec: "PolicySpec") -> set[tuple[str, str]]:
    return {(one.scale_target_ref.kind, one.scale_target_ref.name) for one in spec.variants}


class SignalType(StrEnum):
    LATENCY = "Latency"
    GPU_UTILIZATION = "GPUUtilization"


class Signal(ApiModel):
    """What the replicas follow."""

    rules = (
        Rule(
            cel="has(self.targetPercent) == (self.type == 'GPUUtilization')",
            message="`targetPercent` must be set when `type` is GPUUtilization and must not be set"
            " otherwise",
            holds=lambda self: (
                (self.target_percent is not None) == (self.type is SignalType.GPU_UTILIZATION)
            ),
        ),
    )
    type: SignalType = Field(
        default=SignalType.LATENCY,
        description="type is Latency (as many replicas as the objective of slo needs) or"
        " GPUUtilization (as many as bring the mean GPU utilization to targetPercent, with the rule"
        " of the HorizontalPodAutoscaler). Default Latency, because GPU utilization is the share of"
        " time in which any kernel runs: a GPU that serves batches one after the other shows close"
        " to 100 percent whether its batches are full or nearly empty, so the same value stands for"
        " loads and latencies that differ by multiples. With GPUUtilization the objective is still"
        " measured and shown, and no replica is removed while it is clearly missed; replicas are"
        " not added for it.",
    )
    target_percent: Annotated[int, Field(strict=True, ge=1, le=100)] | None = Field(
        default=None,
        description="targetPercent is the mean GPU utilization of the ready replicas to keep, in"
        " percent, from 1 to 100; differences of less than a tenth of it change nothing. Required"
        " when type is GPUUtilization, not allowed otherwise.",
    )


class PolicySpec(ApiModel):
    """The desired state."""

    rules = (
        Rule(
            cel="!has(self.monthlyBudget) || double(self.monthlyBudget) > 0.0",
            message="`monthlyBudget` must be greater than 0; leave it out where there is no budget",
            field="monthlyBudget",
            holds=lambda self: self.monthly_budget is None or Decimal(self.monthly_budget) > 0,
        ),
        Rule(
            cel="has(self.scaleTargetRef) != (has(self.variants) && size(self.variants) > 0)",
            message="exactly one of `scaleTargetRef` and `variants` must be set: one workload, or"
            " several that serve the same requests",
            field="scaleTargetRef",
            holds=lambda self: (self.scale_target_ref is not None) != bool(self.variants),
        ),
        Rule(
            cel="!has(self.variants) || self.variants.all(one, self.variants.exists_one(other,"
            " other.scaleTargetRef.kind == one.scaleTargetRef.kind &&"
            " other.scaleTargetRef.name == one.scaleTargetRef.name))",
            message="each of `variants` must have a `scaleTargetRef` of its own",
            field="variants",
            holds=lambda self: len(_targets(self)) == len(self.variants),
        ),
        Rule(
            cel="!has(self.variants) ||"
            " self.variants.map(one, one.minReplicas).sum() <= self.maxReplicas",
            message="`minReplicas` of the variants must not add up to more than `maxReplicas`; lower"
            " one of them or raise it",
            field="variants",
            holds=lambda self: sum(one.min_replicas for one in self.variants) <= self.max_replicas,
        ),
        Rule(
            cel="!has(self.variants) || size(self.variants) == 0 ||"
            " self.variants.map(one, one.maxTrafficPercent).sum() >= 100",
            message="`maxTrafficPercent` of the variants must add up to 100 at least; raise one of them",
            field="variants",
            holds=lambda self: (
                not self.variants
                or sum(one.max_traffic_percent for one in self.variants) >= ALL_TRAFFIC_PERCENT
            ),
        ),
        Rule(
            cel="self.minOnDemandReplicas <= (has(self.variants) && size(self.variants) > 0 ?"
            " self.maxReplicas : 0)",
            message="`minOnDemandReplicas` must not be more than `maxReplicas`, and 0 without"
            " `variants`, which alone can be placed",
            field="minOnDemandReplicas",
            holds=lambda self: (
                self.min_on_demand_replicas <= (self.max_replicas if self.variants else 0)
            ),
        ),
        Rule(
            cel="self.minReplicas <= self.maxReplicas",
            message="`minReplicas` must be less than or equal to `maxReplicas`; lower the one or"
            " raise the other",
            field="minReplicas",
            holds=lambda self: self.min_replicas <= self.max_replicas,
        ),
        Rule(
            cel="!has(self.fallback) || !has(self.fallback.replicas) ||"
            " (self.fallback.replicas >= self.minReplicas &&"
            " self.fallback.replicas <= self.maxReplicas)",
            message="`fallback.replicas` must be from `minReplicas` to `maxReplicas`",
            field="fallback.replicas",
            holds=lambda self: (
                self.fallback is None
                or self.fallback.replicas is None
                or self.min_replicas <= self.fallback.replicas <= self.max_replicas
            ),
        ),
        Rule(
            cel="!has(self.schedules) || self.schedules.all(s,"
            " (has(s.minReplicas) ? s.minReplicas : self.minReplicas) <="
            " (has(s.maxReplicas) ? s.maxReplicas : self.maxReplicas))",
            message="`minReplicas` of a schedule must be less than or equal to its `maxReplicas`; what"
            " it leaves out is that of the spec, so set both",
            field="schedules",
            holds=lambda self: all(_in_order(one, self) for one in self.schedules),
        ),
    )
    mode: Mode = Field(
        default=Mode.RECOMMEND,
        description="mode is Recommend (decide, explain and write nothing to the target) or Enforce"
        " (write the replicas). Default Recommend.",
    )
    scale_target_ref: ScaleTargetRef | None = Field(
        default=None,
        description="scaleTargetRef is the workload to scale, in the namespace of the policy. It"
        " may not be changed. Required, unless variants are given.",
    )
    variants: Annotated[
        tuple[Variant, ...],
        Field(max_length=8, json_schema_extra=map_by("name")),
        unique_by("name"),
    ] = Field(
        default=(),
        description="variants are workloads in different places, such as spot and on-demand nodes,"
        " that serve the same requests; in place of scaleTargetRef. Together they have the replicas"
        " that the objective needs, in the cheapest mix. Default empty.",
    )
    min_on_demand_replicas: ReplicasFromZero = Field(
        default=0,
        description="minOnDemandReplicas is the smallest number of replicas on capacity that cannot"
        " be taken away, on-demand or reserved. Only with variants. Default 0.",
    )
    spot_risk: SpotRisk = Field(
        default=SpotRisk.PRICED,
        description="spotRisk is how much may run where it can be lost: Priced (as much as pays:"
        " requests that a loss makes late count with what they are worth by the objective) or"
        " SurviveLargestZone (as much as leaves all needed replicas when the largest zone is lost)."
        " Default Priced.",
    )
    max_hourly_cost: DecimalText | None = Field(
        default=None,
        description="maxHourlyCost is the most that the replicas may cost per hour, a decimal string"
        " in the currency of the installation. It goes before the objective: no replica is added"
        " beyond it and some go where prices rise above it, even if requests are late then."
        " minReplicas, minOnDemandReplicas, the minReplicas of variants and of schedules, and a pause"
        " go before it. While replicas are moved both ends are paid for. Default unset: no cap.",
    )
    priority: Annotated[int, Field(strict=True, ge=0, le=PRIORITY_LIMIT)] | None = Field(
        default=None,
        description="priority says who comes first where CapacityPools with limits have too little"
        " room for all; higher goes before lower. Default unset: that of the pods, as their"
        " PriorityClass gives it.",
    )
    min_replicas: ReplicasFromZero = Field(
        default=1,
        description="minReplicas is the smallest number of replicas to run. 0 lets the last one go"
        " while nobody asks: that needs a gateway whose metrics tell of a request that no replica"
        " can take (gateway.preset in the operator's values), else one stays. Default 1.",
    )
    max_replicas: Replicas = Field(
        description="maxReplicas is the largest number of replicas to run, at least minReplicas."
    )
    slo: Slo = Field(description="slo is the objective that the replicas have to meet.")
    signal: Signal = Field(
        default=Signal(),
        description="signal is what the replicas follow: the objective, or GPU utilization."
        " Default: the objective.",
    )
    routing: Routing = Field(
        default=Routing.EQUAL,
        description="routing says how requests reach the replicas: Equal (each replica gets an equal"
        " share at random, as behind a plain Service) or LeastRequest (a load balancer sends each"
        " request to the endpoint with fewer requests in flight, such as Envoy's LEAST_REQUEST;"
        " replicas then carry more within the same objective). Default Equal, which is safe behind"
        " any load balancer.",
    )
    serving: Serving = Field(
        default=Serving(),
        description="serving says which models of the target count. Default: every model seen.",
    )
    behavior: Behavior = Field(
        default=Behavior(),
        description="behavior limits the speed of scaling, in the shape of autoscaling/v2. Default:"
        " no extra limit.",
    )
    fallback: Fallback | None = Field(
        default=None,
        description="fallback is what to run when metrics stay away, as in KEDA. Default unset:"
        " the replicas are left as they are.",
    )
    schedules: Annotated[tuple[Schedule, ...], Field(max_length=16, json_schema_extra=ATOMIC)] = (
        Field(
            default=(),
            description="schedules are other bounds than minReplicas and maxReplicas at certain times, as"
            " with KEDA's cron scaler. Default empty.",
        )
    )
    headroom: Headroom = Field(
        default=Headroom(),
        description="headroom is the number of replicas kept above the need. Default: mode Auto.",
    )
    cost_center: LabelValue = Field(
        default="",
        description="costCenter is whom the replicas are charged to, in totals, metrics and"
        " chargeback. Default empty: nobody in particular.",
    )
    monthly_budget: DecimalText | None = Field(
        default=None,
        description="monthlyBudget is what the policy's replicas may cost in a calendar month (UTC),"
        " a decimal string in the currency of the installation. It limits nothing: status.cost"
        " foretells the month, and says when that or the month so far is more. Default unset: no"
        " budget.",
    )
    baseline: Baseline = Field(
        default=Baseline.OBSERVED,
        description="baseline is what status.savings compares with, at the same objective: Observed"
        " (what really ran in mode Recommend, in proportion to the demand), HPA (a"
        " HorizontalPodAutoscaler on requests per second, at 70 percent of what a replica carries)"
        " or StaticPeak (what the highest demand of four weeks needs, at all times). Default"
        " Observed.",
    )


class InferenceCostPolicy(TopLevel):
    """InferenceCostPolicy keeps a Triton fleet inside its latency objective at the lowest cost."""

    names = POLICY

    api_version: str = API_VERSION
    kind: str = POLICY.kind
    metadata: ObjectMeta = ObjectMeta()
    spec: PolicySpec = Field(description="spec is the desired state.")
    status: PolicyStatus | None = Field(
        default=None, description="status is the recent observation, written by the operator."
    )
