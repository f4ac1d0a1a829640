"""How busy a workload's pods are, and how long they take for a batch, from counters of the past. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from inference_cost.cli.scan.signals import WINDOW_SECONDS, Counted, Floats, Signals
from inference_cost.decide.replica.profile import max_batch_size
from inference_cost.decide.replica.service_time import (
    CounterWindow,
    learn,
    solve,
    unlearned,
    usual_batch,
)
from inference_cost.model.profile_key import ProfileKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.simulate.service import Service

LEAST_SHARE: Final = 0.01  # of the requests; a model below it is not what the pods are for
LEAST_EXECUTIONS: Final = 20.0  # in a window
SEVERAL_AT_ONCE: Final = (
    1.05  # mean executions at once, beyond which there is more than one instance
)
_PEAK: Final = 99.0  # percentile of the windows
_UNCONFIGURED: Final = Missing(reason=MissingReason.NOT_CONFIGURED, detail="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A replica's service. `error_fraction`: two standard deviations of its time for the usual batch."""

    service: Service
    error_fraction: float


def serving_models(signals: Signals) -> list[str]:
    """Those that get requests, the busiest first."""
    requests = signals.requests
    total = sum(requests.values())
    used = [model for model, count in requests.items() if count > LEAST_SHARE * total]
    return sorted(used, key=lambda model: -requests[model])


def busy_fraction(signals: Signals) -> float | None:
    """Share of the time of all pods in which they executed; None where there was no request or no pod.

    An upper bound of what is useful: batches that are not full take nearly as long.
    """
    pods = replicas_by_window(signals)
    busy = np.zeros(len(pods))
    for one in signals.counted.values():
        busy += np.nan_to_num(one.busy_seconds)
    paid = float(pods.sum()) * WINDOW_SECONDS
    if paid <= 0:
        return None
    # Several instances of a pod execute at once; its GPU is then busy, not busier.
    return float(np.minimum(busy, pods * WINDOW_SECONDS).sum()) / paid


def replicas_by_window(signals: Signals) -> Floats:
    """Mean of each whole window of the period."""
    windows = int(signals.seconds // WINDOW_SECONDS)
    edges = np.arange(windows + 1) * WINDOW_SECONDS
    known = np.arange(len(signals.replicas) + 1) * signals.step_seconds
    total = np.concatenate(([0.0], np.cumsum(signals.replicas) * signals.step_seconds))
    found: Floats = np.diff(np.interp(edges, known, total)) / WINDOW_SECONDS
    return found


def learn_service(counted: Counted, pods: Floats) -> Learned | None:
    """From the windows of one model, as the operator learns it; None where no batch was timed."""
    instances = _instances(counted, pods)
    rows = (_window(counted, pods, i, instances) for i in range(len(counted.requests)))
    windows = [one for one in rows if one is not None]
    if not windows:
        return None
    largest = max(ceil(one.mean_batch - 0.25) for one in windows)
    estimate = unlearned(ProfileKey(template_hash="", gpu_product="", model_version=""))
    for number, window in enumerate(windows):
        estimate = learn(estimate, window, largest, (number + 1) * WINDOW_SECONDS)
    time = solve(estimate)
    if time is None or time.seconds(1.0) <= 0:
        return None
    items = _items_per_request(windows)
    service = Service(
        fixed_seconds=time.alpha_seconds,
        per_item_seconds=time.beta_seconds * items,
        max_batch=max(round(max_batch_size(_UNCONFIGURED, estimate) / items), 1),
        instances=instances,
    )
    return Learned(service=service, error_fraction=time.error_fraction(usual_batch(estimate)))


def _items_per_request(windows: Sequence[CounterWindow]) -> float:
    """Clients may send batches of their own."""
    requests = sum(one.requests for one in windows)
    return max(sum(one.inferences for one in windows) / requests, 1.0)


def _window(counted: Counted, pods: Floats, i: int, instances: int) -> CounterWindow | None:
    columns = (counted.requests, counted.inferences, counted.executions, counted.compute_seconds)
    requests, inferences, executions, compute = (float(one[i]) for one in columns)
    known = np.isfinite([requests, inferences, executions, compute]).all()
    if not known or i >= len(pods) or pods[i] <= 0:
        return None
    if executions < LEAST_EXECUTIONS or requests <= 0 or compute <= 0:
        return None
    return CounterWindow(
        requests=requests,
        inferences=inferences,
        executions=executions,
        compute_seconds=compute,
        instance_seconds=float(pods[i]) * WINDOW_SECONDS * instances,
    )


def _instances(counted: Counted, pods: Floats) -> int:
    """As many as were seen to execute at once: configured ones that never did make no difference to what was seen."""
    count = min(len(pods), len(counted.requests))
    busy = np.nan_to_num(counted.busy_seconds[:count])
    with np.errstate(divide="ignore", invalid="ignore"):
        at_once = np.where(pods[:count] > 0, busy / (pods[:count] * WINDOW_SECONDS), 0.0)
    peak = float(np.percentile(at_once, _PEAK)) if count else 0.0
    return 1 if peak <= SEVERAL_AT_ONCE else int(np.ceil(peak - (SEVERAL_AT_ONCE - 1)))
