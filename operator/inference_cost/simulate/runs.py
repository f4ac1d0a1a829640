"""One compiled loop per baseline: to the next sync, look, write.

A loop that took the rule as an argument could not be kept on disk by Numba and would be compiled anew in each process.
"""

from collections.abc import Callable
from math import inf
from typing import Any

from inference_cost.simulate.baselines import hpa, keda, kpa, llmd_slo, wva, wva_saturation
from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.look import look, look_directly
from inference_cost.simulate.world.replicas import order
from inference_cost.simulate.world.state import World


@compiled
def run_static(world: World) -> None:
    """Leave the replicas as they are."""
    advance(world, inf)


@compiled
def run_hpa(world: World, knobs: hpa.Knobs, state: hpa.State) -> None:
    while advance(world, hpa.INTERVAL_SECONDS):
        order(world, hpa.desired(look(world), knobs, state))


@compiled
def run_keda(world: World, knobs: keda.Knobs, state: keda.State) -> None:
    while advance(world, keda.INTERVAL_SECONDS):
        order(world, keda.desired(look(world), knobs, state))


@compiled
def run_kpa(world: World, knobs: kpa.Knobs, state: kpa.State) -> None:
    while advance(world, kpa.INTERVAL_SECONDS):
        order(world, kpa.desired(look_directly(world), knobs, state))


@compiled
def run_wva(world: World, knobs: wva.Knobs, state: wva.State) -> None:
    while advance(world, wva.INTERVAL_SECONDS):
        order(world, wva.desired(look(world), knobs, state))


@compiled
def run_wva_saturation(
    world: World, knobs: wva_saturation.Knobs, state: wva_saturation.State
) -> None:
    while advance(world, wva_saturation.INTERVAL_SECONDS):
        order(world, wva_saturation.desired(look(world), knobs, state))


@compiled
def run_llmd_slo(world: World, knobs: llmd_slo.Knobs, state: llmd_slo.State) -> None:
    while advance(world, llmd_slo.INTERVAL_SECONDS):
        order(world, llmd_slo.desired(look(world), knobs, state))


RUNS: dict[str, Callable[[World, Any, Any], None]] = {
    "hpa": run_hpa,
    "keda": run_keda,
    "kpa": run_kpa,
    "kpa-rps": run_kpa,
    "wva": run_wva,
    "wva-chart": run_wva,
    "wva-saturation": run_wva_saturation,
    "wva-saturation-chart": run_wva_saturation,
    "llmd-slo": run_llmd_slo,
}
"""By the names of `baselines/registry.py`."""
