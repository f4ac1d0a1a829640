"""How long it takes until an order of now serves."""

from collections.abc import Sequence
from typing import Final

from inference_cost.model.observation import DecisionSettings

START_UPS_KEPT: Final = 20
START_UPS_NEEDED: Final = 3


def start_up_seconds(seen: Sequence[float], prior: float) -> float:
    """95th percentile from pod creation to ready, once some were seen."""
    if len(seen) < START_UPS_NEEDED:
        return max(prior, *seen) if seen else prior
    return sorted(seen)[min(int(0.95 * len(seen)), len(seen) - 1)]


def tick_seconds(settings: DecisionSettings, scrape_seconds: float) -> float:
    """Between looks that can show something new."""
    return max(settings.tick_seconds, scrape_seconds)
