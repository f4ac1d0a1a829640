"""The operator itself: does it lead, decide, read and write; what does it need."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from scripts.dashboards.parts import (
    BYTES,
    GREEN,
    ORANGE,
    RATE,
    SECONDS,
    Column,
    Panel,
    Query,
    board,
    laid_out,
    lines,
    number,
    rows,
    series,
    shown,
    total,
)


def per_second(name: str, by: str, **matchers: str) -> str:
    return total(by, f"rate({series(name, **matchers)}{RATE})")


def operator_health() -> Dashboard:
    dashboard = board("Operator", "inference-cost-operator", "Whether the operator itself is well.")
    return laid_out(
        dashboard,
        ("Now", _now()),
        ("Passes", _passes()),
        ("Reads and writes", _exchange()),
        ("Process", _process()),
    )


def _now() -> list[Panel]:
    return [
        number(
            "Leaders",
            "One leads; the others stand by.",
            Query(f"sum({series('leader')})", "leads"),
            bad_below=1,
        ),
        number(
            "Last pass",
            "Time since the leader completed one.",
            Query(shown("pass_age_seconds"), "ago"),
            unit=SECONDS,
            bad_from=120,
        ),
        number(
            "Tick",
            "From one pass to the next: the setting, or the scrape interval where that is longer.",
            Query(shown("pass_interval_seconds"), "every"),
            unit=SECONDS,
        ),
        number(
            "Enforcing",
            "Whether policies in mode Enforce are enforced.",
            Query(shown("enforce_enabled"), "enforcing"),
            names={"0": ("off", ORANGE), "1": ("on", GREEN)},
        ),
        number(
            "Cache",
            "Time since the cluster was last listed completely; the oldest of all replicas.",
            Query(f"max({series('cache_age_seconds')})", "old"),
            unit=SECONDS,
            bad_from=1200,
        ),
        number(
            "Writes that wait",
            "Statuses and checkpoints that wait for their turn.",
            Query(shown("pending_writes"), "wait"),
        ),
    ]


def _passes() -> list[Panel]:
    buckets = total("le, phase", f"rate({series('pass_duration_seconds_bucket')}{RATE})")
    spent = per_second("pass_duration_seconds_sum", "phase")
    passes = per_second("pass_duration_seconds_count", "phase")
    return [
        lines(
            "Time of a pass",
            "Mean, by phase.",
            Query(f"{spent} / {passes}", "{{phase}}"),
            unit=SECONDS,
            stacked=True,
        ),
        lines(
            "Slow passes",
            "95th percentile, by phase.",
            Query(f"histogram_quantile(0.95, {buckets})", "{{phase}}"),
            unit=SECONDS,
        ),
        lines(
            "What went wrong",
            "Per second: failures by phase, and passes longer than the tick.",
            Query(per_second("pass_failures_total", "phase"), "failed: {{phase}}"),
            Query(f"sum(rate({series('pass_overruns_total')}{RATE}))", "too long"),
        ),
        lines(
            "Decisions",
            "Per second, by action.",
            Query(per_second("decisions_total", "action"), "{{action}}"),
            stacked=True,
        ),
        lines(
            "Limited by",
            "Decisions per second, by what limited them.",
            Query(per_second("decisions_total", "limited_by"), "{{limited_by}}"),
            stacked=True,
        ),
        lines(
            "Orders to scale",
            "Per second, by what became of them.",
            Query(per_second("scale_orders_total", "outcome"), "{{outcome}}"),
        ),
    ]


def _exchange() -> list[Panel]:
    return [
        lines(
            "Reads of metrics",
            "Per second, by source and outcome.",
            Query(per_second("metric_reads_total", "source, outcome"), "{{source}}: {{outcome}}"),
        ),
        lines(
            "Writes",
            "Per second, by kind of object.",
            Query(per_second("api_writes_total", "kind"), "{{kind}}"),
        ),
        lines(
            "Writes that failed",
            "Per second, by kind and reason. No line: none failed since the start. Conflicts are mostly harmless.",
            Query(per_second("api_write_failures_total", "kind, reason"), "{{kind}}: {{reason}}"),
        ),
        lines(
            "Events not recorded",
            "Per second: over the limits, or refused.",
            Query(f"sum(rate({series('events_dropped_total')}{RATE}))", "dropped"),
        ),
        lines(
            "Waiting writes",
            "Statuses and checkpoints that wait for their turn.",
            Query(shown("pending_writes"), "wait"),
        ),
        lines(
            "Delay of the event loop",
            "The largest in half a minute.",
            Query(series("event_loop_lag_seconds"), "{{instance}}"),
            unit=SECONDS,
        ),
    ]


def _process() -> list[Panel]:
    ours = "and on (instance, job) inference_cost_build_info"
    return [
        lines(
            "CPU",
            "Cores in use.",
            Query(f"rate({series('process_cpu_seconds_total')}{RATE}) {ours}", "{{instance}}"),
        ),
        lines(
            "Memory",
            "Resident.",
            Query(f"{series('process_resident_memory_bytes')} {ours}", "{{instance}}"),
            unit=BYTES,
        ),
        rows(
            "Versions",
            "Replicas of the operator that are scraped.",
            Column("Replicas", f"count by (version) ({series('build_info')})"),
            wide=8,
        ),
    ]
