"""Fleets that start with the session, so that they have learned their model when their scenario comes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from e2e.scenarios.installation import Installation
from e2e.scenarios.live import LiveFleet, live_fleet
from e2e.scenarios.scene import scene

STEADY_PER_SECOND = 100.0
QUIET_PER_SECOND = 10.0
# Longer than the suite; the load ends with it.
LOAD_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyFleets:
    """`steady` carries 100 requests/s, `to_roll` has more replicas than it needs, `with_fallback` idles."""

    steady: LiveFleet
    steady_url: str
    to_roll: LiveFleet
    with_fallback: LiveFleet


@contextmanager
def early_fleets(installation: Installation) -> Iterator[EarlyFleets]:
    """Deploy them, and start the load once the first replicas answer."""
    with ExitStack() as held:
        places = {
            name: held.enter_context(scene(installation, name))
            for name in ("steady", "to-roll", "with-fallback")
        }
        steady = live_fleet(places["steady"], replicas=2)
        to_roll = live_fleet(places["to-roll"], replicas=3, start_delay="3s")
        with_fallback = live_fleet(places["with-fallback"])
        steady.deploy(mode="Enforce", maximum=10)
        to_roll.deploy(mode="Enforce", minimum=3, maximum=6)
        with_fallback.deploy(
            mode="Enforce",
            fallback={"failureThreshold": 3, "replicas": 3, "behavior": "Static"},
        )
        steady_url = _start_load(steady, STEADY_PER_SECOND)
        _start_load(to_roll, QUIET_PER_SECOND)
        yield EarlyFleets(
            steady=steady, steady_url=steady_url, to_roll=to_roll, with_fallback=with_fallback
        )


def _start_load(fleet: LiveFleet, per_second: float) -> str:
    """Address of the load balancer in front of the fleet, which has its load from now on."""
    fleet.wait_ready()
    url = fleet.balance()
    fleet.load(url, per_second=per_second, seconds=LOAD_SECONDS, name="base")
    return url
