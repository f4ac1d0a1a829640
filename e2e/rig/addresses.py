"""Pod addresses of one cluster and the loopback addresses on which its processes listen.

The API server refuses loopback addresses in EndpointSlices, so a process pod reports
``10.<c>.A.B`` and its process binds ``127.<c>.A.B``. The second octet ``c`` belongs to one
cluster at a time, hence clusters side by side never meet on ``127.x:8000``.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from e2e.rig.ports import lock_name

FIRST_OCTET, LAST_OCTET = 64, 254


class AddressError(ValueError):
    """An address that is not in the range it was said to be in."""


def loopback_address(pod_ip: str) -> str:
    """Map the address of a process pod (10.c.A.B) to the one it listens on (127.c.A.B)."""
    return _with_first_octet(pod_ip, found=10, replaced_by=127)


def pod_address(loopback: str) -> str:
    """Map a loopback address (127.c.A.B) back to the pod address (10.c.A.B)."""
    return _with_first_octet(loopback, found=127, replaced_by=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRange:
    """The pod addresses of one cluster: process pods and simulated pods never overlap."""

    octet: int

    @property
    def process_cidr(self) -> str:
        """Pods on process nodes."""
        return f"10.{self.octet}.0.0/17"

    @property
    def simulated_cidr(self) -> str:
        """Pods on kwok nodes; nothing listens there."""
        return f"10.{self.octet}.128.0/17"

    @property
    def loopback_pattern(self) -> str:
        """RE2 pattern of process pod addresses; group 1 goes into `loopback_replacement`."""
        return rf"10\.{self.octet}\.(\d+\.\d+)"

    @property
    def loopback_replacement(self) -> str:
        """What `loopback_pattern` becomes in Prometheus relabeling (no port)."""
        return f"127.{self.octet}.$1"

    def process_pod_addresses(self) -> Iterator[str]:
        """Yield addresses for process pods, 10.c.1.1 first (10.c.0.0/24 is kept for the rig)."""
        for third, fourth in product(range(1, 128), range(1, 255)):
            yield f"10.{self.octet}.{third}.{fourth}"

    @property
    def node_address(self) -> str:
        """InternalIP that process nodes report."""
        return f"10.{self.octet}.0.1"

    @property
    def simulated_node_address(self) -> str:
        """InternalIP that kwok nodes report."""
        return f"10.{self.octet}.0.2"


class RangeLock:
    """Holds one `PodRange` for as long as the process lives or until `release`."""

    def __init__(self, pods: PodRange, held: socket.socket) -> None:
        self.pods = pods
        self._held = held

    def release(self) -> None:
        self._held.close()


def claim_pod_range() -> RangeLock:
    """Claim the first range that no other cluster of this machine holds.

    Raises:
        AddressError: every range is taken.
    """
    for octet in range(FIRST_OCTET, LAST_OCTET + 1):
        held = lock_name(f"pod-range-{octet}")
        if held is not None:
            return RangeLock(PodRange(octet=octet), held)
    raise AddressError(f"all pod ranges 10.{FIRST_OCTET}-{LAST_OCTET} are in use by other clusters")


def _with_first_octet(address: str, *, found: int, replaced_by: int) -> str:
    first, rest = address.split(".", 1) if address.count(".") == 3 else ("", "")
    if first != str(found):
        raise AddressError(f"{address!r} is not in {found}.0.0.0/8")
    return f"{replaced_by}.{rest}"
