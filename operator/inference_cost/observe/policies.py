"""From a stored InferenceCostPolicy to the model's `Policy`, or to a refusal that names field and fix."""

import logging
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from inference_cost.api import behavior as api_behavior
from inference_cost.api import policy as api
from inference_cost.api import schedule as api_schedule
from inference_cost.api import targets as api_targets
from inference_cost.api.annotations import InvalidAnnotationError, pause_request
from inference_cost.api.parse import InvalidObjectError, parse_policy
from inference_cost.model.observation import PolicyRefusal
from inference_cost.model.policy import (
    UNBOUNDED,
    Baseline,
    Behavior,
    DrainObjective,
    Fallback,
    FallbackBehavior,
    GpuSignal,
    Headroom,
    HeadroomMode,
    LatencyObjective,
    LimitType,
    Mode,
    Objective,
    Pause,
    Policy,
    PolicyKey,
    QueueTimeObjective,
    Routing,
    ScalingLimit,
    ScalingRules,
    Schedule,
    SelectPolicy,
    SpotRisk,
    TargetRef,
    Variant,
)
from inference_cost.observe.records import NO_LABELS, Labels, NamespaceRecord, PolicyRecord

ONLY_VARIANT = "default"  # name of the one variant that `scaleTargetRef` makes
_SECONDS = 0.001
_LOG = logging.getLogger(__name__)


class _InvalidNamespaceError(InvalidAnnotationError):
    """The annotation is the namespace's and not the policy's."""


class PolicyParser:
    """Parses each generation of a policy once. Pauses are read at every tick: they are annotations."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[str, int], Policy | PolicyRefusal] = {}

    def parse(
        self,
        records: list[PolicyRecord],
        namespace_of: Callable[[str], NamespaceRecord | None],
    ) -> tuple[list[Policy], list[PolicyRefusal]]:
        """Policies to decide on and refusals; a policy that is being deleted is neither."""
        live = [r for r in records if not r.terminating]
        known, self._parsed = self._parsed, {}
        for record in live:
            at = (record.uid, record.generation)
            self._parsed[at] = known.get(at) or _parse_guarded(record)
        results = [
            _with_pause(self._parsed[r.uid, r.generation], r, namespace_of(r.namespace))
            for r in live
        ]
        policies = [p for p in results if isinstance(p, Policy)]
        refusals = [r for r in results if isinstance(r, PolicyRefusal)]
        return policies, refusals


def field_of(policy: Policy, variant: Variant) -> str:
    """Where the variant's target stands in the object."""
    if len(policy.variants) == 1 and variant.name == ONLY_VARIANT:
        return "spec.scaleTargetRef"
    return f"spec.variants[{policy.variants.index(variant)}].scaleTargetRef"


def policy_key(record: PolicyRecord) -> PolicyKey:
    return PolicyKey(namespace=record.namespace, name=record.name, uid=record.uid)


def _parse_guarded(record: PolicyRecord) -> Policy | PolicyRefusal:
    try:
        return parse_record(record)
    except Exception:  # noqa: BLE001  # a fault of ours with one policy must not stop the others
        _LOG.exception("Policy %s cannot be parsed", policy_key(record))
        return _refuse(
            record,
            field="spec",
            message="the operator failed to read it; see its log",
            internal=True,
        )


def parse_record(record: PolicyRecord) -> Policy | PolicyRefusal:
    """The policy without its pause."""
    try:
        parsed = parse_policy({"spec": record.spec})
    except InvalidObjectError as error:
        first = error.problems[0]
        return _refuse(record, field=first.field, message=str(error))
    return _policy(record, parsed.spec)


def _refuse(
    record: PolicyRecord, *, field: str, message: str, internal: bool = False
) -> PolicyRefusal:
    return PolicyRefusal(
        key=policy_key(record),
        generation=record.generation,
        field=field,
        message=message,
        internal=internal,
    )


def _with_pause(
    parsed: Policy | PolicyRefusal, record: PolicyRecord, namespace: NamespaceRecord | None
) -> Policy | PolicyRefusal:
    if isinstance(parsed, PolicyRefusal):
        return parsed
    try:
        pause = current_pause(record, namespace)
    except _InvalidNamespaceError as error:
        return _refuse(record, field="", message=f"Namespace {record.namespace}: {error}")
    except InvalidAnnotationError as error:
        return _refuse(record, field="metadata.annotations", message=str(error))
    return replace(parsed, pause=pause) if pause is not None else parsed


def current_pause(record: PolicyRecord, namespace: NamespaceRecord | None) -> Pause | None:
    """The pause of a policy, or else of its namespace.

    Raises:
        InvalidAnnotationError: an annotation on either means nothing.
    """
    around = namespace.pause_annotations if namespace else NO_LABELS
    own = _pause("policy", record.pause_annotations)
    if own is not None:
        return own
    try:
        return _pause("namespace", around)
    except InvalidAnnotationError as error:
        raise _InvalidNamespaceError(str(error)) from error


