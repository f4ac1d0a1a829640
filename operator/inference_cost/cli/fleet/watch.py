"""Look again and again, until Ctrl-C."""

import sys
import time
from collections.abc import Callable

from inference_cost.cli.failure import CommandError

CLEAR = "\033[H\033[2J"


def watch(
    look: Callable[[], str],
    interval_seconds: float,
    *,
    terminal: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """On a terminal each look takes the place of the last; elsewhere they follow each other, an empty line between.

    What cannot be read once is told in its place: a watch outlives a restart of the API server.
    """
    first = True
    try:
        while True:
            text = _looked(look)
            between = CLEAR if terminal else "" if first else "\n"
            sys.stdout.write(f"{between}{text}\n")
            sys.stdout.flush()
            first = False
            sleep(interval_seconds)
    except KeyboardInterrupt:
        return


def _looked(look: Callable[[], str]) -> str:
    try:
        return look()
    except CommandError as error:
        return f"error: {error}"
