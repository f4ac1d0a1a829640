"""The global switch: `enforce.enabled`, read again while the process runs."""

import logging
from pathlib import Path

from inference_cost.control.load_settings import InvalidSettingsError, load_settings
from inference_cost.model.observation import Snapshot
from inference_cost.observe.observer import Observer

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]


class EnforceSwitch:
    """True while policies in mode Enforce may be enforced. A broken file changes nothing, and is logged once."""

    def __init__(self, *, enabled: bool, file: Path | None) -> None:
        self._enabled = enabled
        self._file = file
        self._stamp = _stamp(file)

    def read(self) -> bool:
        """Looks at the file again if it was replaced; a ConfigMap is replaced by moving a symbolic link."""
        stamp = _stamp(self._file)
        if stamp is not None and stamp != self._stamp:
            self._stamp = stamp
            self._reload()
        return self._enabled

    def _reload(self) -> None:
        try:
            enabled = load_settings().enforce.enabled
        except InvalidSettingsError as error:
            log.warning("settings_file_ignored", extra={"problems": error.problems})
            return
        if enabled != self._enabled:
            log.warning("enforce_switched", extra={"enabled": enabled})
        self._enabled = enabled


def _stamp(file: Path | None) -> _Stamp | None:
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)


class SwitchedObserver:
    """The observer, told before each look whether anything may be enforced."""

    def __init__(self, observer: Observer, switch: EnforceSwitch) -> None:
        self._observer = observer
        self._switch = switch

    async def observe(self, now: float) -> Snapshot:
        self._observer.enforce_enabled = self._switch.read()
        return await self._observer.observe(now)
