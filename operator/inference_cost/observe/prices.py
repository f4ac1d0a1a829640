"""What an hour of a node costs: a CapacityPool's figure, else the shipped table's, else it is unknown."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources

from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType
from inference_cost.observe.nodes import (
    INSTANCE_TYPE_LABELS,
    REGION_LABELS,
    ZONE_ID_LABEL,
    ZONE_LABELS,
    capacity_type,
    first_label,
)
from inference_cost.observe.quantities import parse_time
from inference_cost.observe.records import Labels

TABLE_FILE = "node_prices.csv"
TABLE_CURRENCY = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrice:
    """One row of the shipped table. `zone` "" holds for every zone of the region without a row of its own."""

    instance_type: str
    capacity_type: CapacityType
    region: str
    zone: str
    per_hour: Decimal
    as_of: float
    source: str


class PriceTable:
    """List prices by instance type and capacity type, the most exact place first."""

    def __init__(self, rows: Iterable[ListPrice], *, currency: str, name: str) -> None:
        self.currency = currency
        self.name = name
        self._rows: dict[tuple[str, CapacityType], list[ListPrice]] = {}
        for row in rows:
            self._rows.setdefault((row.instance_type, row.capacity_type), []).append(row)

    def find(self, labels: Labels) -> ListPrice | None:
        """The row for a node's labels: of its zone, else its region; of any place when it tells no region."""
        instance_type = first_label(labels, INSTANCE_TYPE_LABELS)
        rows = self._rows.get((instance_type, _priced_as(capacity_type(labels))), [])
        zones = {labels.get(ZONE_ID_LABEL, ""), first_label(labels, ZONE_LABELS)} - {""}
        region = first_label(labels, REGION_LABELS)
        exact = [r for r in rows if r.zone in zones]
        regional = [r for r in rows if r.region == region or not region]
        whole = [r for r in regional if not r.zone]
        # Of several places that may be meant, the dearest: a cost may be overstated, not hidden.
        return max(exact or whole or regional, key=lambda r: r.per_hour, default=None)

    def places(self, instance_type: str, capacity: CapacityType) -> list[str]:
        """Where this offering has a price, for messages."""
        rows = self._rows.get((instance_type, _priced_as(capacity)), [])
        return sorted({r.zone or r.region or "any place" for r in rows})


def _priced_as(capacity: CapacityType) -> CapacityType:
    """A reservation is paid for whether used or not: at list price until a CapacityPool says otherwise."""
    return CapacityType.ON_DEMAND if capacity is CapacityType.RESERVED else capacity


@cache
def shipped_table() -> PriceTable:
    """The dated list prices in the package (docs/prices.md)."""
    text = resources.files(__package__).joinpath(TABLE_FILE).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    rows = [_row(r) for r in csv.DictReader(lines)]
    return PriceTable(rows, currency=TABLE_CURRENCY, name=TABLE_FILE)


def _row(row: Mapping[str, str]) -> ListPrice:
    return ListPrice(
        instance_type=row["instance_type"],
        capacity_type=CapacityType(row["capacity_type"]),
        region=row["region"],
        zone=row["zone"],
        per_hour=Decimal(row["usd_per_hour"]),
        as_of=parse_time(row["as_of"] + "T00:00:00Z") or 0.0,
        source=row["source"],
    )


def list_price(table: PriceTable, labels: Labels, *, currency: str) -> HourlyPrice | Missing:
    """Price of a node from the shipped table; a missing one names what to write into a CapacityPool."""
    instance_type = first_label(labels, INSTANCE_TYPE_LABELS)
    if not instance_type:
        return _unknown(f"the node has no label {INSTANCE_TYPE_LABELS[0]}")
    row = table.find(labels)
    if row is None:
        return _unknown(_absent(table, labels, instance_type))
    if table.currency != currency:
        return _unknown(
            f"{table.name} has {instance_type} in {table.currency}, the installation's currency is "
            f"{currency}"
        )
    return HourlyPrice(
        per_hour=row.per_hour,
        currency=currency,
        source=PriceSource.SHIPPED_TABLE,
        as_of=row.as_of,
        origin=f"{table.name} ({row.source})",
    )


def _absent(table: PriceTable, labels: Labels, instance_type: str) -> str:
    capacity = capacity_type(labels)
    place = first_label(labels, (*REGION_LABELS, *ZONE_LABELS)) or "an unknown place"
    known = table.places(instance_type, capacity)
    where = f" (priced there: {', '.join(known[:4])})" if known else ""
    return f"{instance_type} {capacity} in {place} is not in {table.name}{where}"


def _unknown(what: str) -> Missing:
    detail = f"{what}; give its price in a CapacityPool"
    return Missing(reason=MissingReason.PRICE_UNKNOWN, detail=detail)
