"""Total cost of ownership per month: nodes and what they need beside them. What is not given is named, never zero."""

from dataclasses import dataclass, fields
from decimal import Decimal

from inference_cost.advise.month import HOURS_PER_MONTH

WATTS_PER_KILOWATT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyCosts:
    """Amounts per month in one currency; None where nobody said."""

    nodes: Decimal | None = None
    storage: Decimal | None = None
    network: Decimal | None = None
    energy: Decimal | None = None  # 0 where the price of a node has it in it, as in a cloud
    licences: Decimal | None = None
    staff: Decimal | None = None
    operator: Decimal | None = None  # to run it and its policies


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """`total`: of what is known. `absent`: what is not in it."""

    total: Decimal
    known: tuple[tuple[str, Decimal], ...]
    absent: tuple[str, ...]


def ownership(costs: MonthlyCosts) -> Ownership:
    """Raises ValueError: an amount is negative."""
    named = [(field.name, getattr(costs, field.name)) for field in fields(costs)]
    known = tuple((name, amount) for name, amount in named if amount is not None)
    for name, amount in known:
        if amount < 0:
            raise ValueError(f"{name} must not be negative, not {amount}")
    return Ownership(
        total=sum((amount for _, amount in known), Decimal(0)),
        known=known,
        absent=tuple(name for name, amount in named if amount is None),
    )


def energy_per_month(
    *, watts: Decimal, price_per_kilowatt_hour: Decimal, usage_effectiveness: Decimal
) -> Decimal:
    """Of machines that are one's own.

    Args:
        watts: mean draw of all of them.
        price_per_kilowatt_hour: of the grid.
        usage_effectiveness: PUE, what the building draws for each watt of the machines; at least 1.

    Raises:
        ValueError: a PUE below 1, or anything negative.
    """
    if usage_effectiveness < 1:
        raise ValueError(f"usage_effectiveness must be at least 1, not {usage_effectiveness}")
    if watts < 0 or price_per_kilowatt_hour < 0:
        raise ValueError("watts and price_per_kilowatt_hour must not be negative")
    kilowatt_hours = watts / WATTS_PER_KILOWATT * HOURS_PER_MONTH * usage_effectiveness
    return kilowatt_hours * price_per_kilowatt_hour
