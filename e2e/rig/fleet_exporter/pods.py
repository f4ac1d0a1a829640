"""The few facts of a pod that decide what its simulated server does."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from e2e.rig.fleet_exporter.triton_settings import TritonSettings, read_settings
from e2e.rig.kube import Manifest, condition

PodKey = tuple[str, str]  # namespace and name


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPod:
    """One pod as last seen. `problem` says why its annotation cannot be used, "" where it can."""

    key: PodKey
    node: str
    # Changes with each start of the server, and with it all counters begin anew.
    identity: str
    ready: bool
    terminating: bool
    labels: dict[str, str] = field(default_factory=dict)
    settings: TritonSettings = field(default_factory=TritonSettings)
    problem: str = ""

    @property
    def takes_requests(self) -> bool:
        return self.ready and not self.terminating and not self.problem


def read_pod(manifest: Manifest) -> SimulatedPod:
    """Read a Pod object of the API."""
    metadata = manifest["metadata"]
    settings, problem = _settings(metadata.get("annotations") or {})
    return SimulatedPod(
        key=pod_key(manifest),
        node=manifest.get("spec", {}).get("nodeName", ""),
        identity=f"{metadata['uid']}/{_restarts(manifest.get('status') or {})}",
        ready=condition(manifest, "Ready") == "True",
        terminating="deletionTimestamp" in metadata,
        labels=metadata.get("labels") or {},
        settings=settings,
        problem=problem,
    )


def pod_key(manifest: Manifest) -> PodKey:
    metadata = manifest["metadata"]
    return metadata["namespace"], metadata["name"]


def _settings(annotations: dict[str, str]) -> tuple[TritonSettings, str]:
    try:
        return read_settings(annotations), ""
    except ValidationError as error:
        return TritonSettings(), str(error)


def _restarts(status: dict[str, Any]) -> int:
    return sum(one.get("restartCount", 0) for one in status.get("containerStatuses") or ())
