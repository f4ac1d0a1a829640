"""What was spent as a table, JSON, YAML, CSV or FOCUS rows."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import typer

from inference_cost.account.calendar import time_text
from inference_cost.account.chargeback import By, ByLabel, Row, kinds_of, rows_of
from inference_cost.account.focus import COLUMNS, focus_rows
from inference_cost.account.ledger.lines import Kind
from inference_cost.cli import rendering
from inference_cost.cli.ago import Times, times_of
from inference_cost.cli.backtest.options import HistoryOptions
from inference_cost.cli.chargeback.output import Output
from inference_cost.cli.csv_text import as_csv
from inference_cost.cli.failure import CommandError, usage
from inference_cost.cli.prometheus import prometheus_settings
from inference_cost.model.reading import Missing
from inference_cost.observe.prometheus_client import PrometheusReader
from inference_cost.observe.recorded_spending import Spending, read_spending


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`namespace`: that one alone; "" for all, and what is nobody's."""

    history: HistoryOptions
    by: By | ByLabel
    currency: str
    account: str
    namespace: str = ""


def show(asked: Asked, output: Output) -> None:
    """Print it; what is not in the amounts goes to stderr, too.

    Raises:
        CommandError: Prometheus cannot be asked, or has nothing of that time.
    """
    if not asked.account:
        raise usage("--account must not be empty: FOCUS asks for a billing account")
    times = times_of(asked.history.since, asked.history.until, time.time())
    found = read(asked.history, times, asked.currency)
    spending = within(found, asked.namespace)
    if not spending.spent:
        known = ", ".join(sorted({one.namespace for one in found.spent} - {""}))
        raise CommandError(
            f"nothing is recorded of namespace {asked.namespace} in {asked.currency} in that time;"
            f" there is of {known or 'none, only what pools cost by themselves'}"
        )
    for missed in spending.missed:
        typer.echo(f"note: {missed}", err=True)
    if output is Output.FOCUS:
        rows = focus_rows(
            spending.spent, currency=asked.currency, account=asked.account, missed=spending.missed
        )
        typer.echo(as_csv(list(rows), COLUMNS), nl=False)
        return
    shown = rows_of(spending.spent, asked.by, spending.missed)
    if output is Output.CSV:
        cells = [csv_cells(row, shown, asked, times) for row in shown]
        typer.echo(as_csv(cells, list(cells[0]) if cells else [asked.by.value]), nl=False)
    elif output is Output.JSON:
        typer.echo(rendering.as_json(to_json(shown, asked, times, spending)))
    elif output is Output.YAML:
        typer.echo(rendering.as_yaml(to_json(shown, asked, times, spending)))
    else:
        table = table_cells(shown, asked.by)
        typer.echo(rendering.table(wider(table, shown) if output is Output.WIDE else table))
        typer.echo(f"{asked.currency}, {time_text(times.begin)} to {time_text(times.end)}")


def read(history: HistoryOptions, times: Times, currency: str) -> Spending:
    """Raises CommandError: Prometheus cannot be asked, or has nothing of that time."""
    settings = prometheus_settings(history.access)
    reader = PrometheusReader(settings)
    try:
        found = asyncio.run(
            read_spending(reader, settings, begin=times.begin, end=times.end, currency=currency)
        )
    finally:
        reader.close()
    if isinstance(found, Missing):
        raise CommandError(f"{settings.url}: {found.detail}")
    if not found.spent:
        raise CommandError(
            f"{settings.url} has no inference_cost_policy_cost_total in {currency} in that time; does it scrape the"
            " operator, and are --prometheus-matchers and --currency right?"
        )
    return found


def within(spending: Spending, namespace: str) -> Spending:
    """Of one namespace, without what is nobody's; all of it where none is named."""
    if not namespace:
        return spending
    return Spending(
        spent=tuple(one for one in spending.spent if one.namespace == namespace),
        missed=tuple(one for one in spending.missed if one.namespace == namespace),
    )


def table_cells(rows: Sequence[Row], by: By | ByLabel) -> list[dict[str, str]]:
    """With a last row of totals."""
    kinds = kinds_of(rows)
    sums = {kind: sum((_cell(row, kind) for row in rows), Decimal(0)) for kind in kinds}
    shown = [
        {by.value: row.name}
        | {kind.value: f"{_cell(row, kind):f}" for kind in kinds}
        | {"total": f"{row.total:f}"}
        for row in rows
    ]
    total = {by.value: "total"} | {kind.value: f"{sums[kind]:f}" for kind in kinds}
    return [*shown, total | {"total": f"{sum(sums.values(), Decimal(0)):f}"}]


def wider(table: Sequence[dict[str, str]], rows: Sequence[Row]) -> list[dict[str, str]]:
    """With each row's share, and how many notes there are of what it lacks."""
    whole = sum((row.total for row in rows), Decimal(0))
    shares = [f"{100 * row.total / whole:.1f}%" if whole else "" for row in rows]
    lacks = [str(len(row.missed)) for row in rows]
    ends = zip([*shares, ""], [*lacks, ""], strict=True)
    return [
        cells | {"share": share, "notes": notes}
        for cells, (share, notes) in zip(table, ends, strict=True)
    ]


def csv_cells(row: Row, rows: Sequence[Row], asked: Asked, times: Times) -> dict[str, str]:
    return (
        {asked.by.value: row.name}
        | {kind.value: f"{_cell(row, kind):f}" for kind in kinds_of(rows)}
        | {"total": f"{row.total:f}", "currency": asked.currency}
        | {"from": time_text(times.begin), "to": time_text(times.end)}
        | {"incomplete": "; ".join(map(str, row.missed))}
    )


def to_json(
    rows: Sequence[Row], asked: Asked, times: Times, spending: Spending
) -> dict[str, object]:
    return {
        "by": asked.by.value,
        "currency": asked.currency,
        "from": time_text(times.begin),
        "to": time_text(times.end),
        "rows": [
            {
                "name": row.name,
                "lines": {kind.value: f"{amount:f}" for kind, amount in row.cells},
                "total": f"{row.total:f}",
                "incomplete": [str(missed) for missed in row.missed],
            }
            for row in rows
        ],
        "total": f"{sum((row.total for row in rows), Decimal(0)):f}",
        "notes": [str(missed) for missed in spending.missed],
    }


def _cell(row: Row, kind: Kind) -> Decimal:
    return dict(row.cells).get(kind, Decimal("0.00"))
