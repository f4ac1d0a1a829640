"""Where scenarios run: on the bundled cluster, on kind, or on whatever a kubeconfig points at."""

from e2e.rig.providers.bundled import BundledProvider
from e2e.rig.providers.current import CurrentProvider
from e2e.rig.providers.kind import KindProvider
from e2e.rig.providers.provider import (
    Capability,
    ClusterProvider,
    ProvidedCluster,
    reason_not_to_run,
)

PROVIDER_NAMES = ("bundled", "kind", "current")

__all__ = [
    "PROVIDER_NAMES",
    "BundledProvider",
    "Capability",
    "ClusterProvider",
    "CurrentProvider",
    "KindProvider",
    "ProvidedCluster",
    "provider",
    "reason_not_to_run",
]


def provider(name: str) -> ClusterProvider:
    """Give the provider of a name in `PROVIDER_NAMES`.

    Raises:
        LookupError: there is none of this name.
    """
    providers: dict[str, ClusterProvider] = {
        "bundled": BundledProvider(),
        "kind": KindProvider(),
        "current": CurrentProvider(),
    }
    try:
        return providers[name]
    except KeyError:
        known = ", ".join(PROVIDER_NAMES)
        raise LookupError(f"no cluster provider {name!r}; there are {known}") from None
