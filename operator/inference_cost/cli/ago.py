"""Times as people write them: 7d, 36h, 90m."""

import re
from typing import Final

from inference_cost.cli.failure import usage

UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_AGO: Final = re.compile(r"-?([1-9]\d*)([smhdw])")


def seconds_ago(text: str, option: str) -> float:
    """Of 7d or -7d.

    Raises:
        CommandError: it is no such time.
    """
    found = _AGO.fullmatch(text)
    if not found:
        raise usage(f"{option} {text}: must be a time ago such as 7d, 36h or 90m")
    return int(found[1]) * UNITS[found[2]]
