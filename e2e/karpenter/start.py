"""A cluster whose nodes Karpenter buys, with the operator in it; the operator's own pods run on process nodes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from e2e.rig.binaries import CLUSTER_BINARIES
from e2e.rig.karpenter.launch import start_karpenter
from e2e.rig.operator_release import operator_values
from e2e.rig.ports import claimed_ports
from e2e.rig.providers.provider import ProvidedCluster
from e2e.rig.provisioner import PoolFile, StaticNode
from e2e.rig.stack import REPOSITORY, Stack, StackSettings
from e2e.scenarios.installation import Installation, merged
from e2e.scenarios.start import FAST_SETTINGS

TICK_SECONDS = 3.0
RATE_WINDOW_SECONDS = 12.0
SCRAPE_SECONDS = 2.0
BOOT_SECONDS = 2
# A pod waits for Karpenter's batch (1 s), the machine (2 s), its registration, and its own start (2 s).
START_UP_SECONDS = 10.0
PLATFORM = PoolFile(static_nodes=(StaticNode(name="platform-1"), StaticNode(name="platform-2")))
PROGRAMS = (*CLUSTER_BINARIES, "helm", "karpenter")


def build() -> None:
    """Build the programs: minutes once, then nothing. In a process of its own, as threads keep their network."""
    command = [sys.executable, "-m", "e2e.rig", "build", *PROGRAMS]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    fetch = [sys.executable, "-c", "from e2e.rig.karpenter.definitions import *; definitions()"]
    subprocess.run(fetch, cwd=REPOSITORY, check=True)


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """Cluster, Karpenter and operator for the length of a with block."""
    settings = StackSettings(
        state_folder=folder / "cluster",
        name="karpenter",
        pools=PLATFORM,
        scrape_interval_seconds=SCRAPE_SECONDS,
    )
    with ExitStack() as held:
        stack = held.enter_context(Stack.start(settings))
        ports = held.enter_context(claimed_ports())
        start_karpenter(
            stack.cluster, stack.kube, stack.processes, ports, boot_seconds=BOOT_SECONDS
        )
        installation = _installation(stack, folder)
        installation.install()
        installation.wait_for_leader()
        yield installation


def _installation(stack: Stack, folder: Path) -> Installation:
    values = operator_values(
        stack.cluster,
        tick_seconds=TICK_SECONDS,
        rate_window_seconds=RATE_WINDOW_SECONDS,
        start_up_seconds=START_UP_SECONDS,
    )
    return Installation(
        cluster=ProvidedCluster(
            provider="bundled",
            kubeconfig=stack.cluster.kubeconfig,
            prometheus_url=stack.prometheus_url,
            control_plane=stack.control_plane,
        ),
        kube=stack.kube,
        folder=folder,
        values=merged(values, FAST_SETTINGS, {"warm": {"enabled": True}}),
        stack=stack,
    )
