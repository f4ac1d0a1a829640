"""Starts the cluster of a provider with the operator in it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from e2e.rig.binaries import CLUSTER_BINARIES, ensure
from e2e.rig.kube import KubeClient
from e2e.rig.operator_release import operator_values
from e2e.rig.providers import provider
from e2e.rig.providers.provider import ProvidedCluster
from e2e.rig.provisioner import NodePool, PoolFile, StaticNode
from e2e.rig.stack import Stack, StackSettings
from e2e.rig.triton import ensure_triton
from e2e.scenarios.installation import Installation, merged
from e2e.scenarios.story_pools import STORY_NODES, STORY_POOLS
from e2e.scenarios.targets import karpenter_definitions, keda_definition

TICK_SECONDS = 3.0
RATE_WINDOW_SECONDS = 8.0
SCRAPE_SECONDS = 2.0
START_UP_SECONDS = 10.0  # of a busy machine: what takes longer counts as refused
NODE_PRICE = Decimal("0.8048")
SPOT_PRICE = Decimal("0.2414")
KEPT_PRICE = Decimal("1.50")  # above all others: only what asks for these nodes gets them
KEPT_BOOT_SECONDS = 5.0
# Chart values on top of ours: image, node selector, the address of Prometheus in the cluster.
VALUES_VARIABLE = "INFERENCE_COST_E2E_VALUES"
KIND_PROMETHEUS = "http://prometheus.monitoring.svc:9090"

POOLS = PoolFile(
    pools=(
        NodePool(
            name="listed",
            instance_type="g6.xlarge",
            gpu_product="NVIDIA-L4",
            price_per_hour=NODE_PRICE,
            boot_delay_seconds=1.0,
            max_nodes=24,
        ),
        NodePool(
            name="spot",
            instance_type="g6.xlarge",
            gpu_product="NVIDIA-L4",
            capacity_type="spot",
            zone="zone-b",
            price_per_hour=SPOT_PRICE,
            boot_delay_seconds=1.0,
        ),
        NodePool(
            name="kept",
            instance_type="g6.2xlarge",
            gpu_product="NVIDIA-L4",
            price_per_hour=KEPT_PRICE,
            boot_delay_seconds=KEPT_BOOT_SECONDS,
            max_nodes=4,
        ),
        NodePool(
            name="unlisted",
            instance_type="homemade.xlarge",
            price_per_hour=Decimal(1),
            boot_delay_seconds=1.0,
            labels={"scenario": "unlisted"},
        ),
        *STORY_POOLS,
    ),
    static_nodes=(StaticNode(name="platform-1"), StaticNode(name="platform-2"), *STORY_NODES),
)

# A suite squeezes hours into minutes: the budget of writes and the pauses between them shrink alike.
FAST_SETTINGS: dict[str, Any] = {
    "scaleInOrder": {"enabled": True},
    "settings": {
        "writes": {
            "checkpoint_seconds": 15.0,
            "status_per_second": 10.0,
            "status_burst": 50,
        },
    },
}


def build(provider_name: str) -> None:
    """Build or fetch what the provider needs: minutes once, then nothing."""
    ensure("helm", "kubectl")
    if provider_name == "bundled":
        ensure(*CLUSTER_BINARIES)
        ensure_triton()


@contextmanager
def installed(provider_name: str, folder: Path) -> Iterator[Installation]:
    """Cluster and operator for the length of a with block; both are gone afterwards."""
    with ExitStack() as held:
        bundled = provider_name == "bundled"
        installation = (
            _bundled(folder, held) if bundled else _elsewhere(provider_name, folder, held)
        )
        installation.install()
        installation.wait_for_leader()
        yield installation


def _bundled(folder: Path, held: ExitStack) -> Installation:
    settings = StackSettings(
        state_folder=folder / "cluster",
        name="scenarios",
        pools=POOLS,
        scrape_interval_seconds=SCRAPE_SECONDS,
    )
    stack = held.enter_context(Stack.start(settings))
    stack.kube.apply(keda_definition(), *karpenter_definitions())
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


def _elsewhere(provider_name: str, folder: Path, held: ExitStack) -> Installation:
    cluster = held.enter_context(provider(provider_name).cluster(folder / "cluster"))
    installation = Installation(
        cluster=cluster,
        kube=held.enter_context(KubeClient(cluster.kubeconfig)),
        folder=folder,
        values=merged(_values_elsewhere(cluster), FAST_SETTINGS, _own_values()),
    )
    held.callback(installation.uninstall)
    return installation


def _values_elsewhere(cluster: ProvidedCluster) -> dict[str, Any]:
    kind = cluster.provider == "kind"
    return {
        "enforce": {"enabled": True},
        "prometheus": {"url": KIND_PROMETHEUS if kind else cluster.prometheus_url or ""},
        "tickSeconds": TICK_SECONDS,
    } | ({"image": {"tag": "e2e"}} if kind else {})


def _own_values() -> dict[str, Any]:
    file = os.environ.get(VALUES_VARIABLE, "")
    return dict(yaml.safe_load(Path(file).read_text()) or {}) if file else {}
