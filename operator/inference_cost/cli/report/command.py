"""`kubectl inference-cost report`: its options. What it needs is imported when it runs."""

import time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any

import typer

from inference_cost.advise.ownership import energy_per_month
from inference_cost.advise.returns import Investment
from inference_cost.advise.sensitivity import Circumstances
from inference_cost.cli.backtest.command import PrometheusUrl
from inference_cost.cli.failure import CommandError, usage
from inference_cost.cli.options import (
    CaFile,
    Context,
    HeaderFiles,
    Kubeconfig,
    Matchers,
    Namespace,
    TokenFile,
)
from inference_cost.cli.prometheus_access import PrometheusAccess

LARGEST = Decimal("1e15")
DECIMALS = 6


class Output(StrEnum):
    HTML = "html"
    JSON = "json"


def _money(name: str, told: str) -> Any:
    return typer.Option(f"--{name}", metavar="AMOUNT", help=told)


def _range(name: str, told: str) -> Any:
    return typer.Option(f"--{name}", metavar="LOW:HIGH", help=told)


def report(
    *,
    since: Annotated[
        str,
        typer.Option("--since", metavar="TIME", help="Begin: -30d, -36h, or an RFC 3339 time."),
    ] = "-30d",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="End. Default: now.")
    ] = "now",
    prometheus_url: PrometheusUrl = "",
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
    currency: Annotated[
        str, typer.Option(help="The installation's currency (Helm value `settings.currency`).")
    ] = "USD",
    implementation_cost: Annotated[
        str, _money("implementation-cost", "Once, to bring the policies in.")
    ] = "",
    running_cost: Annotated[
        str, _money("running-cost", "Per month, to run the operator and its policies.")
    ] = "",
    storage: Annotated[str, _money("storage", "Per month, of the service.")] = "",
    network: Annotated[str, _money("network", "Per month, of the service.")] = "",
    energy: Annotated[str, _money("energy", "Per month, where nodes are your own.")] = "",
    watts: Annotated[
        str, _money("watts", "Mean draw of your own nodes, in place of --energy.")
    ] = "",
    price_per_kilowatt_hour: Annotated[
        str, _money("price-per-kilowatt-hour", "Of the grid, with --watts.")
    ] = "",
    usage_effectiveness: Annotated[
        str, _money("usage-effectiveness", "PUE of the building, with --watts.")
    ] = "1",
    licences: Annotated[str, _money("licences", "Per month, of the service.")] = "",
    staff: Annotated[str, _money("staff", "Per month, of the service.")] = "",
    months: Annotated[int, typer.Option(min=1, max=600, help="Looked ahead.")] = 36,
    discount_percent: Annotated[
        str, _money("discount-percent", "Per year, for the present value.")
    ] = "0",
    traffic_range: Annotated[
        str, _range("traffic-range", "Traffic to come ÷ traffic seen.")
    ] = "0.7:1.3",
    price_range: Annotated[str, _range("price-range", "Prices to come ÷ prices now.")] = "0.8:1.1",
    efficacy_range: Annotated[
        str, _range("efficacy-range", "Share of the saving that goes on.")
    ] = "0.5:1.1",
    model_changes: Annotated[
        str, _range("model-changes", "Per year, more than in the time seen; few first.")
    ] = "0:24",
    learning_days: Annotated[
        str, _money("learning-days", "Days without a saving after each of these.")
    ] = "1",
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the output.")] = (
        Output.HTML
    ),
    output_file: Annotated[
        str, typer.Option("--output-file", "-O", metavar="FILE", help="Write there, not to stdout.")
    ] = "",
    namespace: Namespace = None,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="All namespaces, and pools' own cost.")
    ] = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write one page to forward: cost and savings over time, where the money goes, waste and what to do, returns.

    What is not known is named, with what would change that. Nothing is loaded from elsewhere. Reads only.
    """
    given = {
        "storage": storage,
        "network": network,
        "energy": _energy(energy, watts, price_per_kilowatt_hour, usage_effectiveness),
        "licences": licences,
        "staff": staff,
        "operator": running_cost,
    }
    traffic = _between("traffic-range", traffic_range)
    price = _between("price-range", price_range)
    efficacy = _between("efficacy-range", efficacy_range)
    few, many = _between("model-changes", model_changes)
    from inference_cost.cli.backtest import output_file as files  # noqa: PLC0415 - slow to import
    from inference_cost.cli.cluster import connect  # noqa: PLC0415
    from inference_cost.cli.listing import Where  # noqa: PLC0415
    from inference_cost.cli.report.returning import Inputs  # noqa: PLC0415
    from inference_cost.cli.report.run import Wanted, write_report  # noqa: PLC0415
    from inference_cost.cli.report.seen import Scope  # noqa: PLC0415
    from inference_cost.cli.report.window import report_times  # noqa: PLC0415
    from inference_cost.cli.scan.port_forward import for_kubectl  # noqa: PLC0415
    from inference_cost.cli.scan.source import Source, source_of  # noqa: PLC0415

    inputs = Inputs(
        investment=Investment(
            implementation=_amount("implementation-cost", implementation_cost or "0"),
            running_per_month=_amount("running-cost", running_cost or "0"),
            months=months,
            discount_per_year=_amount("discount-percent", discount_percent) / 100,
        ),
        implementation_given=bool(implementation_cost),
        given={name: _amount(name, text) for name, text in given.items() if text},
        worst=_circumstances(traffic[0], price[0], efficacy[0], many),
        best=_circumstances(traffic[1], price[1], efficacy[1], few),
        learning_days=_amount("learning-days", learning_days),
    )
    now = time.time()
    times = report_times(since, until, now)
    files.require_writable(output_file)
    access = PrometheusAccess(
        url=prometheus_url,
        bearer_token_file=prometheus_bearer_token_file,
        header_files=tuple(prometheus_header_file or ()),
        ca_file=prometheus_ca_file,
        matchers=prometheus_matchers,
    )
    cluster = connect(kubeconfig, context)
    scope = Scope(namespace=namespace or cluster.namespace, everywhere=everywhere)
    wanted = Wanted(at=now, times=times, scope=scope, currency=currency, inputs=inputs)
    where = Where(namespace=scope.namespace, everywhere=True)
    forward = for_kubectl(kubeconfig, context)
    with source_of(cluster, where, access, prometheus_service, forward) as source:
        if not isinstance(source, Source):
            raise CommandError(f"{source.why}; {source.fix}")
        as_json = output is Output.JSON
        text = write_report(source.prometheus, cluster, wanted, as_json=as_json)
    files.write(text, output_file)


def _amount(name: str, text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < LARGEST:
        raise usage(f"--{name} must be an amount of 0 or more, not {text!r}")
    rounded = round(amount, DECIMALS)
    return amount if amount == rounded else rounded  # as it was written, where nothing is lost


def _energy(given: str, watts: str, price: str, effectiveness: str) -> str:
    """Per month: as given, or reckoned from what nodes draw; empty where neither is known."""
    if not watts:
        return given
    if given:
        raise usage("--energy and --watts are two ways to tell the same: give one of them")
    if not price:
        raise usage("--watts needs the --price-per-kilowatt-hour")
    try:
        amount = energy_per_month(
            watts=_amount("watts", watts),
            price_per_kilowatt_hour=_amount("price-per-kilowatt-hour", price),
            usage_effectiveness=_amount("usage-effectiveness", effectiveness),
        )
    except ValueError as error:
        raise usage(f"--{str(error).replace('_', '-')}") from None
    return f"{amount:f}"


def _circumstances(
    traffic: Decimal, price: Decimal, efficacy: Decimal, changes: Decimal
) -> Circumstances:
    return Circumstances(
        traffic=traffic, price=price, efficacy=efficacy, model_changes_per_year=changes
    )


def _between(name: str, text: str) -> tuple[Decimal, Decimal]:
    low, colon, high = text.partition(":")
    if not colon:
        raise usage(f"--{name} must be LOW:HIGH, such as 0.7:1.3, not {text!r}")
    found = _amount(name, low), _amount(name, high)
    if found[0] > found[1]:
        raise usage(f"--{name} {text}: the first number must not be more than the second")
    return found
