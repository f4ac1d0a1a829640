"""What a cluster provider is, and what it may be able to do."""

from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from e2e.rig.control_plane import ControlPlane


class Capability(StrEnum):
    """Something a scenario may need and not every cluster has."""

    PROCESS_NODES = "process nodes"
    KWOK_NODES = "kwok nodes"
    AUDIT_LOG = "the audit log"
    STOPPABLE_PROMETHEUS = "a Prometheus that may be stopped"
    KARPENTER = "Karpenter's kwok provider"
    CONTAINERS = "containers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidedCluster:
    """A running cluster as scenarios see it."""

    provider: str
    kubeconfig: Path
    # As reached from this machine. None: there is none.
    prometheus_url: str | None
    # Only where the control plane belongs to this process (bundled): audit log, stopping
    # Prometheus, pod addresses.
    control_plane: ControlPlane | None = None


class ClusterProvider(Protocol):
    """Makes clusters, or gives access to one."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    def obstacle(self) -> str | None:
        """Say why it cannot be used on this machine now, None when it can."""
        ...

    def cluster(self, state_folder: Path) -> AbstractContextManager[ProvidedCluster]:
        """Start a cluster for the length of a with block; its files go to `state_folder`."""
        ...


def reason_not_to_run(needs: AbstractSet[Capability], provider: ClusterProvider) -> str | None:
    """Say why a scenario does not run on a provider, None when it does."""
    missing = sorted(set(needs) - provider.capabilities)
    if missing:
        return f"not run on {provider.name}: needs {', '.join(missing)}"
    obstacle = provider.obstacle()
    return f"not run on {provider.name}: {obstacle}" if obstacle else None
