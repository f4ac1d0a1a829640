"""Logs a fault of ours with its traceback, once and not at every tick."""

import logging
import time
from collections.abc import Callable

REPEAT_SECONDS = 600.0


class FaultLog:
    """A fault is known by what failed for whom and the type of its exception; it is told again after ten minutes."""

    def __init__(
        self, log: logging.Logger, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._monotonic = monotonic
        self._told: dict[tuple[str, str, str], float] = {}

    def tell(self, event: str, policy: object, error: Exception) -> None:
        now = self._monotonic()
        self._told = {f: at for f, at in self._told.items() if now - at < REPEAT_SECONDS}
        fault = (event, str(policy), type(error).__name__)
        if fault not in self._told:
            self._told[fault] = now
            self._log.error(event, extra={"policy": str(policy)}, exc_info=error)
