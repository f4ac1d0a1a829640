"""What pools with limits leave to one policy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """A pool whose limit is reached. `takers`: the first of the others who have its room; `own`: replicas there.

    `limit`: nodes or hourlyCost, `most` of it. `higher`: all of them are of higher priority.
    """

    pool: str
    limit: str
    most: float
    takers: tuple[str, ...] = ()
    higher: bool = False
    own: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What pools with limits leave to one policy: replicas by variant in the end, and that may be asked for now."""

    goal: tuple[int, ...]
    now: tuple[int, ...]
    full: tuple[Full, ...] = ()
