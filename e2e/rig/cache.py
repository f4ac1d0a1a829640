"""Where built and downloaded things are kept between runs, outside the repository."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """`INFERENCE_COST_CACHE`, else a folder in the user's cache."""
    default = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("INFERENCE_COST_CACHE") or Path(default) / "inference-cost-operator")


@contextmanager
def exclusive(lock: Path, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock that falls with the process; calls `waiting` once when another holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
