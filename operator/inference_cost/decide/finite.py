"""Numbers of a stored object: whatever stands there, what comes out is finite."""

from math import isfinite
from typing import Any


def number(value: Any) -> float:
    """Raises ValueError or TypeError where it is none."""
    found = float(value)
    if not isfinite(found):
        raise ValueError("not finite")
    return found


def number_or_none(value: Any) -> float | None:
    return None if value is None else number(value)
