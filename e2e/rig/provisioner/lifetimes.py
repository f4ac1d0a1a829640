"""When each node was launched, became ready and went away: what its cost is computed from."""

import csv
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

HEADER = (
    "node",
    "pool",
    "kind",
    "instanceType",
    "capacityType",
    "zone",
    "pricePerHour",
    "created",
    "ready",
    "deleted",
)
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """One node. Times are Unix seconds; None is not yet."""

    node: str
    pool: str
    kind: str
    instance_type: str
    capacity_type: str
    zone: str
    price_per_hour: Decimal
    created: float
    ready: float | None = None
    deleted: float | None = None

    def cost(self, *, start: float, end: float) -> Decimal:
        """Return the price of the node's life, boot included, between two Unix times."""
        lived = min(end, self.deleted or end) - max(start, self.created)
        return self.price_per_hour * Decimal(max(0.0, lived)) / SECONDS_PER_HOUR

    @property
    def row(self) -> tuple[str, ...]:
        times = (self.created, self.ready, self.deleted)
        return (
            self.node,
            self.pool,
            self.kind,
            self.instance_type,
            self.capacity_type,
            self.zone,
            str(self.price_per_hour),
            *("" if time is None else f"{time:.3f}" for time in times),
        )


class LifetimeRecorder:
    """Keeps a CSV file complete after every change, so that a crash loses nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lifetimes: dict[str, Lifetime] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write()

    @property
    def lifetimes(self) -> tuple[Lifetime, ...]:
        return tuple(self._lifetimes.values())

    def created(self, lifetime: Lifetime) -> None:
        self._set(lifetime)

    def ready(self, node: str, now: float) -> None:
        known = self._lifetimes[node]
        if known.ready is None:
            self._set(replace(known, ready=now))

    def deleted(self, node: str, now: float) -> None:
        known = self._lifetimes[node]
        if known.deleted is None:
            self._set(replace(known, deleted=now))

    def _set(self, lifetime: Lifetime) -> None:
        self._lifetimes[lifetime.node] = lifetime
        self._write()

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(lifetime.row for lifetime in self._lifetimes.values())
        fresh.replace(self._path)


def read_lifetimes(path: Path) -> list[Lifetime]:
    """Read what a recorder wrote."""
    with path.open(newline="") as file:
        return [_parse(row) for row in csv.DictReader(file)]


def _parse(row: dict[str, str]) -> Lifetime:
    return Lifetime(
        node=row["node"],
        pool=row["pool"],
        kind=row["kind"],
        instance_type=row["instanceType"],
        capacity_type=row["capacityType"],
        zone=row["zone"],
        price_per_hour=Decimal(row["pricePerHour"]),
        created=float(row["created"]),
        ready=float(row["ready"]) if row["ready"] else None,
        deleted=float(row["deleted"]) if row["deleted"] else None,
    )
