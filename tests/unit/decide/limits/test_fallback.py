"""KEDA's four fallback behaviors."""

import pytest

from inference_cost.decide.limits.fallback import fallback_replicas
from inference_cost.model.policy import Fallback, FallbackBehavior

ROWS = {
    "static": (FallbackBehavior.STATIC, 2, 6),
    "current": (FallbackBehavior.CURRENT_REPLICAS, 2, 2),
    "higher: current is lower": (FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER, 2, 6),
    "higher: current is higher": (FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER, 9, 9),
    "lower: current is lower": (FallbackBehavior.CURRENT_REPLICAS_IF_LOWER, 2, 2),
    "lower: current is higher": (FallbackBehavior.CURRENT_REPLICAS_IF_LOWER, 9, 6),
}


@pytest.mark.parametrize("sentence", ROWS)
def test_replicas(sentence: str) -> None:
    behavior, current, expected = ROWS[sentence]
    fallback = Fallback(failure_threshold=3, replicas=6, behavior=behavior)
    assert fallback_replicas(fallback, current, 4) == expected
    assert fallback_replicas(fallback, current, 3) is None


def test_none_asked_for() -> None:
    assert fallback_replicas(None, 2, 100) is None
