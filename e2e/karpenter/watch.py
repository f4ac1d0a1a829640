"""What a fleet and Karpenter did over a time: a look each second, and what follows from them."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from e2e.karpenter.fleet import KarpenterFleet
from e2e.rig.karpenter.machines import CAPACITY_TYPES
from e2e.rig.karpenter.node_pools import CAPACITY_LABEL

LOOK_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """At one instant. `ordered` and `ready`: replicas by capacity type; `claims`: NodeClaims there, by name."""

    at: float
    ordered: Mapping[str, int]
    ready: Mapping[str, int]
    claims: Mapping[str, str]  # name → capacity type

    @property
    def replicas(self) -> int:
        return sum(self.ordered.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`ups` and `downs`: replicas that were added and taken away; `turns`: how often one followed the other."""

    seconds: float
    replica_writes: int
    ups: int
    downs: int
    turns: int
    claims_created: int
    claims_deleted: int
    reasons: Mapping[str, int]  # why Karpenter disrupted NodeClaims
    shortest_life_seconds: float | None


@dataclass(slots=True)
class Watch:
    """Fills itself until it is stopped. `reasons`: of NodeClaims that were disrupted."""

    fleet: KarpenterFleet
    looks: list[Look] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    problem: BaseException | None = None

    def look(self) -> None:
        found = self.fleet.node_claims()
        for claim in found:
            why = _disruption(claim)
            if why:
                self.reasons[claim["metadata"]["name"]] = why
        self.looks.append(
            Look(
                at=time.time(),
                ordered=self.fleet.ordered(),
                ready=self.fleet.ready(),
                claims={
                    c["metadata"]["name"]: c["metadata"]["labels"].get(CAPACITY_LABEL, "")
                    for c in found
                },
            )
        )

    def between(self, begin: float, end: float) -> list[Look]:
        return [look for look in self.looks if begin <= look.at < end]


@contextmanager
def watching(fleet: KarpenterFleet) -> Iterator[Watch]:
    """Look at a fleet on a thread for the length of a with block."""
    watch, over = Watch(fleet), threading.Event()

    def run() -> None:
        try:
            while not over.wait(LOOK_EVERY_SECONDS):
                watch.look()
        except Exception as error:  # noqa: BLE001  # told by who reads the looks
            watch.problem = error

    thread = threading.Thread(target=run, name="watch", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def replica_changes(looks: Sequence[Look]) -> list[int]:
    """Of the sum over both workloads, each that is not zero, in order."""
    changes = (after.replicas - before.replicas for before, after in pairwise(looks))
    return [change for change in changes if change]


def turns(changes: Sequence[int]) -> int:
    return sum((a > 0) != (b > 0) for a, b in pairwise(changes))


def lives(looks: Sequence[Look]) -> dict[str, tuple[float, float | None]]:
    """First look at each NodeClaim, and the first without it; None where it is there at the end."""
    found: dict[str, tuple[float, float | None]] = {}
    for look in looks:
        for name in look.claims:
            found.setdefault(name, (look.at, None))
        for name, (first, gone) in list(found.items()):
            if gone is None and name not in look.claims:
                found[name] = (first, look.at)
    return found


def summary(looks: Sequence[Look], reasons: Mapping[str, str], *, writes: int) -> Summary:
    """What happened from the first look on; what was there at it is not counted as created."""
    changes, lived = replica_changes(looks), lives(looks)
    known = looks[0].claims
    spans = [gone - first for n, (first, gone) in lived.items() if gone and n not in known]
    return Summary(
        seconds=looks[-1].at - looks[0].at,
        replica_writes=writes,
        ups=sum(change for change in changes if change > 0),
        downs=-sum(change for change in changes if change < 0),
        turns=turns(changes),
        claims_created=len(lived.keys() - known.keys()),
        claims_deleted=sum(gone is not None for _, gone in lived.values()),
        reasons=dict(Counter(why for name, why in reasons.items() if name in lived)),
        shortest_life_seconds=min(spans, default=None),
    )


def course(looks: Sequence[Look]) -> Iterator[list[str | int]]:
    """A row per change of what the looks show, after one with the headings; seconds from the first look on."""
    parts = ("ordered", "ready", "claims")
    yield ["seconds", *(f"{part}-{kind}" for part in parts for kind in CAPACITY_TYPES)]
    last: list[int] = []
    for look in looks:
        now = _row(look)
        if now != last:
            yield [round(look.at - looks[0].at), *now]
            last = now


def _row(look: Look) -> list[int]:
    claims = Counter(look.claims.values())
    parts = (look.ordered, look.ready, claims)
    return [part.get(kind, 0) for part in parts for kind in CAPACITY_TYPES]


def _disruption(claim: Mapping[str, Any]) -> str:
    conditions = claim.get("status", {}).get("conditions") or ()
    found = (c for c in conditions if c["type"] == "DisruptionReason" and c["status"] == "True")
    return next((str(c["reason"]) for c in found), "")
