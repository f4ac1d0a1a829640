"""Checks of the operator's own series: without them there is no history to show, to charge or to alarm by."""

from collections.abc import Iterator, Sequence
from typing import Final

from inference_cost.cli.doctor.facts import Metrics, Operator
from inference_cost.cli.doctor.findings import Area, Finding, Level

STALE_SECONDS: Final = 120.0
SCRAPE: Final = (
    "helm upgrade --reuse-values --set metrics.podMonitor.enabled=true, with the labels that your Prometheus selects, "
    "or scrape /metrics on port http of its pods with honor_labels"
)


def check(metrics: Metrics, operators: Sequence[Operator]) -> Iterator[Finding]:
    """Without a replica that is ready nothing is to be scraped, which is told elsewhere."""
    ready, most = sum(one.ready for one in operators), sum(one.replicas for one in operators)
    if ready:
        level, message, fix = _replicas(metrics.operator_ages, ready, most)
        yield Finding(level=level, area=Area.METRICS, subject=metrics.url, message=message, fix=fix)
    if metrics.renamed:
        yield Finding(
            level=Level.WARNING,
            area=Area.METRICS,
            subject=metrics.url,
            message=f"{metrics.renamed} of the operator's series have their namespace in exported_namespace: "
            "dashboards, alerts and recording rules take them for the operator's own namespace",
            fix="set honorLabels: true (honor_labels) for the target of the operator",
        )


def _replicas(ages: Sequence[float], ready: int, most: int) -> tuple[Level, str, str]:
    """Level, message and fix. `ages`: seconds, of each series that says that a replica runs, ready or not."""
    fresh = sum(age <= STALE_SECONDS for age in ages)
    if not ages:
        return (
            Level.WARNING,
            "it has no series of the operator: report, chargeback, dashboards and alerts have nothing to go by",
            SCRAPE,
        )
    if not fresh:
        return (
            Level.WARNING,
            f"its newest sample of the operator is {min(ages):.0f} s old: it is no longer scraped",
            f"look at the target's error in Prometheus; {SCRAPE}",
        )
    if fresh < ready:
        return (
            Level.WARNING,
            f"it scrapes {fresh} of {ready} ready replicas of the operator: when another one leads, its series end",
            "scrape each pod (metrics.podMonitor), not one address",
        )
    if fresh > most:
        return (
            Level.WARNING,
            f"it has {fresh} series of {most} replicas of the operator: sums over its metrics are too high",
            "enable one of metrics.podMonitor and metrics.serviceMonitor; deduplicate replicas of Prometheus",
        )
    return Level.OK, f"it scrapes all {ready} ready replicas of the operator", ""
