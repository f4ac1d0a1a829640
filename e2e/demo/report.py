"""One HTML page about a demo run, with nothing to load from elsewhere."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from e2e.demo.charts import cost_chart, latency_chart, load_chart, replicas_chart
from e2e.demo.recording import Recording, ScaleEvent
from e2e.demo.static_fleet import StaticFleet
from e2e.demo.summary import Summary, SummarySettings
from inference_cost.cli.page import shell

STYLE_FILE = Path(__file__).with_name("report.css")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """`load_description`: one line on trace, day, length, factor and seed."""

    recording: Recording
    settings: SummarySettings
    summary: Summary
    static_fleet: StaticFleet
    capacity_per_replica: float  # requests per second in full batches
    load_description: str


def write_report(path: Path, given: ReportInput) -> None:
    path.write_text(render_report(given), encoding="utf-8")


def render_report(given: ReportInput) -> str:
    """The whole page."""
    charts = (
        load_chart(given.recording, given.settings, given.capacity_per_replica),
        latency_chart(given.recording, given.settings),
        replicas_chart(given.recording, given.settings),
        cost_chart(given.recording, given.settings),
    )
    body = (
        f"{_head(given)}{_tiles(given)}{''.join(chart.render() for chart in charts)}"
        f"{_events(given.recording.scale_events)}{_notes(given)}"
    )
    styles = [shell.chart_style(), STYLE_FILE.read_text(encoding="utf-8")]
    return shell.page("inference-cost-operator: demo run", body, styles=styles)


def _head(given: ReportInput) -> str:
    objective = given.settings.objective_milliseconds
    within, saving = given.summary["attainmentPercent"], given.summary["savingPercent"]
    costs = f"{saving:.0f} % less" if saving >= 0 else f"{-saving:.0f} % more"
    return (
        f"<header><h1>{within:.2f} % of requests within {objective:g} ms, at {costs} cost than a "
        f"static fleet</h1><p>{escape(given.load_description)}</p></header>"
    )


def _tiles(given: ReportInput) -> str:
    summary = given.summary
    count = f"{summary['late']:,} late of {summary['requests']:,} requests"
    seconds = f"{summary['replicaSeconds']:,.0f} replica-seconds"
    static = f"{summary['staticReplicas']} replicas, {summary['staticReplicaSeconds']:,.0f} s"
    tiles = (
        ("Within the objective", f"{summary['attainmentPercent']:.2f} %", count),
        ("Latency p99", f"{summary['p99Milliseconds']:.0f} ms", _median(summary)),
        ("GPU nodes cost", f"${summary['costDollars']:.4f}", seconds),
        ("Static fleet costs", f"${summary['staticCostDollars']:.4f}", static),
    )
    return "".join(
        [
            '<section class="tiles">',
            *(f"<div><span>{a}</span><b>{b}</b><small>{c}</small></div>" for a, b, c in tiles),
            "</section>",
        ]
    )


def _median(summary: Summary) -> str:
    return f"p50 {summary['p50Milliseconds']:.0f} ms"


def _events(events: tuple[ScaleEvent, ...]) -> str:
    if not events:
        return "<h2>Scale events</h2><p>None.</p>"
    rows = "".join(
        f"<tr><td>{number}</td><td>{event.t_s:.0f} s</td>"
        f"<td>{event.before} → {event.after}</td><td>{escape(event.reason)}</td></tr>"
        for number, event in enumerate(events, start=1)
    )
    return (
        '<h2>Scale events and their reasons</h2><div class="scroll"><table><thead><tr><th>#</th><th>at</th>'
        f"<th>replicas</th><th>why</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _notes(given: ReportInput) -> str:
    settings, fleet = given.settings, given.static_fleet
    tried = ", ".join(
        f"{c.replicas}: {c.measured_fraction:.2%} ({c.whole_fraction:.2%})"
        for c in fleet.candidates
    )
    notes = (
        (
            f"Latencies are the client's, counted from the scheduled send time, for requests sent from "
            f"second {settings.measured_from_seconds:g} of the load on. Errors and timeouts are late."
        ),
        (
            f"Cost is GPU-node lifetimes within the load phase × their price, boot and idle time "
            f"included. A node of the static fleet costs ${settings.static_dollars_per_hour} per hour."
        ),
        (
            f"The static fleet is the smallest constant number of replicas whose replay of the same "
            f"arrivals (seed {fleet.seed}) keeps 99 % within the objective: "
            f"{fleet.measured_replicas} from second {settings.measured_from_seconds:g} on, "
            f"{fleet.whole_replicas} over the whole load, which is the figure used. "
            f"Share by replicas, whole load in parentheses: {tried}."
        ),
    )
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<h2>How this was measured</h2><ul>{items}</ul>"
