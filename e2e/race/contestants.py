"""Who takes part: what each installs, what it is told, and who then writes to /scale."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from e2e.baselines import keda
from e2e.baselines.aggregation import wait_until_available
from e2e.baselines.audit import HPA_USER
from e2e.baselines.serving import ServingThread, Site
from e2e.demo.settings import DemoSettings
from e2e.demo.stage import install_operator, operator_policy
from e2e.race.fleet_metrics import fleet_metrics
from e2e.race.manifests import DOWN, UP, by_llmd_law, by_request_rate
from e2e.race.settings import DOWN_ONE_POD_SECONDS, DOWN_SECONDS, SMOOTHED_SECONDS, SYNC_SECONDS
from e2e.race.tuning import Forecast, Knob
from e2e.rig.binaries import KEDA_BINARIES, Binaries, ensure
from e2e.rig.kube import Manifest
from e2e.rig.ports import claimed_ports
from e2e.rig.stack import OPERATOR_NAMESPACE, RELEASE, Stack

OPERATOR, KEDA_TUNED, KEDA_DEFAULT, LLMD = "operator", "keda-tuned", "keda-default", "llmd-slo"
NAMES = (OPERATOR, KEDA_TUNED, KEDA_DEFAULT, LLMD)

Install = Callable[[Stack, DemoSettings, ExitStack], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """`told` is one sentence on its settings; `forecast` what the simulator expects, where it was asked."""

    name: str
    title: str
    told: str
    writer: str
    install: Install
    policy: Callable[[Stack, DemoSettings], Manifest]
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keda:
    """KEDA's programs and definitions, at hand before the network is left."""

    crds: list[Manifest]
    binaries: Binaries

    @classmethod
    def fetch(cls) -> "Keda":
        return cls(crds=keda.definitions(), binaries=ensure(*KEDA_BINARIES))

    def install(self, stack: Stack, _: DemoSettings, held: ExitStack) -> None:
        ports = keda.KedaPorts.claim(held.enter_context(claimed_ports()))
        keda.install(stack.kube, self.crds, ports)
        keda.start(stack.processes, stack.cluster, self.binaries, ports)
        wait_until_available(stack.kube, keda.EXTERNAL_METRICS)


def operator(forecast: Forecast) -> Contestant:
    return Contestant(
        name=OPERATOR,
        title="inference-cost-operator",
        told=(
            "The objective, the bounds, that the load balancer evens out, and that a start takes "
            "about 10 s; nothing of this load."
        ),
        writer=f"system:serviceaccount:{OPERATOR_NAMESPACE}:{RELEASE}",
        install=lambda stack, settings, _: install_operator(stack, settings),
        policy=lambda _, settings: operator_policy(settings),
        forecast=forecast,
    )


def keda_by_rate(name: str, title: str, forecast: Forecast, installed: Keda) -> Contestant:
    """Raises ValueError when the forecast is of no knob."""
    if (knob := forecast.knob) is None:
        raise ValueError("KEDA needs a threshold")
    return Contestant(
        name=name,
        title=title,
        told=(
            f"Threshold {knob.threshold:g} requests/s per replica, scaleDown window {knob.window_seconds} s, "
            f"a sync every {SYNC_SECONDS} s, else the defaults."
        ),
        writer=HPA_USER,
        install=installed.install,
        policy=lambda stack, settings: _rate_policy(stack, settings, knob),
        forecast=forecast,
    )


def llmd_law(installed: Keda) -> Contestant:
    def install(stack: Stack, settings: DemoSettings, held: ExitStack) -> None:
        _serve_fleet_metrics(stack, settings, held)
        installed.install(stack, settings, held)

    return Contestant(
        name=LLMD,
        title="llm-d's SLO law in KEDA",
        told=(
            f"p90 of latency over the objective, mean of {SMOOTHED_SECONDS} s: more replicas above {UP:.2f}, "
            f"fewer below {DOWN:.2f}; down by one per {DOWN_ONE_POD_SECONDS} s after {DOWN_SECONDS} s. "
            "A ScaledObject with the guide's formula in scalingModifiers, its triggers PromQL."
        ),
        writer=HPA_USER,
        install=install,
        policy=_llmd_policy,
    )


def _rate_policy(stack: Stack, settings: DemoSettings, knob: Knob) -> Manifest:
    return by_request_rate(
        settings.fleet,
        prometheus_url=stack.prometheus_url,
        threshold=knob.threshold,
        window_seconds=knob.window_seconds,
        most=settings.max_replicas,
    )


def _llmd_policy(stack: Stack, settings: DemoSettings) -> Manifest:
    return by_llmd_law(
        settings.fleet,
        prometheus_url=stack.prometheus_url,
        objective_milliseconds=settings.objective_milliseconds,
        most=settings.max_replicas,
    )


def _serve_fleet_metrics(stack: Stack, settings: DemoSettings, held: ExitStack) -> None:
    port = held.enter_context(claimed_ports()).claim()
    fleet = settings.fleet
    application = fleet_metrics(stack.kube, namespace=fleet.namespace, name=fleet.name)
    held.enter_context(ServingThread((Site(application=application, port=port),)))
    stack.cluster.add_scrape_target("fleet", f"127.0.0.1:{port}", {})
