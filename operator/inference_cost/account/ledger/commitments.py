"""Nodes that are paid for by contract, whether they run or not.

At each moment as many nodes of the pool as the contract has are paid at its rate; the rest of them pay their own price.
All nodes that run share both alike, so the contract is charged by use. What it has and nobody runs is `unused`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from inference_cost.account.ledger.history import NodeLife, PriceChange, Span
from inference_cost.account.ledger.lines import NOTHING
from inference_cost.account.milliseconds import hours_between
from inference_cost.model.money import HourlyPrice
from inference_cost.model.reading import Missing
from inference_cost.model.workload import CapacityType


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """`nodes` of a pool at `node_price`, from `begin` to `end` (epoch seconds)."""

    pool: str
    capacity_type: CapacityType
    nodes: int
    node_price: HourlyPrice
    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    pool: str
    capacity_type: CapacityType
    amount: Decimal
    node_hours: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """Nodes at the prices that they really have, and what is paid for nothing."""

    nodes: tuple[NodeLife, ...]
    unused: tuple[Unused, ...]

    @property
    def unused_amount(self) -> Decimal:
        return sum((one.amount for one in self.unused), NOTHING)


def cover(nodes: Sequence[NodeLife], commitments: Sequence[Commitment], window: Span) -> Covered:
    """Raises ValueError: two commitments of one pool."""
    by_pool = {one.pool: one for one in commitments}
    if len(by_pool) < len(commitments):
        raise ValueError("two commitments of one pool: add them up to one")
    made, unused = [], []
    for pool in dict.fromkeys((*(life.node.pool for life in nodes), *by_pool)):
        lives = [life for life in nodes if life.node.pool == pool]
        if pool not in by_pool:
            made += lives
            continue
        pieces = list(_pieces(lives, by_pool[pool], window))
        made += [_priced(life, by_pool[pool], pieces) for life in lives]
        unused.append(_unused(by_pool[pool], pieces))
    return Covered(nodes=tuple(made), unused=tuple(unused))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A time in which the same number of nodes run."""

    begin: float
    end: float
    running: int
    committed: int

    @property
    def covered(self) -> Decimal:
        """Share of each running node."""
        if not self.running:
            return NOTHING
        return Decimal(min(self.running, self.committed)) / self.running


def _pieces(lives: Sequence[NodeLife], given: Commitment, window: Span) -> Iterator[_Piece]:
    moments = {window.begin, window.end, given.begin, given.end}
    for life in lives:
        moments |= {life.node.created_at, *(change.since for change in life.prices)}
        moments |= {life.gone_at} if life.gone_at is not None else set()
    inside = sorted(min(max(m, window.begin), window.end) for m in moments)
    for begin, end in pairwise(dict.fromkeys(inside)):
        running = sum(
            life.node.created_at <= begin and (life.gone_at is None or begin < life.gone_at)
            for life in lives
        )
        held = given.nodes if given.begin <= begin < given.end else 0
        yield _Piece(begin, end, running, held)


def _priced(life: NodeLife, given: Commitment, pieces: Sequence[_Piece]) -> NodeLife:
    """What is paid becomes a mean of both; the node's own price stays as the list's where none is known."""
    changes = [_mixed(_change_at(life, piece.begin), given, piece) for piece in pieces]
    return replace(life, prices=tuple(changes)) if changes else life


def _mixed(own: PriceChange, given: Commitment, piece: _Piece) -> PriceChange:
    listed = own.price if isinstance(own.listed, Missing) else own.listed
    if piece.covered == 0 or (isinstance(own.price, Missing) and piece.covered < 1):
        return PriceChange(since=piece.begin, price=own.price, listed=listed)
    rest = NOTHING if isinstance(own.price, Missing) else own.price.per_hour * (1 - piece.covered)
    paid = replace(given.node_price, per_hour=given.node_price.per_hour * piece.covered + rest)
    return PriceChange(since=piece.begin, price=paid, listed=listed)


def _change_at(life: NodeLife, at: float) -> PriceChange:
    begun = [change for change in life.prices[1:] if change.since <= at]
    return begun[-1] if begun else life.prices[0]


def _unused(given: Commitment, pieces: Sequence[_Piece]) -> Unused:
    node_hours = sum((_idle_hours(piece) for piece in pieces), NOTHING)
    return Unused(
        pool=given.pool,
        capacity_type=given.capacity_type,
        amount=node_hours * given.node_price.per_hour,
        node_hours=node_hours,
    )


def _idle_hours(piece: _Piece) -> Decimal:
    unused = max(piece.committed - piece.running, 0)
    return unused * hours_between(piece.begin, piece.end)
