"""Records the real autoscalers anew: ``python -m e2e.baselines --help``."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from e2e.baselines import keda, metrics_api, offered, recording
from e2e.baselines.aggregation import wait_until_available
from e2e.baselines.audit import AUDIT_POLICY, read_events, scale_writes, syncs
from e2e.baselines.exporter import exporter
from e2e.baselines.pods_metrics import PodsMetrics
from e2e.baselines.private_network import NoPrivateNetworkError, enter_private_network
from e2e.baselines.prometheus_tap import PrometheusTap
from e2e.baselines.serving import ServingThread, Site
from e2e.baselines.workloads import HPA_BEHAVIORS, KEDA, NAME, SYNC_SECONDS, Workload, workloads
from e2e.rig.binaries import CLUSTER_BINARIES, KEDA_BINARIES, RECIPES, ensure
from e2e.rig.cluster import CLUSTERS_FOLDER, Cluster
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.kube import KubeClient, Manifest, wait_for
from e2e.rig.kwok.nodes import add_nodes, kwok_node
from e2e.rig.ports import claimed_ports
from e2e.rig.processes import ProcessGroup
from e2e.rig.programs import SHORT_TIMINGS
from e2e.rig.supervisor import REPOSITORY

RECORDINGS = REPOSITORY / "tests" / "fixtures" / "autoscalers"
TIMINGS = replace(SHORT_TIMINGS, autoscaler_sync_seconds=SYNC_SECONDS)
SCRAPE_SECONDS = 1.0
LEAD_SECONDS = 10.0  # of load before the autoscalers are there: the first rate is a whole one
USED = ("kubernetes", "keda", "prometheus", "kwok", "etcd")  # recipes


class Clock:
    """Seconds since the load began; before that they are negative."""

    def __init__(self) -> None:
        self.start = float("inf")

    def begin(self) -> None:
        self.start = time.time()

    def __call__(self) -> float:
        return time.time() - self.start


def main() -> int:
    options = _parser().parse_args()
    ensure(*CLUSTER_BINARIES, *KEDA_BINARIES)
    crds = keda.definitions()
    try:
        enter_private_network()
    except NoPrivateNetworkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    record(crds, options.output, options.seconds)
    return 0


def record(crds: list[Manifest], output: Path, seconds: float) -> None:
    """Run everything for `seconds` and write one table per workload."""
    clock = Clock()
    with ExitStack() as stack:
        ports = stack.enter_context(claimed_ports())
        cluster = stack.enter_context(ControlPlane.start(_settings())).cluster
        kube = stack.enter_context(KubeClient(cluster.rig_kubeconfig))
        add_nodes(kube, kwok_node("kwok-1"), kwok_node("kwok-2"))
        assert cluster.prometheus_url
        tap = PrometheusTap(cluster.prometheus_url)
        pods_metrics = PodsMetrics(kube, cluster.prometheus_url)
        metrics_port, tap_port, exporter_port = (ports.claim() for _ in range(3))
        sites = (
            Site(application=exporter(clock), port=exporter_port),
            Site(application=tap.application(), port=tap_port),
            Site(
                application=pods_metrics.application(),
                port=metrics_port,
                tls=metrics_api.tls_of(cluster),
            ),
        )
        stack.enter_context(ServingThread(sites))
        cluster.add_scrape_target("offered", f"127.0.0.1:{exporter_port}", {})
        processes = stack.enter_context(ProcessGroup())
        keda_ports = keda.KedaPorts.claim(ports)
        keda.install(kube, crds, keda_ports)
        keda.start(processes, cluster, ensure(*KEDA_BINARIES), keda_ports)
        metrics_api.install(kube, metrics_port)
        wait_until_available(kube, keda.EXTERNAL_METRICS)
        recorded = workloads(f"http://127.0.0.1:{tap_port}")
        _create(kube, recorded, clock)
        _watch(kube, recorded, clock, seconds)
        tables = _tables(cluster, pods_metrics, tap, clock.start)
    _write(tables, output, seconds)


def _write(tables: dict[str, list[recording.Row]], output: Path, seconds: float) -> None:
    """One table per workload, and recording.json: where they come from."""
    counted = {}
    for name, rows in tables.items():
        kept = [row for row in rows if row.at_s < seconds]
        recording.write(output / f"{name}.csv.gz", kept)
        counted[name] = sum(row.event == recording.SYNC for row in kept)
    origin = {
        "date": time.strftime("%Y-%m-%d"),
        "command": f"python -m e2e.baselines --seconds {seconds:g}",
        "host": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {recipe.name: recipe.version for recipe in RECIPES if recipe.name in USED},
        "seconds": seconds,
        "syncs": counted,
    }
    (output / "recording.json").write_text(json.dumps(origin, indent=2) + "\n")
    print(f"syncs: {counted}; written to {output}")


def _settings() -> ControlPlaneSettings:
    return ControlPlaneSettings(
        state_folder=REPOSITORY / CLUSTERS_FOLDER / "calibrate-baselines",
        name="calibrate-baselines",
        timings=TIMINGS,
        scrape_interval_seconds=SCRAPE_SECONDS,
        audit_policy=AUDIT_POLICY,
    )


def _create(kube: KubeClient, recorded: Sequence[Workload], clock: Clock) -> None:
    """Deployments, then the load, then the autoscalers."""
    for workload in recorded:
        kube.apply(workload.namespace, workload.deployment)

    def all_ready() -> bool:
        found = (kube.get("apps/v1", "Deployment", NAME, namespace=w.name) for w in recorded)
        return all(deployment["status"].get("readyReplicas") for deployment in found)

    wait_for(all_ready, timeout_seconds=60, what="the first pods")
    clock.begin()
    time.sleep(LEAD_SECONDS)
    kube.apply(*(workload.autoscaler for workload in recorded))


def _watch(kube: KubeClient, recorded: Sequence[Workload], clock: Clock, seconds: float) -> None:
    """Wait for the end and say what goes on."""
    while clock() < seconds:
        time.sleep(min(10.0, max(0.0, seconds - clock())))
        counts = ", ".join(
            f"{w.name} {kube.get('apps/v1', 'Deployment', NAME, namespace=w.name)['spec']['replicas']}"
            for w in recorded
        )
        load = offered.requests_per_second(clock())
        print(f"{clock():4.0f} s of {seconds:.0f}: {load:5.1f} requests/s; replicas: {counts}")


def _tables(
    cluster: Cluster, pods_metrics: PodsMetrics, tap: PrometheusTap, start: float
) -> dict[str, list[recording.Row]]:
    lines = cluster.audit_log.read_text().splitlines()
    tables = {}
    for name in HPA_BEHAVIORS:
        served = [answer for answer in pods_metrics.served if answer.namespace == name]
        found = syncs(read_events(lines, namespace=name))
        tables[name] = recording.rows_of_hpa(found, served, start=start)
    events = read_events(lines, namespace=KEDA)
    writes = scale_writes(events, user=keda.USER)
    tables[KEDA] = recording.rows_of_keda(syncs(events), tap.readings, writes, start=start)
    return tables


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m e2e.baselines", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=RECORDINGS, help="folder of the tables (default: fixtures)"
    )
    parser.add_argument(
        "--seconds", type=float, default=float(offered.SECONDS), help="length of the run"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
