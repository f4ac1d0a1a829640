"""Where the latency model applies: one model per pod, in batches as Triton forms them by arrival, not decoupled."""

from collections.abc import Callable
from typing import Final

from inference_cost.decide.latency.loads import batching_of
from inference_cost.decide.latency.tables import Batching
from inference_cost.decide.traffic import Traffic, totals
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import ModelConfiguration

LARGEST_BATCH: Final = 4096
_OUTSIDE: Final[tuple[tuple[str, Callable[[ModelConfiguration], bool]], ...]] = (
    ("the model is decoupled", lambda one: one.decoupled),
    ("the model is an ensemble", lambda one: one.ensemble),
    (
        "the model batches sequences, each of which keeps its place",
        lambda one: one.sequence_batching,
    ),
    (
        "the model answers from a response cache, and hits take no time on the GPU",
        lambda one: one.response_cache,
    ),
    ("the model's instances take turns under a rate limiter", lambda one: one.rate_limited),
    (
        "the model has no dynamic batching",
        lambda one: one.max_batch_size > 1 and not one.dynamic_batching,
    ),
    (
        "the model prefers several batch sizes, or one beside a queue delay or policy",
        lambda one: bool(one.preferred_batch_sizes) and not _prefers_simply(one),
    ),
)
SINGLE: Final = (
    1.05  # inferences per request, from which on requests do not fill a preferred size exactly
)


def _prefers_simply(configuration: ModelConfiguration) -> bool:
    """Batches then end at that size, and all else is as ever."""
    alone = len(configuration.preferred_batch_sizes) == 1
    return alone and batching_of(configuration) is Batching.GREEDY


def configuration_of(
    configurations: tuple[ModelConfiguration, ...] | Missing, traffic: Traffic | Missing
) -> ModelConfiguration | Missing:
    """Of the model that is served; Missing where unknown or where several share the pods."""
    if isinstance(configurations, Missing):
        return configurations
    asked = frozenset() if isinstance(traffic, Missing) else traffic.served
    found = [one for one in configurations if one.model in asked] or list(configurations)
    if len(found) != 1 or not 0 <= found[0].max_batch_size <= LARGEST_BATCH:
        return Missing(reason=MissingReason.AMBIGUOUS, detail=f"{len(found)} models")
    return found[0]


def outside_domain(configuration: ModelConfiguration | Missing, traffic: Traffic | Missing) -> str:
    """Why the latency model does not apply, in words; "" where it does."""
    if isinstance(configuration, Missing):
        return ""
    why = next((why for why, applies in _OUTSIDE if applies(configuration)), "")
    if not why and configuration.preferred_batch_sizes and inferences_per_request(traffic) > SINGLE:
        return "the model prefers a batch size, and requests are of several inferences"
    return why


def inferences_per_request(traffic: Traffic | Missing) -> float:
    if isinstance(traffic, Missing):
        return 1.0
    found = totals([window for pod in traffic.pods for window in pod.windows])
    return found.inferences / found.requests if found.requests > 0 else 1.0
