"""What forbids a removal, and what caps the ask, for one policy."""

from dataclasses import dataclass
from typing import Final

from inference_cost.decide.pods import Fleet
from inference_cost.decide.replica.profile import Capability
from inference_cost.decide.traffic import Traffic
from inference_cost.model.plan import LimitedBy, Reason
from inference_cost.model.reading import Missing, Reading

BUSY_GPU: Final = 0.9
# A batching server is busy long before it is full; what its own counters do not explain is somebody else's.
UNEXPLAINED: Final = 0.2
SINGLE_FAILURES: Final = 0.2  # of the pods: as long as so few cannot start, others can


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A refusal with its reason."""

    limited_by: LimitedBy
    reason: Reason


def forbids_removal(
    fleet: Fleet,
    traffic: Traffic,
    capability: Capability,
    gpu: Reading[float],
    *,
    late: float | None = None,
    busy: float = 0.0,
) -> Verdict | None:
    """The first thing that makes a removal unsafe now, or None.

    `busy`: share of the time in which Triton executes, by its counters.
    `late`: share of late requests where the newest window misses the objective: a model that says fewer would do
    is then wrong, or too early. It says nothing where even idle replicas are too slow.
    """
    if traffic.partial:
        share = round(100 * traffic.coverage)
        reason = Reason(code="partial-metrics", values=(("percent", share),))
        return Verdict(limited_by=LimitedBy.METRICS_UNAVAILABLE, reason=reason)
    if fleet.rolling_out:
        return Verdict(limited_by=LimitedBy.ROLLOUT, reason=Reason(code="rollout"))
    if not capability.learned:
        return Verdict(limited_by=LimitedBy.LEARNING, reason=Reason(code="learning"))
    explained = 0.0 if capability.outside else busy + UNEXPLAINED
    measured = _contradicts(gpu, max(BUSY_GPU, explained), late if capability.reachable else None)
    if measured is not None:
        return measured
    silent = fleet.ready - len(traffic.pods)
    if silent > 0:
        reason = Reason(code="warming", values=(("pods", silent),))
        return Verdict(limited_by=LimitedBy.STABILIZATION, reason=reason)
    return None


def _contradicts(gpu: Reading[float], usual: float, late: float | None) -> Verdict | None:
    """A measurement that outranks whatever the model says."""
    if not isinstance(gpu, Missing) and gpu.value > usual:
        values = (("percent", round(100 * gpu.value)), ("usual", round(100 * usual)))
        reason = Reason(code="busy-gpu", values=values)
        return Verdict(limited_by=LimitedBy.GPU_GUARD, reason=reason)
    if late is not None:
        reason = Reason(code="late", values=(("percent", round(100 * late)),))
        return Verdict(limited_by=LimitedBy.STABILIZATION, reason=reason)
    return None


def replaced(fleet: Fleet) -> int:
    """Pods that cannot start and are asked for once more: what is wrong is theirs or their nodes'."""
    few = fleet.stuck <= SINGLE_FAILURES * (fleet.ready + fleet.stuck)
    return fleet.stuck if few and not fleet.refused else 0


def caps_ask(fleet: Fleet, wanted: int) -> tuple[int, Verdict | None]:
    """While pods are refused, or many pend or crash, more of them would only wait too: one probe at most."""
    if fleet.refused:
        cap = fleet.current
        reason = Reason(code="refused", values=(("message", fleet.refused[:120]),))
    elif fleet.stuck > replaced(fleet):
        cap = max(fleet.current, fleet.ready + fleet.starting + 1)
        values = (("pods", fleet.stuck), ("trouble", fleet.trouble))
        reason = Reason(code="stuck", values=values)
    else:
        return wanted, None
    if wanted <= cap:
        return wanted, None
    return cap, Verdict(limited_by=LimitedBy.CAPACITY, reason=reason)
