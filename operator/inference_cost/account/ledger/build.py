"""From the history of nodes and pods to the lines of a window.

Time is cut into pieces in which nothing changes (`pieces.py`). In each piece the node's price is split as `shares.py`
says. What a node cost by its lifetime and price is computed beside that, and what the lines do not explain of it is an
error, never a line.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from inference_cost.account.ledger.commitments import Commitment, Covered, cover
from inference_cost.account.ledger.history import History, NodeLife, Span, Stay
from inference_cost.account.ledger.lines import NOTHING, Kind, Ledger, Line, LineKey, Total
from inference_cost.account.ledger.pieces import (
    During,
    Piece,
    at_price,
    by_node,
    gone,
    pieces_of,
)
from inference_cost.account.milliseconds import hours_between, milliseconds
from inference_cost.account.occupants import Occupant, kind_of, split_among
from inference_cost.account.shares import NodeSplit, price_of
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node

CENT = Decimal("0.01")
_WHOLE = {During.BOOT: Kind.BOOT, During.UNRECORDED: Kind.UNRECORDED}


class UnexplainedError(ValueError):
    """The lines do not add up to what the nodes cost."""


def ledger(
    history: History,
    window: Span,
    *,
    currency: str = "USD",
    commitments: Sequence[Commitment] = (),
) -> Ledger:
    """All lines of a window.

    Raises:
        UnexplainedError: more than a cent of what the nodes cost is in no line.
        ValueError: a window that ends before it begins, a node without any price entry, or two at once of one name.
    """
    if window.end < window.begin:
        raise ValueError(f"the window ends at {window.end:g}, before it begins at {window.begin:g}")
    _check_names(history.nodes)
    covered = cover(history.nodes, commitments, window)
    sums: dict[LineKey, Total] = defaultdict(Total)
    stays = by_node(history.stays)
    for life in covered.nodes:
        here = stays.get(life.node.name, ())
        for piece in pieces_of(life, here, history.gaps, window):
            for key, part in _parts(piece, currency):
                sums[key] += part
    _add_unused(sums, covered)
    nodes: dict[str, Total] = defaultdict(Total)
    for life in covered.nodes:
        nodes[life.node.name] += node_cost(life, window, currency)
    return explained(
        Ledger(
            window=window,
            currency=currency,
            lines=tuple(
                Line(key=key, total=sums[key]) for key in sorted(sums, key=lambda k: k.order)
            ),
            nodes=nodes,
            unused=covered.unused_amount,
            gaps=tuple(g for g in history.gaps if g.begin < window.end and g.end > window.begin),
        )
    )


def _check_names(nodes: Sequence[NodeLife]) -> None:
    """A name may come back, but not while its first node is there: pods are found by it."""
    ordered = sorted(nodes, key=lambda life: (life.node.name, life.node.created_at))
    for one, other in pairwise(ordered):
        ended = one.gone_at
        if one.node.name == other.node.name and (ended is None or ended > other.node.created_at):
            raise ValueError(f"two nodes of the name {one.node.name} at once")


def explained(made: Ledger) -> Ledger:
    """The ledger itself.

    Raises:
        UnexplainedError: as `ledger`.
    """
    if abs(made.remainder) > CENT:
        raise UnexplainedError(
            f"{made.remainder:f} {made.currency} of {made.paid:f} that nodes cost are in no line"
        )
    return made


def node_cost(life: NodeLife, window: Span, currency: str) -> Total:
    """Lifetime × price, whoever used the node."""
    cost, gone_at = Total(), gone(life, window)
    ends = [change.since for change in life.prices[1:]] + [gone_at]
    for i, (change, end) in enumerate(zip(life.prices, ends, strict=True)):
        begin = max(life.node.created_at if i == 0 else change.since, window.begin)
        hours = hours_between(begin, min(end, gone_at))
        if hours > 0:
            paid, listed = (at_price(life.node, price) for price in (change.price, change.listed))
            amounts = price_of(paid, currency), price_of(listed, currency)
            cost += _total(*amounts, hours, Decimal(1))
    return cost


def _parts(piece: Piece, currency: str) -> Iterator[tuple[LineKey, Total]]:
    if piece.during is not During.USE:
        yield _whole(piece, _WHOLE[piece.during], currency)
        return
    there = [Occupant(pod=stay.pod, use=stay.owner.use) for stay in piece.stays]
    splits = (
        split_among(piece.paid, there, currency),
        split_among(piece.listed, there, currency),
    )
    yield from _split(splits, piece)


def _split(splits: tuple[NodeSplit, NodeSplit], piece: Piece) -> Iterator[tuple[LineKey, Total]]:
    paid, listed = splits
    node, used = paid.node, NOTHING
    for stay in piece.stays:
        uid = stay.pod.uid
        fraction = Decimal(paid.weights[uid].numerator) / paid.weights[uid].denominator
        used += fraction
        owner = stay.owner
        key = LineKey(
            kind=_kind(stay, piece.begin),
            pool=node.pool,
            capacity_type=node.capacity_type,
            policy=owner.policy,
            variant=owner.variant,
            cost_center=owner.cost_center,
        )
        yield key, _total(paid.shares[uid], listed.shares[uid], piece.hours, fraction)
    yield _pool_key(node, Kind.IDLE), _total(paid.idle, listed.idle, piece.hours, 1 - used)


def _kind(stay: Stay, at: int) -> Kind:
    started = stay.ready_at is not None and at >= milliseconds(stay.ready_at)
    return kind_of(stay.owner.use, served=started)


def _whole(piece: Piece, kind: Kind, currency: str) -> tuple[LineKey, Total]:
    amounts = price_of(piece.paid, currency), price_of(piece.listed, currency)
    return _pool_key(piece.paid, kind), _total(*amounts, piece.hours, Decimal(1))


def _pool_key(node: Node, kind: Kind) -> LineKey:
    return LineKey(kind=kind, pool=node.pool, capacity_type=node.capacity_type)


def _total(
    paid: Decimal | Missing, listed: Decimal | Missing, hours: Decimal, fraction: Decimal
) -> Total:
    return Total(
        amount=NOTHING if isinstance(paid, Missing) else paid * hours,
        listed=NOTHING if isinstance(listed, Missing) else listed * hours,
        node_hours=fraction * hours,
        unpriced=(paid.detail or "a price is not known",) if isinstance(paid, Missing) else (),
        unlisted=(listed.detail or "a list price is not known",)
        if isinstance(listed, Missing)
        else (),
    )


def _add_unused(sums: dict[LineKey, Total], covered: Covered) -> None:
    for one in covered.unused:
        key = LineKey(kind=Kind.UNUSED, pool=one.pool, capacity_type=one.capacity_type)
        sums[key] += Total(amount=one.amount, node_hours=one.node_hours)
