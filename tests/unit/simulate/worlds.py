"""Small scenarios: replicas that take 100 requests/s at most, an objective of 99 % within a second."""

from decimal import Decimal
from typing import Any

import numpy as np

from inference_cost.model.policy import (
    LatencyObjective,
    Mode,
    Policy,
    PolicyKey,
    TargetRef,
    Variant,
)
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.service import Service
from inference_cost.simulate.traffic import Traffic

# Batches of eight take 80 ms: 100 requests/s, about 98 of them with 99 % within a second.
SERVICE = Service(fixed_seconds=0.04, per_item_seconds=0.005, max_batch=8)
CAPACITY = SERVICE.capacity


def policy(lowest: int = 1, highest: int = 20, threshold: float = 1.0) -> Policy:
    target = TargetRef(api_version="apps/v1", kind="Deployment", name="resnet")
    return Policy(
        key=PolicyKey(namespace="shop", name="resnet", uid="uid"),
        generation=1,
        created_at=0.0,
        mode=Mode.ENFORCE,
        variants=(
            Variant(name="default", target=target, min_replicas=lowest, max_replicas=highest),
        ),
        objective=LatencyObjective(threshold_seconds=threshold, target_fraction=0.99),
    )


def rates(*per_second: float, seconds: float = 600.0) -> Traffic:
    """Constant rates, one after the other, each for `seconds`."""
    bins = int(seconds / 10)
    counts = np.repeat(np.array(per_second) * 10.0, bins)
    return Traffic(width_seconds=10.0, counts=counts)


def scenario(traffic: Traffic | None = None, **more: Any) -> Scenario:
    fields: dict[str, Any] = {
        "policy": policy(),
        "traffic": rates(150.0, 150.0) if traffic is None else traffic,
        "service": SERVICE,
        "price_per_hour": Decimal("1.00"),
        "price_source": "assumed",
        "exclude_first_seconds": 0.0,
    }
    return Scenario(**(fields | more))
