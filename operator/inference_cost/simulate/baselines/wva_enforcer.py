"""WVA's last step, after either law: the bounds, and zero after a long silence where the minimum allows it.

Source: llm-d/llm-d-workload-variant-autoscaler v0.9.0-rc1 (2026-08-18), internal/engines/pipeline/enforcer.go.
Without a request in the retention time the target is zero if scaling to zero is enabled; otherwise the cheapest
variant, here the only one, keeps a replica.
"""

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.compiled import compiled

# The chart's ConfigMap. The code of v0.5 has 30 s, the loader of v0.9 has 15 s (GLOBAL_OPT_INTERVAL).
INTERVAL_SECONDS = 60.0
RETENTION_SECONDS = 600.0

LastRequest = NDArray[np.float64]  # length 1: seconds of the last look with requests; NaN: none yet


def new_last_request() -> LastRequest:
    return np.full(1, np.nan)


@compiled
def enforced(seen: Seen, wanted: int, last_request: LastRequest) -> int:
    if seen.rate > 0 or np.isnan(last_request[0]):
        last_request[0] = seen.at
    silent = seen.at - last_request[0] >= RETENTION_SECONDS
    if silent and seen.min_replicas == 0:
        return 0
    return min(max(wanted, seen.min_replicas, 1), seen.max_replicas)
