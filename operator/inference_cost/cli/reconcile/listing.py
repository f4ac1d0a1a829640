"""Comparisons as a table or JSON."""

import csv
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer

from inference_cost.account.calendar import time_text
from inference_cost.account.ledger.build import ledger
from inference_cost.account.ledger.commitments import Commitment
from inference_cost.account.ledger.history import History, Span
from inference_cost.account.ledger.lines import Ledger
from inference_cost.account.ledger.pieces import During
from inference_cost.account.reconcile.focus import Bill, FocusError, NodeBill, bill, parse
from inference_cost.account.reconcile.opencost import Compared, Comparison, Whose, compare
from inference_cost.cli import rendering
from inference_cost.cli.ago import times_of
from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError, ExitCode, usage
from inference_cost.cli.reconcile.history import Objects, history_of
from inference_cost.cli.reconcile.output import Output
from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.workload import Node

IDLE = "(idle)"
_COMMITMENT = re.compile(r"(.+)=(\d{1,6})@(\d{1,12}(?:\.\d{1,6})?)", re.ASCII)
_HEADS = {
    During.USE: "by-largest-share",
    During.BOOT: "node-boot",
    During.UNRECORDED: "unrecorded",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    since: str
    until: str
    focus: str
    currency: str
    commitments: tuple[str, ...] = ()  # POOL=NODES@PRICE
    namespace: str | None = None  # whose owners; None: all

    def shows(self, whose: Whose) -> bool:
        if self.namespace is None:
            return True
        return whose.policy is not None and whose.policy.namespace == self.namespace


def show(cluster: Cluster, asked: Asked, output: Output) -> None:
    """Print it; what is not known goes to stderr.

    Raises:
        CommandError: the cluster or the export cannot be read, or the time is none.
    """
    times = times_of(asked.since, asked.until, time.time())
    window = Span(begin=times.begin, end=times.end)
    found = Objects(
        policies=cluster.policies(None, everywhere=True),
        pools=cluster.capacity_pools(),
        nodes=cluster.nodes(),
        pods=cluster.pods(),
        deployments=cluster.workloads("deployments"),
        stateful_sets=cluster.workloads("statefulsets"),
    )
    history, identifiers = history_of(found, asked.currency)
    if not history.nodes:
        raise CommandError("there are no nodes with GPUs")
    commitments = commitments_of(asked, history, window)
    made = ledger(history, window, currency=asked.currency, commitments=commitments)
    for unknown in made.total.unpriced:
        typer.echo(f"note: not in these amounts: {unknown}", err=True)
    if asked.focus:
        _show_bill(made, identifiers, asked, output)
    else:
        _show_comparison(made, history, asked, output)


def commitments_of(asked: Asked, history: History, window: Span) -> list[Commitment]:
    """Raises CommandError: one is none, is of a pool that is not there, or there is no bill to compare with."""
    if asked.commitments and not asked.focus:
        raise usage("--commitment goes with --focus: OpenCost's rules know no contracts")
    pools = {life.node.pool: life.node for life in history.nodes}
    return [_commitment(text, asked.currency, pools, window) for text in asked.commitments]


def _commitment(text: str, currency: str, pools: Mapping[str, Node], window: Span) -> Commitment:
    found = _COMMITMENT.fullmatch(text)
    if found is None:
        raise usage(f"--commitment {text}: must be POOL=NODES@PRICE, such as l4=4@0.51")
    pool, nodes, price = found.groups()
    if pool not in pools:
        raise usage(
            f"--commitment {text}: there is no pool {pool}; there are {', '.join(sorted(pools))}"
        )
    per_hour = HourlyPrice(
        per_hour=Decimal(price),
        currency=currency,
        source=PriceSource.CAPACITY_POOL,
        as_of=window.begin,
        origin="--commitment",
    )
    return Commitment(
        pool=pool,
        capacity_type=pools[pool].capacity_type,
        nodes=int(nodes),
        node_price=per_hour,
        begin=window.begin,
        end=window.end,
    )


def _show_comparison(made: Ledger, history: History, asked: Asked, output: Output) -> None:
    comparison = compare(made, history)
    rows = tuple(one for one in comparison.rows if asked.shows(one.whose))
    if output is not Output.TABLE:
        typer.echo(_data(comparison_json(replace(comparison, rows=rows), made), output))
        return
    typer.echo(rendering.table(comparison_cells(rows)) or f"No owners in {asked.namespace}.")
    ours, theirs = (
        sum(amounts, Decimal(0)) for amounts in zip(*comparison.nodes.values(), strict=True)
    )
    typer.echo(
        f"{len(comparison.nodes)} nodes, {_span(made)}: {_money(ours)} {made.currency} by the ledger,"
        f" {_money(theirs)} by OpenCost's rules."
    )


def comparison_cells(rows: Sequence[Compared]) -> list[dict[str, str]]:
    return [
        {"owner": _name(one.whose), "ledger": _money(one.ours)}
        | {"opencost": _money(one.theirs.total), "gpu": _money(one.theirs.gpu)}
        | {"cpu": _money(one.theirs.cpu), "memory": _money(one.theirs.memory)}
        | {"difference": _money(one.difference)}
        | {_HEADS[during]: _money(amount) for during, amount in one.explained.items()}
        for one in rows
    ]


def comparison_json(found: Comparison, made: Ledger) -> dict[str, Any]:
    """All that the table has, and the nodes."""
    return {
        **_window_json(made),
        "owners": comparison_cells(found.rows),
        "nodes": [
            {"node": name, "ledger": _money(ours), "opencost": _money(theirs)}
            for name, (ours, theirs) in sorted(found.nodes.items())
        ],
        "notIncluded": list(found.unpriced),
    }


def _show_bill(made: Ledger, identifiers: dict[str, str], asked: Asked, output: Output) -> None:
    found = read_bill(made, identifiers, asked)
    unclear = [node for node in found.nodes if node.ambiguous]
    for node in unclear:
        typer.echo(
            f"note: {node.node}: several nodes or resources of the export are named {node.resource}: not compared",
            err=True,
        )
    if output is not Output.TABLE:
        told = {
            "nodes": [bill_cells(node) for node in found.nodes],
            "ambiguous": [node.node for node in unclear],
            "others": found.others,
            "unused": _money(made.unused),
        }
        typer.echo(_data({**_window_json(made), **told}, output))
        return
    typer.echo(rendering.table([bill_cells(node) for node in found.nodes]))
    ours, billed = found.compared
    error = f", error {_percent((ours - billed) / billed)}" if billed else ""
    typer.echo(
        f"{_span(made)}: {_money(ours)} {made.currency} by the ledger, {_money(billed)} billed{error}."
        f"{_unused(made)}"
        f" {sum(n.billed is None for n in found.nodes) - len(unclear)} nodes are not in the export,"
        f" {found.others} resources of it are none of these nodes."
    )


def _data(value: Mapping[str, Any], output: Output) -> str:
    return rendering.as_yaml(value) if output is Output.YAML else rendering.as_json(value)


def _unused(made: Ledger) -> str:
    if made.unused == 0:
        return ""
    return f" Commitments that nobody used: {_money(made.unused)}."


def read_bill(made: Ledger, identifiers: dict[str, str], asked: Asked) -> Bill:
    """Raises CommandError: the export cannot be read."""
    nodes = {name: (identifiers[name], cost) for name, cost in made.nodes.items()}
    try:
        with Path(asked.focus).open(encoding="utf-8-sig", newline="") as file:
            return bill(parse(file), nodes, made.window, asked.currency)
    except FileNotFoundError:
        raise CommandError(f"there is no file {asked.focus}", ExitCode.NOT_FOUND) from None
    except (OSError, UnicodeDecodeError, csv.Error, FocusError) as error:
        raise CommandError(f"--focus {asked.focus}: {error}") from None


def bill_cells(node: NodeBill) -> dict[str, str]:
    return {
        "node": node.node,
        "resource": node.resource,
        "ledger": _money(node.ours.amount),
        "billed": "" if node.billed is None else _money(node.billed),
        "list": "" if node.billed is None else _money(node.billed_listed),
        "difference": "" if node.difference is None else _money(node.difference),
        "error": "" if node.error is None else _percent(node.error),
    }


def _window_json(made: Ledger) -> dict[str, Any]:
    window = made.window
    return {"currency": made.currency, "from": time_text(window.begin), "to": time_text(window.end)}


def _name(whose: Whose) -> str:
    if whose.policy is not None:
        return str(whose.policy)
    return IDLE if whose.use is None else f"({whose.use.value})"


def _money(amount: Decimal) -> str:
    text = f"{amount:.4f}"
    return text if float(text) else "0.0000"  # no minus before nothing


def _percent(fraction: Decimal) -> str:
    return f"{100 * fraction:.2f}%"


def _span(made: Ledger) -> str:
    return f"{time_text(made.window.begin)} to {time_text(made.window.end)}"
