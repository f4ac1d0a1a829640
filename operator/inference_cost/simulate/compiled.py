"""Functions of the simulator that are compiled by Numba; the same function runs as plain Python through `.py_func`.

Machine code is kept on disk. Numba asks only whether a function's own file changed, not the files of what it calls:
so each state of the simulator's sources has a folder of its own.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])

STATES_KEPT = 6


def compiled(function: F) -> F:
    """Compile on first use, and keep the machine code for the next process."""
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


def _fingerprint(folder: Path) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _cache_home() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "inference-cost-operator" / "compiled"


def _keep_code_in(home: Path) -> None:
    """Point Numba to this state's folder; the oldest of the others go."""
    folder = home / _fingerprint(Path(__file__).parent)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        if not os.access(folder, os.W_OK):
            raise PermissionError(folder)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="inference-cost-compiled-"))
    numba.config.CACHE_DIR = str(folder)
    states = sorted(folder.parent.glob("*/"), key=lambda one: one.stat().st_mtime)
    if folder.parent == home:
        for old in states[:-STATES_KEPT]:
            shutil.rmtree(old, ignore_errors=True)


if not os.environ.get("NUMBA_CACHE_DIR"):
    _keep_code_in(_cache_home())
