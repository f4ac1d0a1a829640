"""A report: the one document that the page and the JSON are made from.

Money is text in the document's currency; lines, pieces and breakdowns add up to the totals. What is not known is null,
and named in `gaps`.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SCHEMA_VERSION: Final = 1

Money = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2,6}$")]


class Part(BaseModel):
    """Camel-case names in JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
        allow_inf_nan=False,
        extra="forbid",
    )


class Span(Part):
    """`hours`: of the whole. `recorded_hours`: from the first total in it to its end."""

    begin: str
    end: str
    hours: float
    recorded_hours: float
    piece_seconds: float


class Totals(Part):
    """`policies`: charged to replicas. `unused`: pools' own lines, what no replica requested. Both together: `cost`.

    `saved`: measured, with the decisions followed. `potential`: what the decisions would have saved. Each is the sum of
    the policies for which both sides met the objective; `not_comparable` names the others. `saved_percent`: of what the
    baseline would have cost.
    """

    cost: Money
    policies: Money
    unused: Money
    per_hour_now: Money | None
    saved: Money | None
    saved_percent: float | None
    potential: Money | None
    potential_percent: float | None
    not_comparable: tuple[str, ...]
    requests: int | None
    in_time_percent: float | None


class Piece(Part):
    """`baseline` and `compared`: both sides of the savings, where they were known. `recorded`: whether anything was."""

    begin: str
    policies: Money
    unused: Money
    baseline: Money | None
    compared: Money | None
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

    `hours`: in which both sides were known, and which alone count. In percent: requests within the objective.
    """

    state: str
    baseline: str
    amount: Money | None
    percent: float | None
    cost: Money
    baseline_cost: Money
    in_time_percent: float
    baseline_in_time_percent: float
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


class InputPart(Part):
    name: str
    per_month: Money


class OwnershipPart(Part):
    """`absent`: not given with an option, and in no amount."""

    nodes_per_month: Money | None
    inputs: tuple[InputPart, ...]
    absent: tuple[str, ...]
    implementation: Money
    per_month: Money
    in_all: Money
    months: int


class CasePart(Part):
    """Over the months of the ownership. `payback_months`: null where it never pays back.

    `roi_percent`: null where nothing is invested.
    """

    name: str
    saved_per_month: Money
    net: Money
    present_value: Money
    roi_percent: float | None
    payback_months: float | None


class FactorPart(Part):
    factor: str
    worst: CasePart
    best: CasePart


class ReturnsPart(Part):
    """`basis`: which savings. `assumed`: from worst to best.

    Without any savings there are no cases: `break_even_per_month` says what it would take.
    """

    basis: str
    assumed: tuple[str, ...]
    saved_per_month: Money | None
    running_per_month: Money
    break_even_per_month: Money
    cases: tuple[CasePart, ...]
    alone: tuple[FactorPart, ...]


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
    summary: str
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
