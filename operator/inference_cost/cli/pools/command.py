"""`kubectl inference-cost pools`: which pools the operator sees, and what their nodes cost."""

from typing import Annotated

import typer

from inference_cost.cli.cluster import connect
from inference_cost.cli.options import Context, Kubeconfig
from inference_cost.cli.pools.output import Output


def pools(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also nodes without a GPU.")] = False,
    currency: Annotated[
        str, typer.Option(help="The installation's currency (Helm value `settings.currency`).")
    ] = "USD",
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

    show(connect(kubeconfig, context), every=every, currency=currency, output=output)
