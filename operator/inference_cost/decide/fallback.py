"""What to run when metrics stay away: KEDA's four fallback behaviors."""

from typing import assert_never

from inference_cost.model.policy import Fallback, FallbackBehavior


def fallback_replicas(fallback: Fallback | None, current: int, misses: int) -> int | None:
    """Replicas to run, or None to hold. In force after more than `failure_threshold` ticks in a row."""
    if fallback is None or misses <= fallback.failure_threshold:
        return None
    match fallback.behavior:
        case FallbackBehavior.STATIC:
            return fallback.replicas
        case FallbackBehavior.CURRENT_REPLICAS:
            return current
        case FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER:
            return max(current, fallback.replicas)
        case FallbackBehavior.CURRENT_REPLICAS_IF_LOWER:
            return min(current, fallback.replicas)
        case _ as unknown:
            assert_never(unknown)
