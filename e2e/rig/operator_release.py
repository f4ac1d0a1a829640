"""Values of the operator's chart on the rig: fast numbers for a fast world."""

from typing import Any

from e2e.rig.cluster import Cluster


def operator_values(
    cluster: Cluster,
    *,
    tick_seconds: float = 3.0,
    rate_window_seconds: float = 8.0,
    start_up_seconds: float = 10.0,
    enforce: bool = True,
) -> dict[str, Any]:
    """Values for a bundled cluster; the names are those of values.yaml."""
    return {
        "enforce": {"enabled": enforce},
        "nodeSelector": {"inferencecost.dev/node-kind": "process"},
        "prometheus": {"url": cluster.prometheus_url or ""},
        "gateway": {"preset": "envoy"},
        "tickSeconds": tick_seconds,
        "settings": {
            # Deadlines shrink with the tick.
            "loop": {"observe_deadline_seconds": tick_seconds},
            "prometheus": {"deadline_seconds": tick_seconds, "query_timeout_seconds": tick_seconds},
            "decision": {
                "rate_window_seconds": rate_window_seconds,
                "start_up_seconds_prior": start_up_seconds,
                "slo_window_seconds": 60.0,
            },
            "writes": {"status_refresh_seconds": 6.0, "status_at_least_seconds": 60.0},
            # Pods of process nodes listen on loopback twins of their addresses.
            "triton": {
                "refresh_seconds": 30.0,
                "retry_seconds": 3.0,
                "address_rules": [
                    {
                        "pattern": cluster.pods.loopback_pattern,
                        "replacement": cluster.pods.loopback_replacement.replace("$", "\\"),
                    }
                ],
            },
        },
    }
