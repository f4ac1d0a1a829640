"""`kubectl inference-cost reconcile`: the ledger beside OpenCost's rules, or beside the cloud's bill."""

from typing import Annotated

import typer

from inference_cost.cli.cluster import connect
from inference_cost.cli.failure import usage
from inference_cost.cli.options import Context, Kubeconfig
from inference_cost.cli.reconcile.output import Output


def reconcile(
    *,
    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="TIME", help="Begin: -1h and the like, or an RFC 3339 time."
        ),
    ] = "-1h",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="End. Default: now.")
    ] = "now",
    focus: Annotated[
        str,
        typer.Option(metavar="FILE", help="CSV of a FOCUS export, 1.0 or later: compare with it."),
    ] = "",
    commitment: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POOL=NODES@PRICE",
            help="With --focus: so many nodes of a pool are paid for by contract, run or not, at this price per hour.",
        ),
    ] = None,
    currency: Annotated[
        str, typer.Option(help="The installation's currency (Helm value `settings.currency`).")
    ] = "USD",
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", help="Owners of one namespace. Default: all, and idle."),
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="All owners, and idle: the default.")
    ] = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the output.")
    ] = Output.TABLE,
) -> None:
    """Cost of the GPU nodes of today over a time: by OpenCost's rules, or as billed, beside ours, with the difference.

    Nodes and pods that went are not known. Prices are those of CapacityPools and list prices.
    """
    from inference_cost.cli.reconcile.listing import Asked, show  # noqa: PLC0415 - slow to import

    if everywhere and namespace is not None:
        raise usage("give -n NAMESPACE or -A, not both")
    if focus and namespace is not None:
        raise usage(
            "-n does not go with --focus: what is billed is nodes, which are of no namespace"
        )

    asked = Asked(
        since=since,
        until=until,
        focus=focus,
        currency=currency,
        commitments=tuple(commitment or ()),
        namespace=namespace,
    )
    show(connect(kubeconfig, context), asked, output)
