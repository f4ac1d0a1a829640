"""A cluster of its own, whose Prometheus scrapes the exporter."""

from collections.abc import Iterator

import pytest
import requests

from e2e.rig.binaries import Binaries
from e2e.rig.cluster import Cluster
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.fleet_exporter.launch import start_exporter
from e2e.rig.kube import KubeClient
from e2e.rig.processes import ProcessGroup


@pytest.fixture(scope="package")
def watched(
    cluster_programs: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    assert cluster_programs
    settings = ControlPlaneSettings(
        state_folder=tmp_path_factory.mktemp("watched"), name="fleet", scrape_interval_seconds=1.0
    )
    with ControlPlane.start(settings) as control_plane:
        yield control_plane.cluster


@pytest.fixture(scope="package")
def client(watched: Cluster) -> Iterator[KubeClient]:
    with KubeClient(watched.rig_kubeconfig) as client:
        yield client


@pytest.fixture(scope="package")
def exporter(watched: Cluster) -> Iterator[ExporterClient]:
    with ProcessGroup() as processes:
        yield start_exporter(watched, processes)


@pytest.fixture(scope="package")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session
