"""What the nodes of one program have in common."""

import re
from dataclasses import dataclass
from pathlib import Path

from e2e.rig.addresses import PodRange
from e2e.rig.process_node.images import ImageTable

START_DELAY_ANNOTATION = "inferencecost.dev/start-delay"
NODE_KIND_LABEL = "inferencecost.dev/node-kind"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """Settings of all nodes in a program.

    `state_folder` receives logs and volumes; `mount_namespaces` is whether processes may have
    their own mount namespace; `restart_backoff_seconds` is the first back-off, doubled up to five
    minutes as a kubelet does.
    """

    pods: PodRange
    images: ImageTable
    state_folder: Path
    mount_namespaces: bool
    lease_seconds: float = 2.0
    restart_backoff_seconds: float = 10.0
    volume_refresh_seconds: float = 30.0

    def log_of(self, namespace: str, pod: str, container: str) -> Path:
        """Return the file that receives a container's output, of all its restarts."""
        return self.state_folder / "logs" / namespace / pod / f"{container}.log"

    def folder_of(self, pod_uid: str) -> Path:
        """Return the private folder of a pod; it goes with the pod."""
        return self.state_folder / "pods" / pod_uid

    def volumes_of(self, pod_uid: str) -> Path:
        """Return the folder with a pod's volumes, one sub-folder each."""
        return self.folder_of(pod_uid) / "volumes"


def parse_duration(text: str) -> float:
    """Return the seconds of a Go duration such as "1m30s" or "250ms".

    Raises:
        ValueError: it is not one.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration such as 10s or 1m30s")
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
