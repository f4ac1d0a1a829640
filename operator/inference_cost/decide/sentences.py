"""One sentence per reason code and per limit. A code without a sentence is an error in a test."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from inference_cost.decide.place import bounds
from inference_cost.decide.words import clock, count, rate
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy, Plan, Reason

Sentence = Callable[[Plan, PolicyObservation], str]
Values = Mapping[str, Any]


def reason_sentence(reason: Reason, plan: Plan, observation: PolicyObservation) -> str:
    values = dict(reason.values)
    return _REASONS[reason.code](values, plan, observation)


def _no_metrics(values: Values, plan: Plan, _: PolicyObservation) -> str:
    why = f" ({values['detail']})" if values.get("detail") else ""
    if plan.desired > plan.current:
        return f"Metrics are not available{why}; minReplicas is kept."
    return f"Metrics are not available{why}, so nothing is removed or added."


def _fallback(_: Values, __: Plan, observation: PolicyObservation) -> str:
    fallback = observation.policy.fallback
    named = f" {fallback.behavior.value}" if fallback is not None else ""
    return f"Metrics stayed away, so spec.fallback{named} decides."


def _conflict(_: Values, __: Plan, observation: PolicyObservation) -> str:
    conflict = observation.conflict
    other = conflict.other if conflict is not None else "another writer"
    return f"Nothing is written: {other} also sets these replicas."


def _paused(values: Values, plan: Plan, _: PolicyObservation) -> str:
    where = "the namespace" if values.get("source") == "namespace" else "the policy"
    fixed = f" at {count(plan.desired, 'replica')}" if plan.desired != plan.current else ""
    return f"Paused{fixed} by the annotation inferencecost.dev/paused on {where}."


def _stuck(values: Values, _: Plan, __: PolicyObservation) -> str:
    pods = count(int(values["pods"]), "pod")
    return f"{pods} cannot start ({values['trouble']}), so no more are asked for."


def _replaced(values: Values, _: Plan, __: PolicyObservation) -> str:
    pods = count(int(values["pods"]), "pod")
    return f"{pods} cannot start ({values['trouble']}) while others do, and are counted as missing."


def _behavior(values: Values, _: Plan, __: PolicyObservation) -> str:
    return f"spec.behavior holds it back from {values['wanted']}."


def _minimum(_: Plan, observation: PolicyObservation) -> str:
    lowest, _highest = bounds(observation.policy.variants)
    return f"minReplicas is {lowest}."


def _maximum(plan: Plan, observation: PolicyObservation) -> str:
    highest = bounds(observation.policy.variants)[1]
    needed = sum(variant.needed for variant in plan.variants)
    if needed > highest:
        return f"{needed} would be needed, but maxReplicas is {highest}."
    return f"maxReplicas is {highest}."


def _suspected_outage(values: Values, plan: Plan, _: PolicyObservation) -> str:
    usual = values.get("usual")
    although = f" although {rate(usual)} are usual at this time of day" if usual else ""
    held = count(plan.desired, "replica")
    return (
        f"Requests fell from {rate(values['before'])} to nearly none within a minute{although}: suspected outage "
        f"upstream, holding {held} until {clock(values['until'])}."
    )


_REASONS: Final[Mapping[str, Callable[[Values, Plan, PolicyObservation], str]]] = {
    "no-target": lambda v, _p, _o: str(v["message"]),
    "no-metrics": _no_metrics,
    "fallback": _fallback,
    "conflict": _conflict,
    "paused": _paused,
    "rollout": lambda _v, _p, _o: "A rollout is in progress; nothing is removed meanwhile.",
    "partial-metrics": lambda v, _p, _o: (
        f"Only {v['percent']} % of the ready pods report metrics, so nothing is removed."
    ),
    "learning": lambda _v, _p, _o: (
        "What one replica can carry is still being learned, so nothing is removed."
    ),
    "busy-gpu": lambda v, _p, _o: f"The GPUs are {v['percent']} % busy, so nothing is removed.",
    "late": lambda v, _p, _o: (
        f"{v['percent']} % of the newest requests were too late, so nothing is removed."
    ),
    "warming": lambda v, _p, _o: (
        f"{count(int(v['pods']), 'pod')} became ready only just now; nothing is removed until it shows in the metrics."
    ),
    "not-yet-in": lambda _v, _p, _o: (
        "Replicas go only when the lower need has lasted, because starting one again takes time."
    ),
    "suspected-outage": _suspected_outage,
    "behavior": _behavior,
    "refused": lambda v, _p, _o: f"Kubernetes refuses new pods: {v['message']}",
    "stuck": _stuck,
    "replaced": _replaced,
    "outside-model": lambda v, _p, _o: (
        f"Latency is not predicted because {v['why']}; "
        "sized on the largest load seen while the objective held."
    ),
    "objective-unreachable": lambda _v, _p, _o: (
        "Even an idle replica is too slow for the objective; more replicas do not help."
    ),
    "unknown-batching": lambda _v, _p, _o: (
        "Triton's model configuration could not be read, so batching is taken as the slower kind and the largest "
        "batch as the largest mean seen; let the operator reach Triton's HTTP port to need fewer replicas."
    ),
    "evened-out": lambda v, _p, _o: (
        f"The load balancer evens out {v['replicas']} replicas: each carries {v['percent']} % more than "
        "with requests spread at random."
    ),
    "not-evened-out": lambda v, _p, _o: (
        f"spec.routing LeastRequest is not counted on because {v['why']}."
    ),
    "upgrade-hold": lambda _v, _p, _o: (
        "The operator was upgraded just now; nothing is removed for some minutes."
    ),
    "fleet-freeze": lambda _v, _p, _o: (
        "Many policies ask for far fewer replicas at once; removals stop for two minutes."
    ),
    "fleet-limit": lambda v, _p, _o: (
        f"Removals over all policies are limited; it would go down to {v['wanted']}."
    ),
    "internal-error": lambda v, _p, _o: (
        f"The decision failed ({v['error']}), so replicas are left as they are; please report it."
    ),
}

LIMITS: Final[Mapping[LimitedBy, Sentence]] = {
    limit: lambda _plan, _observation: "" for limit in LimitedBy
} | {LimitedBy.MIN_REPLICAS: _minimum, LimitedBy.MAX_REPLICAS: _maximum}

# About the model or its server rather than about this decision.
FINDINGS: Final = frozenset(
    {
        "replaced",
        "outside-model",
        "objective-unreachable",
        "unknown-batching",
        "evened-out",
        "not-evened-out",
    }
)
REASON_CODES: Final = frozenset(_REASONS)
