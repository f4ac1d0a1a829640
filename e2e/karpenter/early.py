"""Fleets that are deployed with the session, side by side: each takes a minute until it runs where it is to."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from e2e.karpenter.calm import LOW_PER_SECOND, CalmWatch, watched
from e2e.karpenter.fleet import KarpenterFleet
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.karpenter.machines import DEAR_SPOT, G6, SPOT
from e2e.rig.karpenter.node_pools import EMPTY_ONLY
from e2e.scenarios.installation import Installation
from e2e.scenarios.scene import scene

QUIET_PER_SECOND = 40.0  # no more than the minimum carries


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyFleets:
    """`on_spot` goes there by itself, `priced` stays on demand as long as spot is dearer, `calm` is only watched."""

    on_spot: KarpenterFleet
    priced: KarpenterFleet
    calm: CalmWatch


@contextmanager
def early_fleets(
    installation: Installation,
    exporter: ExporterClient,
    *,
    calm_minutes: int,
    calm_policy: str,
) -> Iterator[EarlyFleets]:
    """Deploy them; the watch over the calm one begins by itself. `calm_policy`: how Karpenter consolidates it."""
    cheap = G6.prices[SPOT]
    with ExitStack() as held, ThreadPoolExecutor() as pool:
        fleets = {
            name: KarpenterFleet(
                scene=held.enter_context(scene(installation, name)),
                exporter=exporter,
                prefix=prefix,
                consolidation_policy=policy,
            )
            for name, prefix, policy in (
                ("on-spot", "", EMPTY_ONLY),
                ("priced", "priced-", EMPTY_ONLY),
                ("calm", "calm-", calm_policy),
            )
        }
        deployed = [
            pool.submit(fleets["on-spot"].deploy, QUIET_PER_SECOND, spot_price=cheap),
            pool.submit(fleets["priced"].deploy, QUIET_PER_SECOND, spot_price=DEAR_SPOT),
            pool.submit(fleets["calm"].deploy, LOW_PER_SECOND, spot_price=cheap),
        ]
        for one in deployed:
            one.result()
        calm = held.enter_context(watched(fleets["calm"], phases=calm_minutes, pool=pool))
        yield EarlyFleets(on_spot=fleets["on-spot"], priced=fleets["priced"], calm=calm)
