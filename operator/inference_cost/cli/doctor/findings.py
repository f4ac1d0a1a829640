"""What a check found: how bad it is, about what, and the fix."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Worst first."""

    PROBLEM = "problem"  # something does not work
    WARNING = "warning"  # it works, and costs money, requests or sleep
    UNKNOWN = "unknown"  # could not be looked at
    OK = "ok"


class Area(StrEnum):
    INSTALLATION = "Installation"
    RIGHTS = "Rights"
    METRICS = "Metrics"
    WORKLOADS = "Workloads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`fix` is empty where nothing is to be done."""

    level: Level
    area: Area
    subject: str
    message: str
    fix: str = ""
