"""Several models on one pod: its load is the time that executions take, whichever models they are of.

What latency follows from a load is not modelled then. What counts is the mix of requests at which the objective was
seen to hold: any other mix is taken to be as heavy as its executions are long.
"""

from dataclasses import dataclass, replace
from typing import Final

from inference_cost.decide.replica.profile import BELOW_TOO_MUCH, Capability
from inference_cost.decide.traffic import Traffic, totals
from inference_cost.model.memory import MixPart, ServiceTimeEstimate
from inference_cost.model.plan import Profile, ProfileSource
from inference_cost.model.profile_key import SEVERAL
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import ModelWindow

BY_CHANCE: Final = 1.25  # gateway and servers count over windows of their own
PARTS_KEPT: Final = 100  # models of a mix, the heaviest

Mix = tuple[MixPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """`mix`: of one pod. `asked`: requests/s per pod in the unit of the demand."""

    why: str
    mix: Mix
    asked: float


def shared_pods(seen: Traffic, ensembles: frozenset[str]) -> Shared | None:
    """None where one model has the pods to itself."""
    why = _why(seen, ensembles)
    if not why:
        return None
    return Shared(
        why=why,
        mix=_mix(seen, ensembles),
        asked=_asked(seen) / len(seen.pods),
    )


def _why(seen: Traffic, ensembles: frozenset[str]) -> str:
    models = seen.served
    if len(models) > 1:
        return (
            "an ensemble and the models it calls share the pods"
            if models & ensembles
            else f"{len(models)} models share the pods"
        )
    windows = [window for pod in seen.pods for window in pod.windows]
    if not any(window.model in models for window in windows) and models:
        return "only a model that the policy does not name uses the pods now"
    several = any(w.requests > 0 and w.version == SEVERAL for w in windows)
    return "several versions of the model share the pods" if several else ""


def _asked(seen: Traffic) -> float:
    """Requests/s, counted as the demand is: a gateway may see those of models that the policy does not name."""
    answered = seen.gateway_answered or 0.0
    return answered if answered > BY_CHANCE * seen.completed else seen.completed


def _mix(seen: Traffic, ensembles: frozenset[str]) -> Mix:
    """An ensemble's time is that of its parts."""
    windows: dict[str, list[ModelWindow]] = {}
    for pod in seen.pods:
        for window in pod.all_windows:
            if window.requests > 0 and window.model not in ensembles:
                windows.setdefault(_name(window), []).append(window)
    parts = (_part(name, many, len(seen.pods)) for name, many in windows.items())
    return tuple(sorted(parts, key=lambda one: -one.busy)[:PARTS_KEPT])


def _name(window: ModelWindow) -> str:
    """A new version takes a time of its own."""
    return (
        window.model if isinstance(window.version, Missing) else f"{window.model}/{window.version}"
    )


def _part(name: str, windows: list[ModelWindow], pods: int) -> MixPart:
    found = totals(windows)
    batch_seconds = found.compute_seconds / found.requests
    return MixPart(
        model=name,
        per_second=sum(w.requests / w.seconds for w in windows) / pods,
        seconds=batch_seconds * min(found.executions / found.requests, 1.0),
    )


def busy(mix: Mix) -> float:
    """Executions running at once on a pod, on average."""
    return sum(part.busy for part in mix)


def weight(mix: Mix, held: Mix) -> float:
    """How heavy a mix is, relative to one that held: with times of then, as batches grow with the load."""
    then = {part.model: part.seconds for part in held}
    now = sum(part.per_second * then.get(part.model, part.seconds) for part in mix)
    return now / busy(held) if busy(held) > 0 else 0.0


def remember_mix(estimate: ServiceTimeEstimate, mix: Mix) -> ServiceTimeEstimate:
    """The objective held at this load."""
    if busy(mix) <= 0 or (estimate.held_mix and weight(mix, estimate.held_mix) <= 1.0):
        return estimate
    return replace(estimate, held_mix=mix)


def forget_mix(estimate: ServiceTimeEstimate, mix: Mix) -> ServiceTimeEstimate:
    """It was clearly missed at this load."""
    if not estimate.held_mix or BELOW_TOO_MUCH * weight(mix, estimate.held_mix) >= 1.0:
        return estimate
    less = tuple(replace(one, per_second=BELOW_TOO_MUCH * one.per_second) for one in mix)
    return replace(estimate, held_mix=less)


def shared_capability(estimate: ServiceTimeEstimate, shared: Shared) -> Capability:
    """What a pod carries of the present mix."""
    held = estimate.held_mix
    heavy = weight(shared.mix, held)
    figures = (busy(shared.mix), busy(held))
    if heavy <= 0 or shared.asked <= 0:
        missing = Missing(reason=MissingReason.NOT_LEARNED, detail=shared.why)
        return Capability(
            profile=missing, replica=None, learned=False, outside=shared.why, busy=figures
        )
    load = shared.asked / heavy
    profile = Profile(
        template_hash=estimate.template_hash,
        gpu_product=estimate.gpu_product,
        model_version=estimate.model_version,
        alpha_seconds=0.0,
        beta_seconds=0.0,
        max_batch_size=1,
        instances=1,
        load_per_replica=load,
        capacity_per_replica=load,
        error_fraction=0.0,
        source=ProfileSource.LARGEST_SEEN,
    )
    return Capability(profile=profile, replica=None, learned=True, outside=shared.why, busy=figures)
