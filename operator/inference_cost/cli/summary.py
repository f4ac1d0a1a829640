"""One policy in one line."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from inference_cost.cli.targets import targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What `kubectl get icp` shows too; "" where nothing is known."""

    namespace: str
    name: str
    target: str
    mode: str
    replicas: str
    desired: str
    slo: str
    cost_per_hour: str
    limited_by: str
    ready: str
    slo_violated: bool

    def to_cells(self) -> dict[str, str]:
        cells = asdict(self)
        del cells["slo_violated"]
        return {
            key.replace("_", "-").replace("cost-per-hour", "cost/h"): v for key, v in cells.items()
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "name": self.name,
            "target": self.target,
            "mode": self.mode,
            "replicas": self.replicas,
            "desired": self.desired,
            "slo": self.slo,
            "costPerHour": self.cost_per_hour,
            "limitedBy": self.limited_by,
            "ready": self.ready,
            "sloViolated": self.slo_violated,
        }


def summary_of(policy: Mapping[str, Any]) -> Summary:
    metadata, spec, status = policy["metadata"], policy["spec"], policy.get("status") or {}
    replicas = status.get("replicas") or {}
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    return Summary(
        namespace=metadata["namespace"],
        name=metadata["name"],
        target=targets_of(spec),
        mode=spec.get("mode", "Recommend"),
        replicas=_text(replicas.get("current")),
        desired=_text(replicas.get("desired")),
        slo=_text((status.get("slo") or {}).get("state")),
        cost_per_hour=_text((status.get("cost") or {}).get("perHour")),
        limited_by=_text((status.get("decision") or {}).get("limitedBy")),
        ready=conditions.get("Ready", ""),
        slo_violated=conditions.get("SLOMet") == "False",
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)
