"""A whole platform on one machine: control plane, priced nodes, Prometheus, and what runs on them.

with Stack.start(StackSettings(state_folder=folder, pools=pools)) as stack:
    stack.install_operator(values)
    stack.kube.apply(*fleet.manifests())
    url = stack.balance(fleet.namespace, fleet.name)
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from e2e.rig.binaries import ensure
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.fleet_exporter.launch import start_exporter
from e2e.rig.fleet_exporter.simulated_fleet import SimulatedFleet
from e2e.rig.kube import KubeClient, wait_for
from e2e.rig.kwok.nodes import add_nodes
from e2e.rig.process_node.background import ProcessNodes
from e2e.rig.processes import Command, ManagedProcess, ProcessGroup
from e2e.rig.programs import SHORT_TIMINGS, Timings
from e2e.rig.provisioner import PoolFile, Provisioner, ProvisionerSettings
from e2e.rig.provisioner.background import provisioning

REPOSITORY = Path(__file__).parents[2]
CHART = REPOSITORY / "charts" / "inference-cost-operator"
RELEASE = "inference-cost-operator"
OPERATOR_NAMESPACE = "inference-cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """`empty_seconds`: how long a node stays without pods before it is taken away."""

    state_folder: Path
    name: str = "stack"
    pools: PoolFile = field(default_factory=PoolFile)
    empty_seconds: float = 10.0
    scrape_interval_seconds: float = 2.0
    with_prometheus: bool = True
    timings: Timings = SHORT_TIMINGS


class HelmError(RuntimeError):
    """helm refused; the message is its own."""


class Stack:
    """Owner of everything that was started; `stop` leaves nothing behind."""

    def __init__(self, settings: StackSettings, held: ExitStack) -> None:
        self._held = held
        self._exporter: ExporterClient | None = None
        self.settings = settings
        self.control_plane: ControlPlane = held.enter_context(
            ControlPlane.start(
                ControlPlaneSettings(
                    state_folder=settings.state_folder,
                    name=settings.name,
                    with_prometheus=settings.with_prometheus,
                    scrape_interval_seconds=settings.scrape_interval_seconds,
                    timings=settings.timings,
                )
            )
        )
        self.cluster = self.control_plane.cluster
        self.kube = held.enter_context(KubeClient(self.cluster.kubeconfig))
        self.processes = held.enter_context(ProcessGroup())
        self.nodes = held.enter_context(
            ProcessNodes.start(
                kubeconfig=self.cluster.rig_kubeconfig,
                pods=self.cluster.pods,
                state_folder=self.cluster.state_folder / "nodes",
            )
        )
        self.provisioner: Provisioner = held.enter_context(
            provisioning(
                self.nodes,
                ProvisionerSettings(
                    pools=settings.pools,
                    lifetimes_file=self.lifetimes_file,
                    empty_seconds=settings.empty_seconds,
                ),
            )
        )

    @classmethod
    def start(cls, settings: StackSettings) -> Self:
        """Start control plane, nodes and provisioner (about five seconds, programs built)."""
        with ExitStack() as held:
            stack = cls(settings, held)
            stack._held = held.pop_all()
        return stack

    @property
    def lifetimes_file(self) -> Path:
        """When each node was launched, ready and gone (see provisioner/lifetimes.py)."""
        return self.settings.state_folder / "node-lifetimes.csv"

    @property
    def prometheus_url(self) -> str:
        """Raises `LookupError` where the stack was started without Prometheus."""
        if self.cluster.prometheus_url is None:
            raise LookupError("this stack has no Prometheus")
        return self.cluster.prometheus_url

    def stop(self) -> None:
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def create_namespace(self, name: str, **labels: str) -> None:
        """Create a namespace and wait for its default ServiceAccount."""
        self.kube.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        )
        wait_for(
            lambda: self.kube.find("v1", "ServiceAccount", "default", namespace=name),
            timeout_seconds=15,
            what=f"the default ServiceAccount of {name}",
        )

    def helm(self, *arguments: str) -> str:
        """Run helm against the cluster and return what it prints.

        Raises:
            HelmError: it failed.
        """
        program = ensure("helm")["helm"]
        state = self.cluster.state_folder / "helm"
        environment = {
            "PATH": os.defpath,
            "HOME": str(state),
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "HELM_CACHE_HOME": str(state),
            "HELM_CONFIG_HOME": str(state),
            "HELM_DATA_HOME": str(state),
        }
        done = subprocess.run(
            [str(program), *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise HelmError(f"helm {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def install_operator(self, values: dict[str, Any], *, timeout_seconds: float = 60) -> str:
        """Install or change the release and wait until its pods are ready; returns the chart's NOTES."""
        file = self.cluster.state_folder / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        return self.helm(
            *("upgrade", "--install", RELEASE, str(CHART)),
            *("--namespace", OPERATOR_NAMESPACE, "--create-namespace"),
            *("--values", str(file), "--wait", "--timeout", f"{timeout_seconds:.0f}s"),
        )

    def balance(
        self, namespace: str, service: str, *, bounds_milliseconds: Sequence[float] = ()
    ) -> str:
        """Start a load balancer in front of a Service, scraped by Prometheus; returns its URL."""
        log = self.cluster.logs / f"load-balancer-{namespace}-{service}.log"
        bounds = [f"{bound:g}" for bound in bounds_milliseconds]
        process = self._run_module(
            f"load-balancer-{namespace}-{service}",
            log,
            "e2e.rig.load_balancer",
            *("--kubeconfig", str(self.cluster.rig_kubeconfig)),
            *("--namespace", namespace, "--service", service),
            *(("--bucket-milliseconds", *bounds) if bounds else ()),
        )

        def announced() -> str | None:
            process.fail_if_ended()
            first = log.read_text().partition("\n")[0] if log.exists() else ""
            return json.loads(first)["url"] if first.startswith("{") else None

        url = wait_for(announced, timeout_seconds=15, what="the load balancer")
        address = url.removeprefix("http://")
        self.cluster.add_scrape_target(f"gateway-{namespace}-{service}", address, {})
        return url

    def simulate_fleet(
        self, fleet: SimulatedFleet, *, nodes: int, gpus_per_node: int = 1
    ) -> ExporterClient:
        """Add kwok nodes and a fleet of simulated servers on them; its load is set by the client."""
        if self._exporter is None:
            self._exporter = start_exporter(self.cluster, self.processes)
        add_nodes(self.kube, *fleet.nodes(nodes, gpus=gpus_per_node))
        self.kube.apply(*fleet.manifests())
        return self._exporter

    def load(self, *arguments: str, name: str = "load") -> ManagedProcess:
        """Start `python -m e2e.rig.load`; its progress is in `<logs>/<name>.log`."""
        return self._run_module(name, self.cluster.logs / f"{name}.log", "e2e.rig.load", *arguments)

    def _run_module(self, name: str, log: Path, module: str, *arguments: str) -> ManagedProcess:
        return self.processes.start(
            Command(
                name=name,
                arguments=(sys.executable, "-u", "-m", module, *arguments),
                log=log,
                directory=REPOSITORY,
            )
        )
