"""Returns and cost of ownership in the page."""

from html import escape

from inference_cost.cli.report.document import CasePart, ReportDocument
from inference_cost.cli.report.figures import money, number, percent
from inference_cost.cli.report.table import Cell, Table, capitalized, card


def returns_card(document: ReportDocument) -> str:
    returns, currency = document.returns, document.currency
    months = document.ownership.months
    heads = ("case", "saved per month", "net", "present value", "ROI", "payback")
    rows = [_case_row(one.name, f"returns.cases.{i}", one) for i, one in enumerate(returns.cases)]
    for i, factor in enumerate(returns.alone):
        for end, case in (("worst", factor.worst), ("best", factor.best)):
            rows.append(_case_row(f"only {factor.factor}, {end}", f"returns.alone.{i}.{end}", case))
    needed = money(returns.break_even_per_month, "returns.breakEvenPerMonth")
    implementation = money(document.ownership.implementation, "ownership.implementation")
    running = money(returns.running_per_month, "returns.runningPerMonth")
    text = (
        f"<p>Over {months} months, from {escape(returns.basis)}. It costs {implementation} {currency} to bring in and "
        f"{running} per month to run, and pays for itself from {needed} saved per month on.</p>"
    )
    text += f"<p>Assumed, from worst to best: {escape('; '.join(returns.assumed))}.</p>"
    return card("Return on investment", "", text + Table(heads=heads, rows=rows).render())


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
    rows = [
        (
            "Nodes, at the mean of the time recorded",
            money(owned.nodes_per_month, "ownership.nodesPerMonth"),
        ),
        *(
            (escape(capitalized(one.name)), money(one.per_month, f"ownership.inputs.{i}.perMonth"))
            for i, one in enumerate(owned.inputs)
        ),
        *(
            (f"{escape(capitalized(name))}", '<span class="tag">not given</span>')
            for name in owned.absent
        ),
        ("<b>In all</b>", money(owned.per_month, "ownership.perMonth")),
    ]
    text = (
        f"<p>Over {owned.months} months, with what it costs to bring in: "
        f"{money(owned.in_all, 'ownership.inAll')} {document.currency}.</p>"
    )
    return card(
        "Total cost of ownership",
        document.currency,
        Table(heads=("of", "per month"), rows=rows).render() + text,
    )
