"""A real API server for tests, started once and only when a test asks for it."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from e2e.rig.binaries import CLUSTER_BINARIES, Binaries, ensure
from e2e.rig.cluster import Cluster
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.kube import KubeClient

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the programs before the first test: it may take minutes, more than a test may."""
    if any("cluster_programs" in getattr(item, "fixturenames", ()) for item in session.items):
        capture = session.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            ensure(*CLUSTER_BINARIES)


@pytest.fixture(scope="session")
def cluster_programs() -> Binaries:
    """The built programs of a cluster; every test that starts one depends on this."""
    return ensure(*CLUSTER_BINARIES)


@pytest.fixture(scope="session")
def cluster(
    cluster_programs: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A bundled cluster without Prometheus, shared by all tests: use a namespace of your own."""
    assert cluster_programs
    settings = ControlPlaneSettings(
        state_folder=tmp_path_factory.mktemp("cluster"), name="tests", with_prometheus=False
    )
    with ControlPlane.start(settings) as control_plane:
        yield control_plane.cluster


@pytest.fixture(scope="session")
def kube(cluster: Cluster) -> Iterator[KubeClient]:
    """A client of the shared cluster with all rights."""
    with KubeClient(cluster.kubeconfig) as client:
        yield client
