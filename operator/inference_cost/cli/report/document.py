"""A report: the one document that the page and the JSON are made from.

Money is text in the document's currency; lines, pieces and breakdowns add up to the totals. What is not known is null,
and named in `gaps`.
"""

from typing import Final

from inference_cost.cli.document_part import Part
from inference_cost.cli.report.business_document import OwnershipPart, ReturnsPart
from inference_cost.cli.report.money_text import Money

SCHEMA_VERSION: Final = 1


class Span(Part):
    """`hours`: of the whole. `recorded_hours`: from the first total in it to the last one."""

    begin: str
    end: str
    hours: float
    recorded_hours: float
    piece_seconds: float


class SidesPart(Part):
    """Savings of one state, summed up: on both sides the same policies in the same time, and no other.

    `policies`: those of which both sides met the objective; `policy_hours`: of all of them, in which both sides were
    known. `saved` is `baseline_cost` less `cost`, and negative where the policies were dearer; `percent`: of
    `baseline_cost`. In time: of `requests`, the same on both sides.
    """

    saved: Money
    percent: float | None
    cost: Money
    baseline_cost: Money
    requests: int
    in_time_percent: float | None
    baseline_in_time_percent: float | None
    policy_hours: float
    policies: tuple[str, ...]


class Totals(Part):
    """`policies`: charged to replicas. `unused`: pools' own lines, what no replica requested. Both together: `cost`.

    `measured`: savings with the decisions followed. `potential`: what decisions would have saved that were not
    followed. They are not added up. `not_comparable`: policies that are in neither.
    """

    cost: Money
    policies: Money
    unused: Money
    per_hour_now: Money | None
    measured: SidesPart | None
    potential: SidesPart | None
    not_comparable: tuple[str, ...]
    requests: int | None
    in_time_percent: float | None


class PieceSides(Part):
    cost: Money
    baseline_cost: Money


class Piece(Part):
    """`measured` and `potential`: both sides of these savings, where they were known; they add up to those of `Totals`.

    `recorded`: whether anything was.
    """

    begin: str
    policies: Money
    unused: Money
    measured: PieceSides | None
    potential: PieceSides | None
    in_time_percent: float | None
    recorded: bool


class Line(Part):
    """`policy` is empty for a pool's own line."""

    namespace: str
    policy: str
    variant: str
    pool: str
    capacity_type: str
    cost_center: str
    line: str
    amount: Money


class Share(Part):
    name: str
    amount: Money
    percent: float


class Breakdown(Part):
    """All of the cost, by one property of its lines; the dearest first."""

    by: str
    rows: tuple[Share, ...]


class SavingsPart(Part):
    """One policy against its baseline. `state`: Measured or Potential. `amount`: null where `why_not` says why.

    `hours`: in which both sides were known, and which alone count. In percent: of the `requests` in them, those within
    the objective.
    """

    state: str
    baseline: str
    amount: Money | None
    percent: float | None
    cost: Money
    baseline_cost: Money
    in_time_percent: float
    baseline_in_time_percent: float
    requests: int
    hours: float
    why_not: str


class PolicyPart(Part):
    """`in_time_percent`: of the requests in the time, by load; `in_time_source` says how it is known.

    `late_of_allowed`: late requests ÷ those that the objective allows; more than 1 misses it. `price_source`,
    `price_time`: of the prices of now. `coverage_percent`: of this month's cost.
    """

    namespace: str
    name: str
    mode: str
    objective: str
    target_percent: float | None
    cost: Money
    requests: int | None
    per_thousand_requests: Money | None
    in_time_percent: float | None
    in_time_source: str
    late_of_allowed: float | None
    mean_replicas: float | None
    per_hour: Money | None
    price_source: str
    price_time: str
    coverage_percent: float | None
    cost_center: str
    savings: tuple[SavingsPart, ...]


class PoolPart(Part):
    """`cost`: of all lines in the pool, `unused` that which no replica requested.

    What follows is of now, from the CapacityPool; empty or null for a pool that is inferred from labels.
    """

    name: str
    cost: Money
    unused: Money
    nodes: int | None
    per_node_hour: Money | None
    price_source: str
    price_time: str
    attention: tuple[str, ...]


class DecisionPart(Part):
    """`at`: the last time. `times`: how often, `hours`: how long; null where that is not counted."""

    at: str
    policy: str
    what: str
    why: str
    times: int | None
    hours: float | None


class WastePart(Part):
    """`amount`: null where money is spent and how much is not known. Amounts overlap: they have no sum."""

    waste: str
    where: str
    amount: Money | None
    why: str
    fix: str


class Gap(Part):
    """Something that is not in the figures: what, why, and what would change that."""

    what: str
    why: str
    fix: str


class ReportDocument(Part):
    schema_version: int = SCHEMA_VERSION
    at: str
    currency: str
    namespaces: str
    prometheus: str
    window: Span
    prices: tuple[str, ...]
    summary: tuple[str, ...]
    totals: Totals
    pieces: tuple[Piece, ...]
    lines: tuple[Line, ...]
    breakdowns: tuple[Breakdown, ...]
    policies: tuple[PolicyPart, ...]
    pools: tuple[PoolPart, ...]
    decisions: tuple[DecisionPart, ...]
    decisions_left_out: int
    waste: tuple[WastePart, ...]
    ownership: OwnershipPart
    returns: ReturnsPart
    assumptions: tuple[str, ...]
    gaps: tuple[Gap, ...]
