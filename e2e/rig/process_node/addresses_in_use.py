"""Pod addresses of one program's nodes, each given to one pod at a time."""

from collections.abc import Iterator
from itertools import cycle

from e2e.rig.addresses import PodRange


class PodAddresses:
    """Hands out addresses in turn, so that one just freed is not reused at once."""

    def __init__(self, pods: PodRange) -> None:
        self._turn: Iterator[str] = cycle(pods.process_pod_addresses())
        self._used: set[str] = set()

    def take(self, earlier: str | None = None) -> str:
        """Take a free address; a pod seen before keeps its `earlier` one.

        The API server refuses a second address of the same family for a pod.
        """
        address = earlier or next(free for free in self._turn if free not in self._used)
        self._used.add(address)
        return address

    def give_back(self, address: str) -> None:
        self._used.discard(address)
