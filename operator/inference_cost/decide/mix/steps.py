"""Costs of claims as steps: so many replicas, in one place or missing, at so much each. As arrays, for many at once.

A replica more costs in each place as in `cheapest`. Each that is missing costs more than any that is there, and the
more the larger the share that is missing is, so that those who get less get a like share of what they need.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inference_cost.decide.mix.cheapest import LATE_WHEN_FEW
from inference_cost.decide.mix.claims import Claim

SHORT_PRICES: Final = (
    20.0  # what a missing replica costs on average, in prices of the dearest place
)
SHORT_STEPS: Final = 16
TIES: Final = 1e-4  # of the cost, by which of two equal places the first comes before the second
SERVING: Final = 50.0  # times as much where it serves now
MISSING: Final = -1  # in place of the number of a place
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Steps:
    """`owner`: claim; `place`: among those of all claims, or MISSING."""

    owner: Ints
    place: Ints
    cost: Floats
    width: Ints

    def __add__(self, other: "Steps") -> "Steps":
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return Steps(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, slots=True)
class Table:
    """All places of all claims, one after the other, as columns of numbers."""

    owner: Ints
    order: Ints  # among the places of the claim
    price: Floats
    parts: Floats
    needed: Floats
    at_risk: Floats  # cost per hour of one, were all late that a loss makes late
    unsettled: Floats  # the same besides, of one that needs a node
    settled: Ints
    start: Floats  # hours for which a start is paid
    held: Ints
    lowest: Ints
    highest: Ints

    def marginal(self, of: Ints, count: NDArray[Any]) -> Floats:
        """As `cheapest.marginal`, of many."""
        share = (count + 0.5) / self.parts[of] / self.needed[of]
        late = LATE_WHEN_FEW + 2 * (1 - LATE_WHEN_FEW) * np.minimum(share, 1.0)
        starts = np.where(count >= self.held[of], self.start[of], 0.0)
        at_risk = self.at_risk[of] + np.where(count >= self.settled[of], self.unsettled[of], 0.0)
        cost: Floats = self.price[of] * (1 + starts) + at_risk * late
        return cost

    @property
    def kept(self) -> Ints:
        """Replicas that each place keeps, whatever others ask for."""
        return np.minimum(self.lowest, np.minimum(self.held, self.highest))


def table_of(claims: Sequence[Claim]) -> Table:
    domains = [place.domain for claim in claims for place in claim.places]
    sizes = [len(claim.places) for claim in claims]
    owner = np.repeat(np.arange(len(claims)), sizes)
    risks = [claim.risk for claim in claims]
    late = np.array([r.late_price * r.served_price_per_hour * r.exposure_seconds for r in risks])
    losses = np.array([one.losses_per_hour for one in domains])
    besides = np.array([one.unsettled_losses_per_hour for one in domains])
    total = np.array([claim.total for claim in claims])[owner]
    highest = np.minimum([one.highest for one in domains], total)
    return Table(
        owner=owner,
        order=np.concatenate([np.arange(size) for size in sizes]),
        price=np.array([one.price_per_hour for one in domains]),
        parts=np.array([float(one.parts) for one in domains]),
        needed=np.array([float(max(claim.needed, 1)) for claim in claims])[owner],
        at_risk=late[owner] * losses / 3600,
        unsettled=late[owner] * besides / 3600,
        settled=np.array([one.settled for one in domains]),
        start=np.array([r.start_seconds for r in risks])[owner]
        * np.maximum(losses + besides, [one.moves_per_hour for one in domains])
        / 3600,
        held=np.array([one.held for one in domains]),
        lowest=np.minimum([one.lowest for one in domains], highest),
        highest=highest,
    )


def steps_of(claims: Sequence[Claim], table: Table, *, lasting: bool) -> Steps:
    """Of all that each claim may have beyond what its places keep, and of what may be missing.

    `lasting`: as many as are there are never missing, but for a budget's sake.
    """
    dear = _dearest(table, len(claims))
    worth = np.array([claim.worth for claim in claims])
    return _present(table, dear, worth) + _missing(claims, table, dear, lasting=lasting)


def _present(table: Table, dear: Floats, worth: Floats) -> Steps:
    """Those of one cost together. Up to a place's own minimum they come before all others, where there is room."""
    more = np.maximum(table.highest - table.kept, 0)
    of = np.repeat(np.arange(len(more)), more)
    count = np.arange(len(of)) - np.repeat(np.cumsum(more) - more, more) + table.kept[of]
    cost = table.marginal(of, count) * worth[table.owner[of]] * (1 + TIES * table.order[of])
    cost -= np.where(count < table.lowest[of], dear[table.owner[of]], 0.0)
    new = np.ones(len(of), dtype=bool)
    new[1:] = (of[1:] != of[:-1]) | (cost[1:] != cost[:-1])
    begins = np.flatnonzero(new)
    return Steps(
        table.owner[of[begins]], of[begins], cost[begins], np.diff(np.append(begins, len(of)))
    )


def _dearest(table: Table, claims: int) -> Floats:
    """By claim: what a missing replica costs on average, before weights."""
    last = table.marginal(np.arange(len(table.owner)), np.maximum(table.highest, table.held))
    dear = np.full(claims, 1e-6)
    np.maximum.at(dear, table.owner, np.maximum(SHORT_PRICES * table.price, 3 * last))
    return dear


def _missing(claims: Sequence[Claim], table: Table, dear: Floats, *, lasting: bool) -> Steps:
    """Those that are there are the last to be missing, but for a budget's sake."""
    kept = np.bincount(table.owner, table.kept, len(claims))
    there = np.bincount(table.owner, np.minimum(table.held, table.highest), len(claims))
    steps: list[tuple[int, float, int]] = []
    for i, claim in enumerate(claims):
        most = claim.total - int(kept[i])
        free = most if claim.budget else claim.total - int(there[i])
        edges = _edges(claim.total, free, free if lasting else most)
        for begin, end in pairwise(edges):
            price = dear[i] * claim.weight * (0.5 + (begin + end) / 2 / claim.total)
            steps.append((i, price * (1.0 if begin < free else SERVING), end - begin))
    owner, cost, width = zip(*steps, strict=True) if steps else ((), (), ())
    return Steps(
        np.array(owner, dtype=np.int64),
        np.full(len(steps), MISSING),
        np.array(cost, dtype=np.float64),
        np.array(width, dtype=np.int64),
    )


def _edges(total: int, free: int, most: int) -> list[int]:
    """Where the cost of what is missing rises."""
    step = max(-(-total // SHORT_STEPS), 1)
    return sorted({0, *range(0, most, step), max(min(free, most), 0), max(most, 0)})
