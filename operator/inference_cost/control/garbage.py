"""How often Python looks for values that only refer to each other."""

import gc
from typing import Final

NEW_VALUES: Final = 20_000  # more than were freed since it last looked; Python's own number is 700


def collect_seldom() -> None:
    """A tick makes a hundred values per policy, and none that refer to each other: looking each time took a sixth."""
    gc.set_threshold(NEW_VALUES, *gc.get_threshold()[1:])
