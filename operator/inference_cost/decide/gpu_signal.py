"""Replicas that follow the mean GPU utilization, for policies that ask for it: the rule of the HorizontalPodAutoscaler.

What the objective would need is still worked out and learned, and shown beside it.
"""

from dataclasses import replace
from math import ceil
from typing import Final

from inference_cost.decide.case import Case
from inference_cost.decide.lasting import highest_since, remember
from inference_cost.decide.need import NOT_CHOSEN, Looked, Needs, fixed_headroom
from inference_cost.decide.pods import Fleet
from inference_cost.decide.traffic import Traffic, mean_gpu_utilization
from inference_cost.model.plan import Reason
from inference_cost.model.policy import GpuSignal
from inference_cost.model.reading import Missing, MissingReason, Reading

TOLERANCE: Final = 0.1  # a ratio nearer to 1 changes nothing
ROUNDING: Final = 1e-9  # 2 replicas at 1.5 times the target are 3


def follow(
    case: Case, seen: Traffic, found: Needs, looked: Looked, signal: GpuSignal, *, lost: int = 0
) -> tuple[Needs, Looked]:
    """In after as long as a start takes, as nothing is known of how long a lower utilization will last.

    `lost`: replicas that are replaced, which come on top of the needs and are in the current ones already.
    """
    gpu, more = _settled(seen, case.at), fixed_headroom(case)
    if isinstance(gpu, Missing):
        asked = max(case.fleet.current - more - lost, 0)
    else:
        asked = wanted(case.fleet, gpu.value, signal, more, lost=lost)
    kept = remember(case.memory.wanted, case.at, asked, case.start_up_seconds)
    keep = highest_since(kept, case.at - case.start_up_seconds)
    needs = replace(
        found,
        now=max(case.fleet.current - lost, 0) if isinstance(gpu, Missing) else asked + more,
        keep=max(keep, asked) + more,
        headroom=NOT_CHOSEN,
        reasons=(_reason(gpu, signal),),
    )
    return needs, looked._replace(wanted=kept, take_over=case.memory.take_over)


def wanted(
    fleet: Fleet, utilization: float, signal: GpuSignal, headroom: int = 0, *, lost: int = 0
) -> int:
    """Replicas without the headroom, which is compared without it too: it shall not make room for itself.

    Of the ready ones; those that start are neither counted nor ordered again, nor are those for the `lost` ones.
    """
    busy = fleet.ready * utilization / signal.target_fraction  # replicas, at the target
    ready = fleet.ready - headroom
    current = fleet.current - headroom - lost
    if lost:
        current = max(current, ready)  # those that are about to go still serve
    if ready > 0 and abs(busy / ready - 1) <= TOLERANCE + ROUNDING:
        return current
    asked = ceil(busy - ROUNDING)
    return max(asked, current) if busy > ready else min(asked, current)


def _settled(seen: Traffic, at: float) -> Reading[float]:
    """Of pods that have been ready for a whole window: a model that loads keeps a GPU busy too."""
    pods = tuple(pod for pod in seen.pods if pod.settled)
    if not pods:
        return Missing(reason=MissingReason.WARMING_UP, detail="no pod is ready for long enough")
    return mean_gpu_utilization(replace(seen, pods=pods), at)


def _reason(gpu: Reading[float], signal: GpuSignal) -> Reason:
    if isinstance(gpu, Missing):
        why = gpu.detail or gpu.reason.value
        return Reason(code="gpu-signal-missing", values=(("why", why),))
    percent, target = round(100 * gpu.value), round(100 * signal.target_fraction)
    return Reason(code="gpu-signal", values=(("percent", percent), ("target", target)))
