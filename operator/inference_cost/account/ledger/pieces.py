"""Time cut wherever something changes for a node: a price, a pod that comes, gets ready or goes, a gap."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from inference_cost.account.ledger.history import Gap, NodeLife, PriceChange, Span, Stay
from inference_cost.account.milliseconds import MILLISECONDS_PER_HOUR, milliseconds
from inference_cost.model.money import HourlyPrice
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node


class During(StrEnum):
    """What is known of a piece."""

    UNRECORDED = "unrecorded"  # in a gap
    BOOT = "boot"  # the node is not ready yet
    USE = "use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A node in a time in which nothing changes, at what is paid and at its list price. `begin`: milliseconds."""

    begin: int
    hours: Decimal
    during: During
    paid: Node
    listed: Node
    stays: tuple[Stay, ...]


def by_node(stays: Sequence[Stay]) -> Mapping[str, list[Stay]]:
    found: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        found[stay.pod.node].append(stay)
    return found


def pieces_of(
    life: NodeLife, stays: Sequence[Stay], gaps: Sequence[Gap], window: Span
) -> Iterator[Piece]:
    """One after the other, from the later begin to the earlier end of the node and the window.

    Raises:
        ValueError: the node has no price entry.
    """
    for begin, end in pairwise(_cuts(life, stays, gaps, window)):
        change = _price_at(life, begin)
        yield Piece(
            begin=begin,
            hours=Decimal(end - begin) / MILLISECONDS_PER_HOUR,
            during=_during(life, gaps, begin),
            paid=at_price(life.node, change.price),
            listed=at_price(life.node, change.listed),
            stays=tuple(stay for stay in stays if _there(stay, begin)),
        )


def at_price(node: Node, price: HourlyPrice | Missing) -> Node:
    return replace(node, price=price)


def gone(life: NodeLife, window: Span) -> float:
    return window.end if life.gone_at is None else min(life.gone_at, window.end)


def _during(life: NodeLife, gaps: Sequence[Gap], at: int) -> During:
    if any(milliseconds(gap.begin) <= at < milliseconds(gap.end) for gap in gaps):
        return During.UNRECORDED
    booting = life.ready_at is None or at < milliseconds(life.ready_at)
    return During.BOOT if booting else During.USE


def _cuts(life: NodeLife, stays: Sequence[Stay], gaps: Sequence[Gap], window: Span) -> list[int]:
    """Milliseconds, ascending; none where there is no time."""
    begin = milliseconds(max(life.node.created_at, window.begin))
    end = milliseconds(gone(life, window))
    moments = [*(change.since for change in life.prices), *_moments_of(stays)]
    moments += [t for gap in gaps for t in (gap.begin, gap.end)]
    moments += [life.ready_at] if life.ready_at is not None else []
    inner = {m for m in map(milliseconds, moments) if begin < m < end}
    return sorted({begin, end} | inner) if begin < end else []


def _moments_of(stays: Sequence[Stay]) -> Iterator[float]:
    for stay in stays:
        yield from (t for t in (stay.bound_at, stay.ready_at, stay.ended_at) if t is not None)


def _there(stay: Stay, at: int) -> bool:
    ended = stay.ended_at is not None and at >= milliseconds(stay.ended_at)
    return at >= milliseconds(stay.bound_at) and not ended


def _price_at(life: NodeLife, at: int) -> PriceChange:
    if not life.prices:
        raise ValueError(f"node {life.node.name} has no price entry; give one that says Missing")
    begun = [change for change in life.prices[1:] if milliseconds(change.since) <= at]
    return begun[-1] if begun else life.prices[0]
