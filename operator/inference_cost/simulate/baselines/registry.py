"""The baselines by the names of `--against`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inference_cost.simulate.baselines import hpa, keda, kpa, llmd_slo, wva, wva_saturation
from inference_cost.simulate.baselines.spot import half_half, on_demand_only, one_zone, spothedge


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A rule with the knob it ships with and the grid that is searched in hindsight.

    Knobs and states are the NamedTuples of the rule's own file. An autoscaler has `new_state(knobs, replicas at
    start)` and `desired(seen, knobs, state)` → replicas to write; a spot rule has `new_state(knobs, zones)` and
    `desired(seen, wanted_spot, knobs, state)` → on-demand replicas wanted, with those per zone in `wanted_spot`.
    Both are compiled by Numba, to be called from compiled loops; `desired` changes the state's arrays.
    """

    name: str
    title: str
    source: str
    interval_seconds: float
    default: Any
    grid: tuple[Any, ...]
    label: Callable[[Any], str]
    new_state: Callable[[Any, int], Any]
    desired: Callable[..., int]


KUBERNETES = "kubernetes/kubernetes 1.35, pkg/controller/podautoscaler"
KEDA = "kedacore/keda 2.20, 2026-08-20"
KNATIVE = "knative/serving, 2026-08-21"
WVA_V1 = "llm-d/llm-d-workload-variant-autoscaler v0.5.1, 2026-02-19"
WVA_CHART = "llm-d/llm-d-workload-variant-autoscaler v0.5.1 chart, 2026-02-19; law of v0.9.0-rc1"
LLMD = "llm-d/llm-d, guides/workload-autoscaling/README.slo-aware.md, 2026-09"
SKYSERVE = "skypilot-org/skypilot, sky/serve, 2026"
PLAIN = "common practice"

_AUTOSCALERS = (
    Baseline(
        name="hpa",
        title="HPA v2, requests/s per pod",
        source=KUBERNETES,
        interval_seconds=hpa.INTERVAL_SECONDS,
        default=hpa.DEFAULT,
        grid=hpa.GRID,
        label=hpa.label,
        new_state=hpa.new_state,
        desired=hpa.desired,
    ),
    Baseline(
        name="keda",
        title="KEDA, requests/s in total",
        source=KEDA,
        interval_seconds=keda.INTERVAL_SECONDS,
        default=keda.DEFAULT,
        grid=keda.GRID,
        label=keda.label,
        new_state=keda.new_state,
        desired=keda.desired,
    ),
    Baseline(
        name="kpa",
        title="Knative KPA, concurrency",
        source=KNATIVE,
        interval_seconds=kpa.INTERVAL_SECONDS,
        default=kpa.DEFAULT,
        grid=kpa.GRID,
        label=kpa.label,
        new_state=kpa.new_state,
        desired=kpa.desired,
    ),
    Baseline(
        name="kpa-rps",
        title="Knative KPA, requests/s",
        source=KNATIVE,
        interval_seconds=kpa.INTERVAL_SECONDS,
        default=kpa.DEFAULT_BY_RATE,
        grid=kpa.GRID_BY_RATE,
        label=kpa.label,
        new_state=kpa.new_state,
        desired=kpa.desired,
    ),
    Baseline(
        name="wva",
        title="WVA token law, its HPA without up-window",
        source=WVA_CHART,
        interval_seconds=wva.INTERVAL_SECONDS,
        default=wva.DEFAULT,
        grid=wva.GRID,
        label=wva.label,
        new_state=wva.new_state,
        desired=wva.desired,
    ),
    Baseline(
        name="wva-chart",
        title="WVA token law, its chart's HPA",
        source=WVA_CHART,
        interval_seconds=wva.INTERVAL_SECONDS,
        default=wva.CHART,
        grid=wva.CHART_GRID,
        label=wva.label,
        new_state=wva.new_state,
        desired=wva.desired,
    ),
    Baseline(
        name="wva-saturation",
        title="WVA saturation law, its HPA without up-window",
        source=WVA_V1,
        interval_seconds=wva_saturation.INTERVAL_SECONDS,
        default=wva_saturation.DEFAULT,
        grid=wva_saturation.GRID,
        label=wva_saturation.label,
        new_state=wva_saturation.new_state,
        desired=wva_saturation.desired,
    ),
    Baseline(
        name="wva-saturation-chart",
        title="WVA saturation law, its chart's HPA",
        source=WVA_V1,
        interval_seconds=wva_saturation.INTERVAL_SECONDS,
        default=wva_saturation.CHART,
        grid=wva_saturation.CHART_GRID,
        label=wva_saturation.label,
        new_state=wva_saturation.new_state,
        desired=wva_saturation.desired,
    ),
    Baseline(
        name="llmd-slo",
        title="llm-d's SLO-aware law in KEDA",
        source=LLMD,
        interval_seconds=llmd_slo.INTERVAL_SECONDS,
        default=llmd_slo.DEFAULT,
        grid=llmd_slo.GRID,
        label=llmd_slo.label,
        new_state=llmd_slo.new_state,
        desired=llmd_slo.desired,
    ),
)

_SPOT = (
    Baseline(
        name="spothedge",
        title="SpotHedge",
        source=SKYSERVE,
        interval_seconds=spothedge.INTERVAL_SECONDS,
        default=spothedge.DEFAULT,
        grid=spothedge.GRID,
        label=spothedge.label,
        new_state=spothedge.new_state,
        desired=spothedge.desired,
    ),
    Baseline(
        name="on-demand-only",
        title="On demand only",
        source=PLAIN,
        interval_seconds=on_demand_only.INTERVAL_SECONDS,
        default=on_demand_only.DEFAULT,
        grid=on_demand_only.GRID,
        label=on_demand_only.label,
        new_state=on_demand_only.new_state,
        desired=on_demand_only.desired,
    ),
    Baseline(
        name="one-zone",
        title="Spot in one zone, on-demand fallback",
        source=SKYSERVE,
        interval_seconds=one_zone.INTERVAL_SECONDS,
        default=one_zone.DEFAULT,
        grid=one_zone.GRID,
        label=one_zone.label,
        new_state=one_zone.new_state,
        desired=one_zone.desired,
    ),
    Baseline(
        name="half-half",
        title="Half spot, half on demand",
        source="Amazon EC2 Auto Scaling, mixed instances group; SkyServe's fallback",
        interval_seconds=half_half.INTERVAL_SECONDS,
        default=half_half.DEFAULT,
        grid=half_half.GRID,
        label=half_half.label,
        new_state=half_half.new_state,
        desired=half_half.desired,
    ),
)

AUTOSCALERS = {baseline.name: baseline for baseline in _AUTOSCALERS}
SPOT = {baseline.name: baseline for baseline in _SPOT}
