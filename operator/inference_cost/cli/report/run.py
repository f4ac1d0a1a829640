"""Ask, build, render."""

from dataclasses import dataclass

from inference_cost.cli import rendering
from inference_cost.cli.ago import Times
from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError
from inference_cost.cli.prometheus import Prometheus
from inference_cost.cli.report.build import Asked, build
from inference_cost.cli.report.document import ReportDocument
from inference_cost.cli.report.page import to_page
from inference_cost.cli.report.returning import Inputs
from inference_cost.cli.report.seen import Scope, look
from inference_cost.cli.report.series import read, scrape_seconds
from inference_cost.cli.report.window import window_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`at`: now, epoch seconds."""

    at: float
    times: Times
    scope: Scope
    currency: str
    inputs: Inputs


def write_report(prometheus: Prometheus, cluster: Cluster, wanted: Wanted, *, as_json: bool) -> str:
    """The report as text.

    Raises:
        CommandError: Prometheus or the API server cannot be asked, or nothing is recorded.
    """
    document = report_of(prometheus, cluster, wanted)
    if as_json:
        return rendering.as_json(document.model_dump(mode="json", by_alias=True)) + "\n"
    return to_page(document)


def report_of(prometheus: Prometheus, cluster: Cluster, wanted: Wanted) -> ReportDocument:
    window = window_of(wanted.times, scrape_seconds(prometheus, wanted.times.end))
    recorded = read(prometheus, window, wanted.currency)
    if not recorded.lines:
        raise CommandError(
            f"{prometheus.settings.url} has no inference_cost_policy_cost_total in {wanted.currency} in that time;"
            " does it scrape the operator, and are --prometheus-matchers and --currency right?"
        )
    asked = Asked(
        at=wanted.at,
        window=window,
        scope=wanted.scope,
        currency=wanted.currency,
        prometheus=prometheus.settings.url,
        inputs=wanted.inputs,
    )
    return build(asked, recorded, look(cluster, wanted.scope))
