"""What was spent as a table, JSON, CSV or FOCUS rows."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import typer

from inference_cost.account.chargeback import By, Row, kinds_of, rows_of
from inference_cost.account.focus import focus_rows
from inference_cost.account.ledger.lines import Kind
from inference_cost.cli import rendering
from inference_cost.cli.ago import moment
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
    history: HistoryOptions
    by: By
    currency: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Epoch seconds."""

    begin: float
    end: float


def show(asked: Asked, output: Output) -> None:
    """Print it; what is not in the amounts goes to stderr.

    Raises:
        CommandError: Prometheus cannot be asked, or has nothing of that time.
    """
    if not asked.account:
        raise usage("--account must not be empty: FOCUS asks for a billing account")
    window = window_of(asked.history, time.time())
    spending = read(asked.history, window, asked.currency)
    for note in spending.notes:
        typer.echo(f"note: {note}", err=True)
    if output is Output.FOCUS:
        rows = list(focus_rows(spending.spent, currency=asked.currency, account=asked.account))
        typer.echo(as_csv(rows, list(rows[0]) if rows else []), nl=False)
        return
    rows_shown = rows_of(spending.spent, asked.by)
    if output is Output.CSV:
        cells = [csv_cells(row, rows_shown, asked, window) for row in rows_shown]
        typer.echo(as_csv(cells, list(cells[0])), nl=False)
    elif output is Output.JSON:
        typer.echo(rendering.as_json(to_json(rows_shown, asked, window, spending.notes)))
    else:
        typer.echo(rendering.table(table_cells(rows_shown, asked.by)))
        typer.echo(f"{asked.currency}, {_time(window.begin)} to {_time(window.end)}")


def window_of(history: HistoryOptions, now: float) -> Window:
    """Raises CommandError: the end is not after the beginning, or in the future."""
    begin, end = moment(history.since, "--since", now), moment(history.until, "--until", now)
    if end > now:
        raise usage(f"--until {history.until} is in the future")
    if end - begin < 1:
        raise usage(f"--since {history.since} must be before --until {history.until}")
    return Window(begin=begin, end=end)


def read(history: HistoryOptions, window: Window, currency: str) -> Spending:
    """Raises CommandError: Prometheus cannot be asked, or has nothing of that time."""
    settings = prometheus_settings(history.access)
    reader = PrometheusReader(settings)
    try:
        found = asyncio.run(
            read_spending(reader, settings, begin=window.begin, end=window.end, currency=currency)
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


def table_cells(rows: Sequence[Row], by: By) -> list[dict[str, str]]:
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


def csv_cells(row: Row, rows: Sequence[Row], asked: Asked, window: Window) -> dict[str, str]:
    return (
        {asked.by.value: row.name}
        | {kind.value: f"{_cell(row, kind):f}" for kind in kinds_of(rows)}
        | {"total": f"{row.total:f}", "currency": asked.currency}
        | {"from": _time(window.begin), "to": _time(window.end)}
    )


def to_json(
    rows: Sequence[Row], asked: Asked, window: Window, notes: Sequence[str]
) -> dict[str, object]:
    return {
        "by": asked.by.value,
        "currency": asked.currency,
        "from": _time(window.begin),
        "to": _time(window.end),
        "rows": [
            {
                "name": row.name,
                "lines": {kind.value: f"{amount:f}" for kind, amount in row.cells},
                "total": f"{row.total:f}",
            }
            for row in rows
        ],
        "total": f"{sum((row.total for row in rows), Decimal(0)):f}",
        "notes": list(notes),
    }


def _cell(row: Row, kind: Kind) -> Decimal:
    return dict(row.cells).get(kind, Decimal("0.00"))


def _time(at: float) -> str:
    return datetime.fromtimestamp(round(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
