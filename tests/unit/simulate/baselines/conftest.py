"""One look of a controller, with plain values for what a case does not speak of."""

from collections.abc import Callable
from typing import Any

import pytest

from inference_cost.simulate.baselines.seen import Seen

PLAIN: dict[str, Any] = {
    "at": 0.0,
    "rate": 0.0,
    "rate_6s": 0.0,
    "in_flight": 0.0,
    "in_flight_6s": 0.0,
    "waiting": 0.0,
    "busy": 0.0,
    "latency_p90_seconds": 0.0,
    "ready": 1,
    "replicas": 1,
    "load_per_replica": 10.0,
    "in_flight_per_replica": 1.0,
    "threshold_seconds": 1.0,
    "min_replicas": 1,
    "max_replicas": 1000,
}


@pytest.fixture
def look() -> Callable[..., Seen]:
    """Replicas are all ready unless said otherwise."""

    def build(**said: Any) -> Seen:
        values = PLAIN | said
        if "replicas" in said and "ready" not in said:
            values["ready"] = said["replicas"]
        return Seen(**values)

    return build
