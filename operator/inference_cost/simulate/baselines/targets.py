"""The documented grid of utilization targets, searched in hindsight for every rule that has one."""

_PERCENTS = range(30, 105, 5)

TARGETS = tuple(percent / 100 for percent in _PERCENTS)  # 0.30 … 1.00 of the load per replica
DOWN_WINDOWS_SECONDS = (120.0, 300.0, 900.0)  # 2, 5 and 15 minutes
DEFAULT_TARGET = 0.70
