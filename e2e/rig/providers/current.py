"""Any cluster that a kubeconfig points at. Nothing in it is started or stopped."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.rig.providers.provider import Capability, ProvidedCluster

PROMETHEUS_VARIABLE = "INFERENCE_COST_E2E_PROMETHEUS"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentProvider:
    """KUBECONFIG and its current context; its Prometheus by an environment variable."""

    @property
    def name(self) -> str:
        return "current"

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.CONTAINERS})

    def obstacle(self) -> str | None:
        kubeconfig = _kubeconfig()
        return None if kubeconfig.exists() else f"no kubeconfig at {kubeconfig} (KUBECONFIG)"

    @contextmanager
    def cluster(self, state_folder: Path) -> Iterator[ProvidedCluster]:
        del state_folder  # nothing to keep
        yield ProvidedCluster(
            provider=self.name,
            kubeconfig=_kubeconfig(),
            prometheus_url=os.environ.get(PROMETHEUS_VARIABLE),
        )


def _kubeconfig() -> Path:
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"
