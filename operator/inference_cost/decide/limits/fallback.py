"""What to run when metrics stay away: KEDA's four fallback behaviors."""

from typing import Final, assert_never

from inference_cost.model.policy import Fallback, FallbackBehavior

MAY_REMOVE: Final = frozenset({FallbackBehavior.STATIC, FallbackBehavior.CURRENT_REPLICAS_IF_LOWER})


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


def may_remove(fallback: Fallback | None) -> bool:
    """Whether the user's fallback names a number to go down to; otherwise not even `maxReplicas` removes."""
    return fallback is not None and fallback.behavior in MAY_REMOVE
