"""The first look at a fleet that runs already: what one replica carries cannot be told before Triton was asked."""

from inference_cost.decide.limits.stabilize import Bounds, Choice
from inference_cost.decide.pods import Fleet
from inference_cost.model.plan import LimitedBy, Reason
from inference_cost.model.reading import Missing, MissingReason


def capped(choice: Choice, fleet: Fleet, bounds: Bounds, configurations: object) -> Choice:
    """Nothing is added while the models' configuration is being read: it takes a moment, and is tried once."""
    most = max(fleet.current, bounds.lowest)
    reading = (
        isinstance(configurations, Missing) and configurations.reason is MissingReason.WARMING_UP
    )
    if not reading or choice.desired <= most:
        return choice
    reason = Reason(code="configuration-unread", values=(("wanted", choice.desired),))
    return Choice(desired=most, limited_by=LimitedBy.LEARNING, reasons=(*choice.reasons, reason))
