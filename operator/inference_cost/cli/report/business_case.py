"""Returns and cost of ownership in the page."""

from html import escape

from inference_cost.cli.page.figures import UNKNOWN, money, number, percent
from inference_cost.cli.report.business_document import BasisPart, CasePart, OwnershipPart
from inference_cost.cli.report.document import ReportDocument
from inference_cost.cli.report.table import Cell, Table, capitalized, card

CASE_HEADS = ("case", "saved per month", "net", "present value", "ROI", "payback")
NOT_GIVEN = '<span class="tag">not given</span>'


def returns_card(document: ReportDocument) -> str:
    returns, currency, owned = document.returns, document.currency, document.ownership
    needed = money(returns.break_even_per_month, "returns.breakEvenPerMonth")
    running = money(returns.running_per_month, "returns.runningPerMonth")
    once = (
        money(owned.implementation, "ownership.implementation")
        if owned.implementation is not None
        else "nothing that was given"
    )
    text = (
        f"<p>Over {owned.months} months. It costs {once} to bring in and {running} per month to run, in {currency}, "
        f"and pays for itself from {needed} saved per month on.</p>"
        f"<p>Assumed, from worst to best: {escape('; '.join(returns.assumed))}.</p>"
    )
    bases = [
        ("Measured savings", "returns.measured", returns.measured),
        ("Potential savings, which nobody has yet", "returns.potential", returns.potential),
    ]
    shown = "".join(_basis(head, at, one) for head, at, one in bases if one is not None)
    return card("Return on investment", "", text + (shown or "<p>No saving is known.</p>"))


def _basis(head: str, at: str, basis: BasisPart) -> str:
    told = [f"Of {', '.join(basis.policies)}."] if basis.policies else []
    if basis.why_not:
        told.append(f"{capitalized(basis.why_not)}.")
    elif basis.too_early:
        told.append(f"Too early, and not in it: {'; '.join(basis.too_early)}.")
    rows = [_case_row(one.name, f"{at}.cases.{i}", one) for i, one in enumerate(basis.cases)]
    for i, factor in enumerate(basis.alone):
        for end, case in (("worst", factor.worst), ("best", factor.best)):
            name = f"only {factor.factor}, {end}"
            rows.append(_case_row(name, f"{at}.alone.{i}.{end}", case))
    table = Table(heads=CASE_HEADS, rows=rows).render()
    return f"<h3>{escape(head)}</h3><p>{escape(' '.join(told))}</p>{table}"


def _case_row(name: str, at: str, one: CasePart) -> tuple[Cell, ...]:
    payback = (
        "never"
        if one.payback_months is None
        else number(one.payback_months, f"{at}.paybackMonths", ",g", " months")
    )
    roi = (
        "nothing invested"
        if one.roi_percent is None
        else percent(one.roi_percent, f"{at}.roiPercent")
    )
    return (
        escape(capitalized(name)),
        money(one.saved_per_month, f"{at}.savedPerMonth"),
        money(one.net, f"{at}.net"),
        money(one.present_value, f"{at}.presentValue"),
        roi,
        payback,
    )


def ownership_card(document: ReportDocument) -> str:
    owned = document.ownership
    nodes = money(owned.nodes_per_month, "ownership.nodesPerMonth")
    why_not = f"<small>{escape(owned.nodes_why_not)}</small>" if owned.nodes_why_not else ""
    rows = [
        ("Nodes, at the mean of the time recorded", nodes + why_not),
        *(
            (escape(capitalized(one.name)), money(one.per_month, f"ownership.inputs.{i}.perMonth"))
            for i, one in enumerate(owned.inputs)
        ),
        *((escape(capitalized(name)), NOT_GIVEN) for name in owned.absent),
        ("<b>In all that is given</b>", money(owned.per_month, "ownership.perMonth")),
    ]
    return card(
        "Total cost of ownership",
        document.currency,
        Table(heads=("of", "per month"), rows=rows).render() + _in_all(owned, document.currency),
    )


def _in_all(owned: OwnershipPart, currency: str) -> str:
    if owned.in_all is None:
        return f"<p>Over {owned.months} months: {UNKNOWN}, for it is without nodes.</p>"
    once = ", with what it costs to bring in" if owned.implementation is not None else ""
    lowest = money(owned.lowest_per_month, "ownership.lowestPerMonth")
    highest = money(owned.highest_per_month, "ownership.highestPerMonth")
    return (
        f"<p>Over {owned.months} months{once}: {money(owned.in_all, 'ownership.inAll')} {currency}. By what returns "
        f"assume of traffic, prices, efficacy and models it is {lowest} to {highest} per month.</p>"
    )