def _pause(source: str, annotations: Labels) -> Pause | None:
    request = pause_request(annotations)
    return Pause(source=source, replicas=request.replicas) if request else None


def _policy(record: PolicyRecord, spec: api.PolicySpec) -> Policy:
    return Policy(
        key=policy_key(record),
        generation=record.generation,
        created_at=record.created_at,
        mode=Mode(spec.mode.value),
        variants=_variants(spec),
        fewest=spec.min_replicas if spec.variants else 0,
        most=spec.max_replicas if spec.variants else UNBOUNDED,
        min_on_demand_replicas=spec.min_on_demand_replicas,
        spot_risk=SpotRisk(spec.spot_risk.value),
        max_hourly_cost=None if spec.max_hourly_cost is None else Decimal(spec.max_hourly_cost),
        priority=spec.priority,
        objective=_objective(spec.slo),
        models=tuple(spec.serving.models),
        behavior=Behavior(
            scale_out=_rules(spec.behavior.scale_up), scale_in=_rules(spec.behavior.scale_down)
        ),
        fallback=_fallback(spec.fallback),
        schedules=tuple(map(_schedule, spec.schedules)),
        headroom=Headroom(
            mode=HeadroomMode(spec.headroom.mode.value), replicas=spec.headroom.replicas or 0
        ),
        routing=Routing(spec.routing.value),
        gpu_signal=_gpu_signal(spec.signal),
        cost_center=spec.cost_center,
        monthly_budget=None if spec.monthly_budget is None else Decimal(spec.monthly_budget),
        baseline=Baseline(spec.baseline.value),
    )


def _variants(spec: api.PolicySpec) -> tuple[Variant, ...]:
    if spec.scale_target_ref is None:
        return tuple(map(_variant, spec.variants))
    alone = Variant(
        name=ONLY_VARIANT,
        target=_target(spec.scale_target_ref),
        min_replicas=spec.min_replicas,
        max_replicas=spec.max_replicas,
    )
    return (alone,)


def _variant(variant: api_targets.Variant) -> Variant:
    """Without a maximum of its own that of the policy or its schedule holds."""
    most = UNBOUNDED if variant.max_replicas is None else variant.max_replicas
    return Variant(
        name=variant.name,
        target=_target(variant.scale_target_ref),
        min_replicas=variant.min_replicas,
        max_replicas=most,
        pool="" if variant.pool_ref is None else variant.pool_ref.name,
        max_traffic_fraction=variant.max_traffic_percent / 100,
    )


def _target(target: api_targets.ScaleTargetRef) -> TargetRef:
    return TargetRef(api_version=target.api_version, kind=target.kind, name=target.name)


def _objective(slo: api.Slo) -> Objective:
    if slo.latency is not None:
        return LatencyObjective(
            threshold_seconds=slo.latency.threshold_milliseconds * _SECONDS,
            target_fraction=float(Decimal(slo.latency.target) / 100),
        )
    if slo.queue_time is not None:
        return QueueTimeObjective(mean_seconds=slo.queue_time.mean_milliseconds * _SECONDS)
    if slo.drain is None:  # the API's own rule says that one of the three is there
        raise AssertionError("an objective without a kind passed the API's rules")
    return DrainObjective(within_seconds=float(slo.drain.within_seconds))


def _gpu_signal(signal: api.Signal) -> GpuSignal | None:
    if signal.target_percent is None:
        return None
    return GpuSignal(target_fraction=signal.target_percent / 100)


def _rules(rules: api_behavior.ScalingRules) -> ScalingRules:
    return ScalingRules(
        stabilization_window_seconds=rules.stabilization_window_seconds,
        select=SelectPolicy(rules.select_policy.value),
        limits=tuple(
            ScalingLimit(
                type=LimitType(p.type.value), value=p.value, period_seconds=p.period_seconds
            )
            for p in rules.policies
        ),
    )


def _fallback(fallback: api.Fallback | None) -> Fallback | None:
    if fallback is None:
        return None
    return Fallback(
        failure_threshold=fallback.failure_threshold,
        replicas=fallback.replicas or 0,
        behavior=FallbackBehavior(fallback.behavior.value),
    )


def _schedule(schedule: api_schedule.Schedule) -> Schedule:
    return Schedule(
        start=schedule.start,
        end=schedule.end,
        time_zone=schedule.time_zone,
        name=schedule.name or "",
        min_replicas=schedule.min_replicas,
        max_replicas=schedule.max_replicas,
    )
