"""What we wrote to `/scale`, until the watch shows it, and whether someone keeps undoing it.

A decision made on a cache that is older than our own last write would be made twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

# Who undoes a write at once is shown by the watch as if nothing had been written. Every write reads first, so that to
# ask again costs little where the watch is only slow.
FORGET_UNSEEN_AFTER_SECONDS = 5.0
REVERT_WINDOW_SECONDS = 600.0
REVERTS_FOR_CONFLICT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWrite:
    """Our last write to one target. `seen`: the cache has shown it. `reverted`: and something else since."""

    replicas: int
    previous: int
    at: float
    seen: bool = False
    reverted: bool = False


class Expectations:
    """By uid of the target. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._writes: dict[str, OwnWrite] = {}
        self._under_way: dict[str, int] = {}
        self._reverts: dict[str, list[float]] = {}
        self._unexplained: set[str] = set()

    @contextmanager
    def writing(self, uid: str, replicas: int) -> Iterator[None]:
        """While a write is under way: the watch may show it before its answer is here."""
        self._under_way[uid] = replicas
        try:
            yield
        finally:
            del self._under_way[uid]

    def wrote(self, uid: str, *, replicas: int, previous: int, at: float) -> None:
        self._writes[uid] = OwnWrite(replicas=replicas, previous=previous, at=at)

    def see(self, uid: str, replicas: int, *, at: float) -> None:
        """Called with what the cache shows, on every change and every tick."""
        write = self._writes.get(uid)
        if write is None or write.reverted or replicas == self._under_way.get(uid):
            return
        if replicas == write.replicas:
            self._writes[uid] = replace(write, seen=True)
        elif write.seen or replicas != write.previous:
            self._count_revert(uid, write, at)

    def see_live(self, uid: str, replicas: int, *, at: float) -> None:
        """Called with a fresh GET: not seeing our value there is proof, not staleness."""
        write = self._writes.get(uid)
        if write is not None and not write.reverted and replicas != write.replicas:
            self._count_revert(uid, write, at)

    def pending(self, uid: str, *, at: float) -> int | None:
        """Replicas that we wrote and the cache has not shown yet; None after 5 s, or when there are none."""
        write = self._writes.get(uid)
        if write is None or write.seen or write.reverted:
            return None
        return write.replicas if at - write.at < FORGET_UNSEEN_AFTER_SECONDS else None

    def fought_over(self, uid: str, *, at: float) -> bool:
        """Whether our value was undone three times within ten minutes."""
        recent = [t for t in self._reverts.get(uid, ()) if at - t < REVERT_WINDOW_SECONDS]
        if recent:
            self._reverts[uid] = recent
        else:
            self._reverts.pop(uid, None)
        return len(recent) >= REVERTS_FOR_CONFLICT

    def take_reverted(self) -> set[str]:
        """Targets that were reverted since the last call: who did it is still in their managedFields."""
        reverted, self._unexplained = self._unexplained, set()
        return reverted

    def keep_only(self, uids: set[str]) -> None:
        """Forgets targets that no policy names any more."""
        for table in (self._writes, self._reverts):
            for uid in table.keys() - uids:
                del table[uid]

    def _count_revert(self, uid: str, write: OwnWrite, at: float) -> None:
        self._writes[uid] = replace(write, seen=True, reverted=True)
        self._reverts.setdefault(uid, []).append(at)
        self._unexplained.add(uid)
