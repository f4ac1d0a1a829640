"""`kubectl inference-cost savings`: what policies saved against their baselines."""

from typing import Annotated

import typer

from inference_cost.cli.backtest.command import PrometheusUrl
from inference_cost.cli.backtest.options import HistoryOptions
from inference_cost.cli.cluster import connect
from inference_cost.cli.failure import usage
from inference_cost.cli.options import (
    CaFile,
    Context,
    Everywhere,
    HeaderFiles,
    Kubeconfig,
    Matchers,
    Namespace,
    TokenFile,
)
from inference_cost.cli.savings.output import Output


def savings(
    *,
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Begin: -30d, -36h and the like, or an RFC 3339 time; from Prometheus. Default: this month, from the"
            " statuses.",
        ),
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="End, with --since. Default: now.")
    ] = "now",
    currency: Annotated[
        str, typer.Option(help="The installation's currency (Helm value `settings.currency`).")
    ] = "USD",
    prometheus_url: PrometheusUrl = "",
    prometheus_bearer_token_file: TokenFile = "",
    prometheus_header_file: HeaderFiles = None,
    prometheus_ca_file: CaFile = "",
    prometheus_matchers: Matchers = "",
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the output.")
    ] = Output.TABLE,
) -> None:
    """List what was saved, both sides at the same objective; -o wide tells what is assumed.

    Policies in Recommend show what their decisions would have saved.
    """
    from inference_cost.cli.savings import counted, listing  # noqa: PLC0415 - slow to import

    if bool(since) != bool(prometheus_url):
        raise usage("--since and --prometheus-url go together: the past is read from a Prometheus")
    cluster = connect(kubeconfig, context)
    policies = cluster.policies(namespace, everywhere=everywhere)
    if not since:
        listing.show(policies, output)
        return
    history = HistoryOptions(
        since=since,
        until=until,
        url=prometheus_url,
        bearer_token_file=prometheus_bearer_token_file,
        header_files=tuple(prometheus_header_file or ()),
        ca_file=prometheus_ca_file,
        matchers=prometheus_matchers,
    )
    asked = counted.Asked(
        history=history,
        currency=currency,
        namespace="" if everywhere else namespace or cluster.namespace,
    )
    counted.show(policies, asked, output)
