"""Builders of histories: nodes and pods over the hours of one noon."""

from decimal import Decimal
from typing import Any

from inference_cost.account.ledger.history import (
    NodeLife,
    Owner,
    PriceChange,
    Span,
    Stay,
    Use,
)
from inference_cost.account.ledger.lines import Kind, Ledger
from tests.unit.account.worlds import NOON, UNPRICED, key, node, pod, price

HOUR = 3600.0
WINDOW = Span(begin=NOON, end=NOON + HOUR)
RESNET = Owner(use=Use.REPLICA, policy=key(), variant="default", cost_center="search")


def life(
    name: str = "n1",
    *prices: str | None,
    launched: float = 0.0,
    ready: float | None = 0.0,
    gone: float | None = None,
    changes_at: tuple[float, ...] = (),
    **changes: Any,
) -> NodeLife:
    """Times in hours after noon; `changes_at`: of the prices after the first."""
    asked = prices or ("4",)
    since = (launched, *changes_at)
    told = tuple(
        PriceChange(since=_at(h), price=UNPRICED if p is None else price(p))
        for h, p in zip(since, asked, strict=True)
    )
    return NodeLife(
        node=node(name, created_at=_at(launched), **changes),
        ready_at=None if ready is None else _at(ready),
        gone_at=None if gone is None else _at(gone),
        prices=told,
    )


def stay(
    name: str = "p1",
    on: str = "n1",
    *,
    bound: float = 0.0,
    ready: float | None = 0.0,
    ended: float | None = None,
    owner: Owner = RESNET,
    **changes: Any,
) -> Stay:
    return Stay(
        pod=pod(name, on, **changes),
        owner=owner,
        bound_at=_at(bound),
        ready_at=None if ready is None else _at(ready),
        ended_at=None if ended is None else _at(ended),
    )


def _at(hours: float) -> float:
    return NOON + hours * HOUR


def by_kind(made: Ledger) -> dict[Kind, Decimal]:
    """Amounts that are not zero, in cents."""
    found: dict[Kind, Decimal] = {}
    for line in made.lines:
        if line.total.amount:
            found[line.key.kind] = found.get(line.key.kind, Decimal(0)) + line.total.amount
    return {kind: amount.quantize(Decimal("0.01")) for kind, amount in found.items()}
