"""Functions that Numba compiles; the same function runs as plain Python through `.py_func`.

Machine code is kept on disk. Numba asks only whether a function's own file changed, not the files of what it calls:
so each state of a package's sources has a folder of its own.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])

STATES_KEPT = 6
IN_USE_SECONDS = 86_400.0  # another process may still run on a state


def compiler(package: Path, *, nogil: bool = False) -> Callable[[F], F]:
    """A decorator: compile on first use, and keep the machine code for the next process where that can be.

    `nogil`: other threads run while the function does.
    """
    folder = os.environ.get("NUMBA_CACHE_DIR") or _folder(package)

    def compiled(function: F) -> F:
        if folder is None:
            return cast(F, numba.njit(error_model="numpy", nogil=nogil)(function))
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, folder
        try:
            return cast(F, numba.njit(cache=True, error_model="numpy", nogil=nogil)(function))
        finally:
            numba.config.CACHE_DIR = before

    return compiled


def _folder(package: Path) -> str | None:
    """Of this state of the sources; the oldest of the others go. None where nothing may be written."""
    home = _cache_home() / package.name
    folder = home / _fingerprint(package)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        if not os.access(folder, os.W_OK):
            raise PermissionError(folder)
    except OSError:
        return _temporary()
    _remove_old(home)
    return str(folder)


def _temporary() -> str | None:
    try:
        return tempfile.mkdtemp(prefix="inference-cost-compiled-")
    except OSError:
        return None


def _remove_old(home: Path) -> None:
    states = sorted(home.glob("*/"), key=lambda one: one.stat().st_mtime)
    for old in states[:-STATES_KEPT]:
        if old.stat().st_mtime < time.time() - IN_USE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _fingerprint(package: Path) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _cache_home() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "inference-cost-operator" / "compiled"
