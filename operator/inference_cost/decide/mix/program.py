"""The cheapest replicas of several policies that share bounded capacity, as a linear program in whole numbers.

All costs are convex (steps.py), so one policy alone would need no whole numbers: only bounds make them necessary. Up to
`EXACT` policies the program is solved as it is. Of more the relaxation, whose cost no solution undercuts, decides all
but those that it splits and those nearest to them; these are solved in what room the others leave. HiGHS solves both,
bounded by the size of its search and not by a clock, so that the same input gives the same result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array

from inference_cost.decide.mix.claims import Claim
from inference_cost.decide.mix.steps import MISSING, Floats, Ints, Table, steps_of, table_of

EXACT: Final = 50  # policies
NEAREST: Final = (
    20  # of more than that: policies that are decided in whole numbers, those split included
)
WHOLE: Final = 1e-6  # what a number may be off and be taken for whole


@dataclass(frozen=True, slots=True)
class _Effort:
    """How far to search: nodes of its tree, and how far above the lower bound is close enough."""

    nodes: int
    gap: float


ALL_THE_WAY: Final = _Effort(nodes=5_000, gap=0.0)
CLOSE_ENOUGH: Final = _Effort(nodes=100, gap=1e-3)


@dataclass(frozen=True, slots=True)
class Solution:
    """Replicas by claim and place. `cost` of them per hour, missing ones paid for; `least`: none costs less."""

    counts: tuple[tuple[int, ...], ...]
    cost: float
    least: float


def solve(claims: Sequence[Claim], rooms: Sequence[float]) -> Solution | None:
    """Within `rooms`, by shared bound. None where nothing was found.

    Of up to `EXACT` claims none has fewer than are there; where room is made by rounding others it may come to that.
    """
    program = _program(claims, rooms, lasting=len(claims) <= EXACT)
    if not len(program.cost):  # all keep what they have
        return _solution(claims, program, program.cost, 0.0)
    if len(claims) <= EXACT:
        nothing = np.zeros(len(program.cost))
        found = _whole(program, np.ones(len(claims), dtype=bool), nothing, ALL_THE_WAY)
        return (
            None
            if found is None
            else _solution(claims, program, found, float(program.cost @ found))
        )
    relaxed = linprog(
        program.cost,
        A_ub=program.shared,
        b_ub=program.rooms,
        A_eq=program.equal,
        b_eq=program.totals,
        bounds=np.column_stack((np.zeros(len(program.cost)), program.width)),
        method="highs",
    )
    if relaxed.x is None:
        return None
    decided = np.round(relaxed.x)
    found = _whole(program, _undecided(program, relaxed), decided, CLOSE_ENOUGH)
    return None if found is None else _solution(claims, program, found, float(relaxed.fun))


@dataclass(frozen=True, slots=True)
class _Program:
    """Columns are steps. `equal`: those of each claim make its total; `shared`: what they use of each bound."""

    table: Table
    owner: Ints
    place: Ints
    cost: Floats
    width: Floats
    equal: Any
    totals: Floats
    shared: Any
    rooms: Floats


def _program(claims: Sequence[Claim], rooms: Sequence[float], *, lasting: bool) -> _Program:
    table = table_of(claims)
    steps = steps_of(claims, table, lasting=lasting)
    columns = np.arange(len(steps.cost))
    present = steps.place != MISSING
    kept = table.kept
    uses, rooms_and_budgets = _uses(claims, rooms)
    of = coo_array(
        (np.ones(present.sum()), (steps.place[present], columns[present])),
        shape=(len(kept), len(columns)),
    ).tocsc()
    equal = coo_array(
        (np.ones(len(columns)), (steps.owner, columns)), shape=(len(claims), len(columns))
    )
    totals = np.array([float(claim.total) for claim in claims])
    totals -= np.bincount(table.owner, kept, len(claims))
    return _Program(
        table=table,
        owner=steps.owner,
        place=steps.place,
        cost=steps.cost,
        width=steps.width.astype(np.float64),
        equal=equal.tocsc(),
        totals=totals,
        shared=(uses @ of).tocsc(),
        rooms=np.maximum(rooms_and_budgets - uses @ kept, 0.0),
    )


def _uses(claims: Sequence[Claim], rooms: Sequence[float]) -> tuple[Any, Floats]:
    """By bound, a claim's own budget being one, and place."""
    entries: list[tuple[float, int, int]] = []
    most, place = list(rooms), 0
    for claim in claims:
        for i, one in enumerate(claim.places):
            entries += [(amount, bound, place + i) for bound, amount in one.uses]
            if claim.budget is not None:
                entries.append((claim.budget.prices[i], len(most), place + i))
        if claim.budget is not None:
            most.append(claim.budget.most)
        place += len(claim.places)
    amounts, bounds, places = zip(*entries, strict=True) if entries else ((), (), ())
    return coo_array((amounts, (bounds, places)), shape=(len(most), place)).tocsr(), np.array(most)


def _undecided(program: _Program, relaxed: Any) -> Any:
    """By claim: those that the relaxation splits, and as many more whose other choices cost least more."""
    split = np.abs(relaxed.x - np.round(relaxed.x)) > WHOLE
    open_ = np.zeros(len(program.totals), dtype=bool)
    open_[program.owner[split]] = True
    more = np.abs(relaxed.lower.marginals + relaxed.upper.marginals)
    nearest = np.full(len(open_), np.inf)
    np.minimum.at(nearest, program.owner[more > WHOLE], more[more > WHOLE])
    spare = max(NEAREST - int(open_.sum()), 0)
    nearest[open_] = np.inf
    open_[np.argsort(nearest, kind="stable")[:spare]] = True
    return open_


def _whole(program: _Program, open_: Any, decided: Floats, effort: _Effort) -> Floats | None:
    """Whole numbers for the claims that are open, the others as decided."""
    free = open_[program.owner]
    if not free.any():
        return decided
    left = program.rooms - program.shared @ np.where(free, 0.0, decided)
    found = milp(
        program.cost[free],
        integrality=np.ones(free.sum()),
        bounds=Bounds(0, program.width[free]),
        constraints=[
            LinearConstraint(
                program.equal[:, free][open_, :], program.totals[open_], program.totals[open_]
            ),
            LinearConstraint(program.shared[:, free], -np.inf, np.maximum(left, 0.0)),
        ],
        options={"mip_rel_gap": effort.gap, "node_limit": effort.nodes},
    )
    if found.x is None:
        return None
    whole = decided.copy()
    whole[free] = np.round(found.x)
    return whole


def _solution(claims: Sequence[Claim], program: _Program, found: Floats, least: float) -> Solution:
    present = program.place != MISSING
    counts = program.table.kept + np.bincount(
        program.place[present], found[present], len(program.table.kept)
    )
    ends = np.cumsum([len(claim.places) for claim in claims])[:-1]
    return Solution(
        counts=tuple(tuple(int(n) for n in part) for part in np.split(counts, ends)),
        cost=float(program.cost @ found),
        least=least,
    )
