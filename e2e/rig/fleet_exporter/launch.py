"""Starts the exporter of a cluster as a program of its own."""

import sys
from pathlib import Path

from e2e.rig.cluster import Cluster
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.kube import wait_for
from e2e.rig.processes import Command, ProcessGroup

REPOSITORY = Path(__file__).parents[3]
START_SECONDS = 15.0
GATEWAY_JOB = "simulated-gateway"


def start_exporter(cluster: Cluster, processes: ProcessGroup) -> ExporterClient:
    """Start it where the cluster's Prometheus looks for simulated pods; returns when all pods are known.

    Prometheus scrapes the gateway's page too, as job `simulated-gateway`.

    Raises:
        ProcessError: it ended early; the message has the end of its log.
        TimeoutError: it does not come up.
    """
    log = cluster.logs / "fleet-exporter.log"
    process = processes.start(
        Command(
            name="fleet-exporter",
            arguments=(
                *(sys.executable, "-u", "-m", "e2e.rig.fleet_exporter"),
                *("--kubeconfig", str(cluster.rig_kubeconfig)),
                *("--listen", cluster.exporter_address),
            ),
            log=log,
            directory=REPOSITORY,
        )
    )

    def announced() -> bool:
        process.fail_if_ended()
        return log.exists() and '{"address": ' in log.read_text()

    wait_for(announced, timeout_seconds=START_SECONDS, what="the fleet exporter")
    path = {"__metrics_path__": "/gateway"}
    cluster.add_scrape_target(GATEWAY_JOB, cluster.exporter_address, path)
    return ExporterClient(cluster.exporter_address)
