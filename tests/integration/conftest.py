"""What several kinds of integration tests share."""

from collections.abc import Iterator

import pytest

from e2e.rig.binaries import Binaries
from e2e.rig.cluster import Cluster
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings


@pytest.fixture(scope="module")
def own_cluster(
    cluster_programs: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A cluster of a module's own: it begins without our definitions, and nobody else writes to it."""
    assert cluster_programs
    settings = ControlPlaneSettings(
        state_folder=tmp_path_factory.mktemp("own"), name="own", with_prometheus=False
    )
    with ControlPlane.start(settings) as control_plane:
        yield control_plane.cluster
