"""Values of the operator's chart on the rig: fast numbers for a fast world."""

from typing import Any

from e2e.rig.cluster import Cluster


def operator_values(
    cluster: Cluster,
    *,
    tick_seconds: float = 3.0,
    rate_window_seconds: float = 8.0,
    enforce: bool = True,
) -> dict[str, Any]:
    """Values for a cluster with Prometheus; the names are those of values.yaml."""
    return {
        "enforce": {"enabled": enforce},
        "nodeSelector": {"inferencecost.dev/node-kind": "process"},
        "prometheus": {"url": cluster.prometheus_url},
        "gateway": {"preset": "envoy"},
        "settings": {
            "loop": {"tickSeconds": tick_seconds},
            "decision": {"rateWindowSeconds": rate_window_seconds},
        },
    }
