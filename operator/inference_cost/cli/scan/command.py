"""`kubectl inference-cost scan`: its options. What it needs is imported when it runs."""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated

import typer

from inference_cost.cli.ago import seconds_ago
from inference_cost.cli.failure import usage
from inference_cost.cli.options import CaFile, Context, HeaderFiles, Kubeconfig, Matchers, TokenFile
from inference_cost.cli.prometheus_access import PrometheusAccess


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    HTML = "html"
    YAML = "yaml"


def scan(
    *,
    prometheus_url: Annotated[
        str,
        typer.Option(metavar="URL", help="Prometheus or a compatible store, path prefix included."),
    ] = "",
    prometheus_service: Annotated[
        str,
        typer.Option(
            metavar="NAMESPACE/NAME:PORT",
            help="Service to reach by kubectl's port-forward. Default: one that looks like a Prometheus.",
        ),
    ] = "",
    prometheus_bearer_token_file: TokenFile = "",
    prometheus_header_file: HeaderFiles = None,
    prometheus_ca_file: CaFile = "",
    prometheus_matchers: Matchers = "",
    since: Annotated[
        str, typer.Option("--from", metavar="AGO", help="How much history to replay, such as -7d.")
    ] = "-7d",
    threshold_milliseconds: Annotated[
        int | None,
        typer.Option(min=1, help="Latency objective of workloads without a policy; else assumed."),
    ] = None,
    target: Annotated[
        str, typer.Option(metavar="PERCENT", help="Share of the requests within it.")
    ] = "99.0",
    price_per_node_hour: Annotated[
        str, typer.Option(metavar="AMOUNT", help="Assumed price, where none is known.")
    ] = "",
    currency: Annotated[
        str, typer.Option(help="Currency of CapacityPools, and of all amounts.")
    ] = "USD",
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")] = (
        Output.TABLE
    ),
    output_file: Annotated[
        str, typer.Option("--output-file", "-O", metavar="FILE", help="Write there, not to stdout.")
    ] = "",
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", help="One namespace. Default: all that you may read."),
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="All that you may read: the default.")
    ] = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """What Triton's GPUs cost here, how busy they are, and what a policy would save. Nothing needs to be installed.

    Reads only, with the rights of `view`; what it may not read it names, with the fix.
    """
    seconds = seconds_ago(since, "--from")
    price = _price(price_per_node_hour)
    if everywhere and namespace is not None:
        raise usage("give -n NAMESPACE or -A, not both")
    _check_target(target)
    from inference_cost.cli.backtest import output_file as files  # noqa: PLC0415 - slow to import
    from inference_cost.cli.cluster import connect  # noqa: PLC0415
    from inference_cost.cli.listing import Where  # noqa: PLC0415
    from inference_cost.cli.scan import render  # noqa: PLC0415
    from inference_cost.cli.scan.amounts import Amounts  # noqa: PLC0415
    from inference_cost.cli.scan.inspection import Wanted  # noqa: PLC0415
    from inference_cost.cli.scan.port_forward import for_kubectl  # noqa: PLC0415
    from inference_cost.cli.scan.run import ScanOptions  # noqa: PLC0415
    from inference_cost.cli.scan.run import scan as look  # noqa: PLC0415

    files.require_writable(output_file)
    cluster = connect(kubeconfig, context)
    options = ScanOptions(
        where=Where(namespace=namespace or cluster.namespace, everywhere=namespace is None),
        access=PrometheusAccess(
            url=prometheus_url,
            bearer_token_file=prometheus_bearer_token_file,
            header_files=tuple(prometheus_header_file or ()),
            ca_file=prometheus_ca_file,
            matchers=prometheus_matchers,
        ),
        service=prometheus_service,
        forward=for_kubectl(kubeconfig, context),
        seconds=seconds,
        wanted=Wanted(
            threshold_milliseconds=threshold_milliseconds,
            target=target,
            amounts=Amounts(currency),
        ),
        price_per_node_hour=price,
        currency=currency,
    )
    files.write(
        render.to_text(look(cluster, options), output, to_file=bool(output_file)), output_file
    )


def _price(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(0)
    if not price.is_finite() or price <= 0:
        raise usage(f"--price-per-node-hour must be a number above 0, not {text!r}")
    return price


def _check_target(text: str) -> None:
    try:
        percent = Decimal(text)
    except InvalidOperation:
        percent = Decimal(0)
    if not 50 <= percent < 100:  # noqa: PLR2004 - as the API has it
        raise usage(f"--target must be a percentage from 50 to below 100, not {text!r}")
