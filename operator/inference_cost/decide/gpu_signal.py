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
    case: Case, seen: Traffic, found: Needs, looked: Looked, signal: GpuSignal
) -> tuple[Needs, Looked]:
    """In after as long as a start takes, as nothing is known of how long a lower utilization will last."""
    gpu = _settled(seen, case.at)
    now = case.fleet.current if isinstance(gpu, Missing) else wanted(case.fleet, gpu.value, signal)
    kept = remember(case.memory.wanted, case.at, now, case.start_up_seconds)
    more, keep = fixed_headroom(case), highest_since(kept, case.at - case.start_up_seconds)
    needs = replace(
        found,
        now=now + (0 if isinstance(gpu, Missing) else more),
        keep=max(keep, now) + more,
        headroom=NOT_CHOSEN,
        reasons=(_reason(gpu, signal),),
    )
    return needs, looked._replace(wanted=kept, take_over=case.memory.take_over)


def wanted(fleet: Fleet, utilization: float, signal: GpuSignal) -> int:
    """Of the ready replicas; those that start are neither counted nor ordered again."""
    ratio = utilization / signal.target_fraction
    if abs(ratio - 1) <= TOLERANCE + ROUNDING:
        return fleet.current
    asked = ceil(fleet.ready * ratio - ROUNDING)
    return max(asked, fleet.current) if ratio > 1 else min(asked, fleet.current)


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
