"""`kubectl inference-cost pools`: which pools the operator sees, and what their nodes cost."""

from typing import Annotated

import typer

from inference_cost.cli.cluster import connect
from inference_cost.cli.failure import usage
from inference_cost.cli.options import Context, Kubeconfig
from inference_cost.cli.pools.output import Output


def pools(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also nodes without a GPU.")] = False,
    currency: Annotated[
        str, typer.Option(help="The installation's currency (Helm value `settings.currency`).")
    ] = "USD",
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", help="Those that its pods run on. Default: all."),
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="All pools: the default.")
    ] = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the output.")
    ] = Output.TEXT,
) -> None:
    """List the pools of GPU nodes; -o yaml prints the inferred ones as CapacityPools.

    Prices are those of CapacityPools and list prices. What the operator reads of Karpenter and
    OpenCost goes before list prices.
    """
    from inference_cost.cli.pools.listing import show  # noqa: PLC0415 - slow to import

    if everywhere and namespace is not None:
        raise usage("give -n NAMESPACE or -A, not both")
    cluster = connect(kubeconfig, context)
    show(cluster, every=every, currency=currency, namespace=namespace, output=output)
