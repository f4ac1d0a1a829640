"""What the probes look at. Each check gives what is wrong, or ""."""

import asyncio
import math

from inference_cost.control.clock import Clock
from inference_cost.control.elector import Elector
from inference_cost.control.http import Check
from inference_cost.control.loop import ControlLoop
from inference_cost.observe.cluster_cache import ClusterCache

MISSED_TICKS = 3
BLOCKED_SECONDS = 30.0  # an event loop that was blocked for so long would have lost the Lease


def live_checks(
    loop: ControlLoop, elector: Elector, *, clock: Clock, elector_patience_seconds: float
) -> tuple[Check, ...]:
    """The loop ticks (once it runs) and the elector tries; a standby and an API outage are alive."""

    def loop_problem() -> str:
        if not loop.running:
            return ""
        age = clock.monotonic() - loop.heartbeat
        limit = MISSED_TICKS * loop.interval + BLOCKED_SECONDS
        return f"no tick for {math.floor(age)} s" if age > limit else ""

    def elector_problem() -> str:
        age = clock.monotonic() - elector.heartbeat
        limit = elector_patience_seconds + BLOCKED_SECONDS
        return f"no attempt for {math.floor(age)} s" if age > limit else ""

    return (
        Check(name="loop", problem=loop_problem),
        Check(name="elector", problem=elector_problem),
    )


def ready_checks(cache: ClusterCache, compiled: asyncio.Event) -> tuple[Check, ...]:
    """The caches are primed, and decisions need not wait for the compiler; true on a standby too."""

    def cache_problem() -> str:
        return "" if cache.synced else "not every kind was listed yet"

    def compiler_problem() -> str:
        return "" if compiled.is_set() else "the headroom rules are being compiled"

    return (
        Check(name="caches", problem=cache_problem),
        Check(name="compiler", problem=compiler_problem),
    )
