"""What forbids a removal, and what caps the ask, for one policy."""

from dataclasses import dataclass
from typing import Final

from inference_cost.decide.pods import Fleet
from inference_cost.decide.profile import Capability
from inference_cost.decide.traffic import Traffic
from inference_cost.model.plan import LimitedBy, Reason
from inference_cost.model.reading import Missing, Reading

BUSY_GPU: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A refusal with its reason."""

    limited_by: LimitedBy
    reason: Reason


def forbids_removal(
    fleet: Fleet, traffic: Traffic, capability: Capability, gpu: Reading[float]
) -> Verdict | None:
    """The first thing that makes a removal unsafe now, or None."""
    if traffic.partial:
        share = round(100 * traffic.coverage)
        reason = Reason(code="partial-metrics", values=(("percent", share),))
        return Verdict(limited_by=LimitedBy.METRICS_UNAVAILABLE, reason=reason)
    if fleet.rolling_out:
        return Verdict(limited_by=LimitedBy.ROLLOUT, reason=Reason(code="rollout"))
    if not capability.learned:
        return Verdict(limited_by=LimitedBy.LEARNING, reason=Reason(code="learning"))
    if not isinstance(gpu, Missing) and gpu.value > BUSY_GPU:
        reason = Reason(code="busy-gpu", values=(("percent", round(100 * gpu.value)),))
        return Verdict(limited_by=LimitedBy.GPU_GUARD, reason=reason)
    silent = fleet.ready - len(traffic.pods)
    if silent > 0:
        reason = Reason(code="warming", values=(("pods", silent),))
        return Verdict(limited_by=LimitedBy.STABILIZATION, reason=reason)
    return None


def caps_ask(fleet: Fleet, wanted: int) -> tuple[int, Verdict | None]:
    """While pods are refused, pend or crash, more of them would only wait too: one probe at most."""
    if fleet.refused:
        cap = fleet.current
        reason = Reason(code="refused", values=(("message", fleet.refused[:120]),))
    elif fleet.stuck:
        cap = max(fleet.current, fleet.ready + fleet.starting + 1)
        values = (("pods", fleet.stuck), ("trouble", fleet.trouble))
        reason = Reason(code="stuck", values=values)
    else:
        return wanted, None
    if wanted <= cap:
        return wanted, None
    return cap, Verdict(limited_by=LimitedBy.CAPACITY, reason=reason)
