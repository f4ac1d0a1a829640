"""From the history of nodes and pods to the lines of a window.

Time is cut wherever something changes: a price, a pod that comes, gets ready or goes, a node that gets ready, a gap. In
each piece the node's price is split as `shares.py` says. What a node cost by its lifetime and price is computed beside
that, and what the lines do not explain of it is an error, never a line.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from inference_cost.account.ledger.commitments import Commitment, Covered, cover
from inference_cost.account.ledger.history import (
    Gap,
    History,
    NodeLife,
    PriceChange,
    Span,
    Stay,
    Use,
)
from inference_cost.account.ledger.lines import NOTHING, Kind, Ledger, Line, LineKey, Total
from inference_cost.account.milliseconds import MILLISECONDS_PER_HOUR, hours_between, milliseconds
from inference_cost.account.shares import NodeSplit, price_of, split_node
from inference_cost.model.money import HourlyPrice
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node

CENT = Decimal("0.01")
_FIRST = (Use.REPLICA, Use.WARM)  # what the operator has on the node; others share the rest
_KINDS = {Use.WARM: Kind.WARM, Use.OVERHEAD: Kind.OVERHEAD, Use.OTHER: Kind.OTHER}


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
    stays = _by_node(history.stays)
    for life in covered.nodes:
        for key, part in _parts(
            life, stays.get(life.node.name, ()), history.gaps, window, currency
        ):
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
        gone = one.gone_at
        if one.node.name == other.node.name and (gone is None or gone > other.node.created_at):
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
    cost, gone = Total(), _gone(life, window)
    ends = [change.since for change in life.prices[1:]] + [gone]
    for i, (change, end) in enumerate(zip(life.prices, ends, strict=True)):
        begin = max(life.node.created_at if i == 0 else change.since, window.begin)
        hours = hours_between(begin, min(end, gone))
        if hours > 0:
            paid, listed = (_at_price(life.node, price) for price in (change.price, change.listed))
            amounts = price_of(paid, currency), price_of(listed, currency)
            cost += _total(*amounts, hours, Decimal(1))
    return cost


def _parts(
    life: NodeLife, stays: Sequence[Stay], gaps: Sequence[Gap], window: Span, currency: str
) -> Iterator[tuple[LineKey, Total]]:
    for begin, end in pairwise(_cuts(life, stays, gaps, window)):
        hours = Decimal(end - begin) / MILLISECONDS_PER_HOUR
        change = _price_at(life, begin)
        paid, listed = (_at_price(life.node, price) for price in (change.price, change.listed))
        if _in_gap(gaps, begin):
            yield _whole(paid, listed, Kind.UNRECORDED, hours, currency)
        elif life.ready_at is None or begin < milliseconds(life.ready_at):
            yield _whole(paid, listed, Kind.BOOT, hours, currency)
        else:
            here = [s for s in stays if _there(s, begin)]
            ours = [s.pod for s in here if s.owner.use in _FIRST]
            others = [s.pod for s in here if s.owner.use not in _FIRST]
            splits = (
                split_node(paid, ours, currency, others),
                split_node(listed, ours, currency, others),
            )
            yield from _split(splits, here, begin, hours)


def _split(
    splits: tuple[NodeSplit, NodeSplit], stays: Sequence[Stay], at: int, hours: Decimal
) -> Iterator[tuple[LineKey, Total]]:
    paid, listed = splits
    node, used = paid.node, NOTHING
    for stay in stays:
        uid = stay.pod.uid
        fraction = Decimal(paid.weights[uid].numerator) / paid.weights[uid].denominator
        used += fraction
        owner = stay.owner
        key = LineKey(
            kind=_kind(stay, at),
            pool=node.pool,
            capacity_type=node.capacity_type,
            policy=owner.policy,
            variant=owner.variant,
            cost_center=owner.cost_center,
        )
        yield key, _total(paid.shares[uid], listed.shares[uid], hours, fraction)
    yield _pool_key(node, Kind.IDLE), _total(paid.idle, listed.idle, hours, 1 - used)


def _kind(stay: Stay, at: int) -> Kind:
    if stay.owner.use is Use.REPLICA:
        started = stay.ready_at is not None and at >= milliseconds(stay.ready_at)
        return Kind.SERVING if started else Kind.BOOT
    return _KINDS[stay.owner.use]


def _whole(
    paid: Node, listed: Node, kind: Kind, hours: Decimal, currency: str
) -> tuple[LineKey, Total]:
    amounts = price_of(paid, currency), price_of(listed, currency)
    return _pool_key(paid, kind), _total(*amounts, hours, Decimal(1))


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


def _cuts(life: NodeLife, stays: Sequence[Stay], gaps: Sequence[Gap], window: Span) -> list[int]:
    """Milliseconds, ascending, from the later begin to the earlier end; at most one where there is no time."""
    begin = milliseconds(max(life.node.created_at, window.begin))
    end = milliseconds(_gone(life, window))
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


def _in_gap(gaps: Sequence[Gap], at: int) -> bool:
    return any(milliseconds(g.begin) <= at < milliseconds(g.end) for g in gaps)


def _price_at(life: NodeLife, at: int) -> PriceChange:
    if not life.prices:
        raise ValueError(f"node {life.node.name} has no price entry; give one that says Missing")
    begun = [change for change in life.prices[1:] if milliseconds(change.since) <= at]
    return begun[-1] if begun else life.prices[0]


def _at_price(node: Node, price: HourlyPrice | Missing) -> Node:
    return replace(node, price=price)


def _gone(life: NodeLife, window: Span) -> float:
    return window.end if life.gone_at is None else min(life.gone_at, window.end)


def _by_node(stays: Sequence[Stay]) -> Mapping[str, list[Stay]]:
    found: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        found[stay.pod.node].append(stay)
    return found
