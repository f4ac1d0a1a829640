"""What the cloud billed for nodes, from a FOCUS export, beside what the ledger says they cost.

A charge counts for the part of its period that is in the window.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from inference_cost.account.ledger.history import Span
from inference_cost.account.ledger.lines import Total
from inference_cost.account.milliseconds import milliseconds
from inference_cost.account.reconcile.resources import last_of, match

COLUMNS = (
    "ResourceId",
    "ChargeCategory",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "BillingCurrency",
    "EffectiveCost",
    "ListCost",
)
NOTHING = Decimal(0)


class FocusError(ValueError):
    """The export cannot be read. The message names line and column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    resource: str  # as the export has it
    begin: float
    end: float
    currency: str
    effective: Decimal
    listed: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBill:
    """One node. `billed` None: nothing in the export is about it, or it is not clear what (`ambiguous`)."""

    node: str
    resource: str
    ours: Total
    billed: Decimal | None
    billed_listed: Decimal
    ambiguous: bool

    @property
    def difference(self) -> Decimal | None:
        return None if self.billed is None else self.ours.amount - self.billed

    @property
    def error(self) -> Decimal | None:
        """Of what was billed."""
        if self.difference is None or not self.billed:
            return None
        return self.difference / self.billed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """`others`: resources in the export that are none of these nodes."""

    nodes: tuple[NodeBill, ...]
    others: int

    @property
    def compared(self) -> tuple[Decimal, Decimal]:
        """Ours and billed, of the nodes that are in both."""
        both = [n for n in self.nodes if n.billed is not None]
        return (
            sum((n.ours.amount for n in both), NOTHING),
            sum((n.billed or NOTHING for n in both), NOTHING),
        )


def parse(lines: Iterable[str]) -> list[Charge]:
    """Charges for usage. Corrections of them count with their sign; taxes, credits and purchases do not.

    Raises:
        FocusError: a column is missing, or a value is none.
    """
    reader = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise FocusError(
            f"line 1: no column {', '.join(missing)}; is it an export of FOCUS 1.0 or later?"
        )
    return [
        _charge(row, number)
        for number, row in enumerate(reader, start=2)
        if row["ChargeCategory"] == "Usage" and row["ResourceId"]
    ]


def bill(
    charges: Iterable[Charge],
    nodes: Mapping[str, tuple[str, Total]],
    window: Span,
    currency: str,
) -> Bill:
    """Compare.

    Args:
        charges: of the export.
        nodes: by name, the node's `spec.providerID` and what the ledger says.
        window: of both.
        currency: of the ledger.

    Raises:
        FocusError: a charge for one of the nodes is in another currency.
    """
    inside = [(charge, part) for charge in charges if (part := _part_in(charge, window))]
    resources = {charge.resource for charge, _ in inside}
    matches = match({name: identifier for name, (identifier, _) in nodes.items()}, resources)
    effective: dict[str, Decimal] = defaultdict(Decimal)
    listed: dict[str, Decimal] = defaultdict(Decimal)
    for charge, part in inside:
        name = matches.node_of.get(charge.resource)
        if name is None:
            continue
        if charge.currency != currency:
            raise FocusError(
                f"{charge.resource} is billed in {charge.currency}, the ledger is in {currency}"
            )
        effective[name] += charge.effective * part
        listed[name] += charge.listed * part
    others = resources - matches.node_of.keys() - matches.unclear
    return Bill(
        nodes=tuple(
            NodeBill(
                node=name,
                resource=last_of(identifier),
                ours=ours,
                billed=effective.get(name),
                billed_listed=listed[name],
                ambiguous=name in matches.ambiguous,
            )
            for name, (identifier, ours) in sorted(nodes.items())
        ),
        others=len(others),
    )


def _part_in(charge: Charge, window: Span) -> Decimal:
    whole = milliseconds(charge.end) - milliseconds(charge.begin)
    begin = max(milliseconds(charge.begin), milliseconds(window.begin))
    end = min(milliseconds(charge.end), milliseconds(window.end))
    return Decimal(max(end - begin, 0)) / whole


def _charge(row: Mapping[str, str | None], number: int) -> Charge:
    begin, end = (_time(row, name, number) for name in ("ChargePeriodStart", "ChargePeriodEnd"))
    if end <= begin:
        raise FocusError(f"line {number}: ChargePeriodEnd is not after ChargePeriodStart")
    return Charge(
        resource=row["ResourceId"] or "",
        begin=begin,
        end=end,
        currency=row["BillingCurrency"] or "",
        effective=_amount(row, "EffectiveCost", number),
        listed=_amount(row, "ListCost", number),
    )


def _time(row: Mapping[str, str | None], name: str, number: int) -> float:
    try:
        moment = datetime.fromisoformat(row[name] or "")
    except ValueError:
        raise FocusError(f"line {number}: {name} {row[name]!r} is no time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _amount(row: Mapping[str, str | None], name: str, number: int) -> Decimal:
    try:
        amount = Decimal(row[name] or "")
    except InvalidOperation:
        raise FocusError(f"line {number}: {name} {row[name]!r} is no amount") from None
    if not amount.is_finite():
        raise FocusError(f"line {number}: {name} {row[name]!r} is no amount")
    return amount
