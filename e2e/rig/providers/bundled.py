"""The bundled cluster: a real control plane without containers (see control_plane.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.providers.provider import Capability, ProvidedCluster


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledProvider:
    """Needs nothing but Go or Python's package index, once."""

    scrape_interval_seconds: float = 2.0

    @property
    def name(self) -> str:
        return "bundled"

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(Capability) - {Capability.CONTAINERS}

    def obstacle(self) -> str | None:
        return None

    @contextmanager
    def cluster(self, state_folder: Path) -> Iterator[ProvidedCluster]:
        settings = ControlPlaneSettings(
            state_folder=state_folder, scrape_interval_seconds=self.scrape_interval_seconds
        )
        with ControlPlane.start(settings) as control_plane:
            yield ProvidedCluster(
                provider=self.name,
                kubeconfig=control_plane.cluster.kubeconfig,
                prometheus_url=control_plane.cluster.prometheus_url,
                control_plane=control_plane,
            )
