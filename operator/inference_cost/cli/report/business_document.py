"""The business case in a report's document: cost of ownership and returns. What is not known is null, with why."""

from inference_cost.cli.document_part import Part
from inference_cost.cli.report.money_text import Money


class InputPart(Part):
    name: str
    per_month: Money


class OwnershipPart(Part):
    """`absent`: not given with an option, and in no amount.

    `nodes_per_month`, and with it every sum, is null where `nodes_why_not` says why. `lowest_per_month` and
    `highest_per_month`: over all of what returns assume.
    """

    nodes_per_month: Money | None
    nodes_why_not: str
    inputs: tuple[InputPart, ...]
    absent: tuple[str, ...]
    implementation: Money | None
    per_month: Money | None
    lowest_per_month: Money | None
    highest_per_month: Money | None
    in_all: Money | None
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


class BasisPart(Part):
    """Returns on one state of savings alone, against the whole investment.

    `policies`: what is counted of each is a day at least; `too_early`: those with less, each with its hours. Without
    `policies`, `why_not` says why there is no amount and no case.
    """

    policies: tuple[str, ...]
    too_early: tuple[str, ...]
    why_not: str
    saved_per_month: Money | None
    baseline_per_month: Money | None
    cases: tuple[CasePart, ...]
    alone: tuple[FactorPart, ...]


class ReturnsPart(Part):
    """`assumed`: from worst to best. `measured` and `potential`: null without such savings; they have no sum.

    `break_even_per_month` says what it takes.
    """

    assumed: tuple[str, ...]
    least_hours: float
    running_per_month: Money
    break_even_per_month: Money
    measured: BasisPart | None
    potential: BasisPart | None
