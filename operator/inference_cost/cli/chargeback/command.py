"""`kubectl inference-cost chargeback`: who pays what, from the totals that the operator exported."""

from typing import Annotated

import typer

from inference_cost.cli.backtest.command import PrometheusUrl
from inference_cost.cli.backtest.options import HistoryOptions
from inference_cost.cli.chargeback.output import Output
from inference_cost.cli.cluster import connect
from inference_cost.cli.options import (
    CaFile,
    Context,
    Everywhere,
    HeaderFiles,
    Kubeconfig,
    Matchers,
    TokenFile,
)

SinceOption = Annotated[
    str,
    typer.Option(
        "--since", metavar="TIME", help="Begin: -30d, -36h and the like, or an RFC 3339 time."
    ),
]
CurrencyOption = Annotated[
    str, typer.Option(help="The installation's currency (Helm value `settings.currency`).")
]


def chargeback(
    *,
    by: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="What rows are: cost-center, namespace, policy, variant, pool, capacity-type, or label:KEY, a label of"
            " the policies as the cluster has them now.",
        ),
    ] = "cost-center",
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace", "-n", help="One namespace alone; default: all, and pools' own cost."
        ),
    ] = None,
    everywhere: Everywhere = False,
    since: SinceOption = "-30d",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="End. Default: now.")
    ] = "now",
    currency: CurrencyOption = "USD",
    account: Annotated[
        str, typer.Option(help="BillingAccountId of the rows of -o focus.")
    ] = "kubernetes",
    prometheus_url: PrometheusUrl,
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
    """Charge what replicas cost to cost centers, namespaces, labels, policies or pools; what nobody used is nobody's.

    -o focus prints rows of FOCUS 1.2. Amounts are in cents and add up.
    """
    from inference_cost.cli.chargeback.grouping import grouping_of  # noqa: PLC0415 - slow to import
    from inference_cost.cli.chargeback.listing import Asked, show  # noqa: PLC0415

    history = HistoryOptions(
        since=since,
        until=until,
        url=prometheus_url,
        bearer_token_file=prometheus_bearer_token_file,
        header_files=tuple(prometheus_header_file or ()),
        ca_file=prometheus_ca_file,
        matchers=prometheus_matchers,
    )
    one = "" if everywhere else namespace or ""
    asked = Asked(
        history=history,
        by=grouping_of(
            by, lambda: connect(kubeconfig, context).policies(one or None, everywhere=not one)
        ),
        currency=currency,
        account=account,
        namespace=one,
    )
    show(asked, output)
