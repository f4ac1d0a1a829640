"""`kubectl inference-cost backtest`: its options. What it needs is imported when it runs."""

from importlib.util import find_spec
from typing import Annotated

import typer

from inference_cost.cli.backtest import options as given
from inference_cost.cli.backtest.options import FidelityOption, Output, RoutingOption
from inference_cost.cli.failure import CommandError, ExitCode
from inference_cost.cli.options import CaFile, Context, HeaderFiles, Kubeconfig, Matchers, TokenFile

NEEDED = ("numba", "numpy")
ONE_DAY = 86_400.0
FILES, TRAFFIC, SERVERS = "Objects", "Traffic", "Servers"

Files = Annotated[
    list[str],
    typer.Option(
        "--filename",
        "-f",
        metavar="FILE",
        help="YAML with the InferenceCostPolicy, and CapacityPools and InferenceCostCheckpoints where there are"
        " any; `-` is stdin. May be given several times.",
    ),
]
Arrivals = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="CSV, plain or gzip: t_s,count at any fixed width; or t_s without count, one row per request; or"
        " policy,t_s,count for many policies.",
    ),
]
Column = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Column with the counts, if not `count`; t_s: each row is a request."
    ),
]
RateColumn = Annotated[
    str, typer.Option(metavar="NAME", help="Column with requests/s in place of counts.")
]
Since = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Arrivals from Prometheus history in place of a file: since -7d, -36h, or an RFC 3339 time.",
    ),
]
Until = Annotated[
    str, typer.Option("--to", metavar="TIME", help="End of the history. Default: now.")
]
PrometheusUrl = Annotated[
    str, typer.Option(metavar="URL", help="Prometheus or a compatible store, path prefix included.")
]
HistoryStep = Annotated[
    float,
    typer.Option(
        min=2, max=3600, help="Width of a bin of history; two scrapes must fit into twice of it."
    ),
]
FillGaps = Annotated[
    float,
    typer.Option(
        min=0, max=ONE_DAY, help="Longest gap of the history to fill on a straight line. 0: none."
    ),
]
Profile = Annotated[
    str,
    typer.Option(
        metavar="KEY=VALUE,…",
        help="Service times of a replica: fixedMilliseconds=1.6,perItemMilliseconds=3.8,maxBatch=16"
        "[,queueDelayMicroseconds=0][,instances=1][,queuePolicy=false]. Else from the policy's"
        " InferenceCostCheckpoint, in -f or in the cluster.",
    ),
]
Price = Annotated[
    str | None,
    typer.Option(
        metavar="DOLLARS", help="Assumed price, where -f has no CapacityPool for it. Default: 1.00."
    ),
]
MeanReplicas = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=5000,
        help="Stretch service times and SLO by one factor so that so many replicas, each at the largest load"
        " that meets the SLO, carry the mean rate.",
    ),
]
StartSeconds = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=ONE_DAY,
        help=f"From order of a replica to ready. Default: {given.START_SECONDS:g}.",
    ),
]
StartFile = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="CSV with start times to draw from: a column seconds, start_seconds, load_s or load_ms.",
    ),
]
MetricLag = Annotated[
    float, typer.Option(min=0, max=3600, help="Age of the newest sample when it is read.")
]
Scrape = Annotated[float, typer.Option(min=1, max=3600, help="Between two scrapes.")]
Missing = Annotated[float, typer.Option(min=0, max=100, help="Share of the scrapes that fail.")]
Drain = Annotated[
    float, typer.Option(min=0, max=ONE_DAY, help="From removal of a replica to its end, paid for.")
]
MinimumBilling = Annotated[
    float, typer.Option(min=0, max=ONE_DAY, help="A replica is paid for at least so long.")
]
SpotAvailability = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="CSV: t_s and a column of 0 and 1 per zone, named as the zones of the spot CapacityPool's"
        " offerings.",
    ),
]
Notice = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=3600,
        help=f"Warning before a spot node is taken away. Default: {given.NOTICE_SECONDS:g}.",
    ),
]
Against = Annotated[
    list[str],
    typer.Option(
        metavar="NAMES",
        help=f"Baselines, separated by commas, or none: {', '.join(given.AUTOSCALERS)}; for spot:"
        f" {', '.join(given.SPOT_RULES)}.",
    ),
]
Tuned = Annotated[
    bool,
    typer.Option(
        "--tuned",
        help="Each baseline also at the knob that is cheapest in hindsight on this traffic.",
    ),
]
Bound = Annotated[bool, typer.Option("--bound", help="The cheapest possible, knowing the future.")]
ExcludeFirst = Annotated[
    float, typer.Option(min=0, max=30 * ONE_DAY, help="Time at the start that does not count.")
]
Fidelity = Annotated[
    FidelityOption, typer.Option(help="A fast model in steps, or every request on its own.")
]
Routing = Annotated[
    RoutingOption | None,
    typer.Option(help="How requests find a replica. Default: as the policy's spec.routing says."),
]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed, the same result.")]
Jobs = Annotated[
    int, typer.Option(min=0, max=1024, help="Processes at once. 0: one for each core.")
]
Scheduler = Annotated[
    str,
    typer.Option(metavar="ADDRESS", help="Dask scheduler (tcp://…) to spread policies over."),
]
NoTimings = Annotated[
    bool,
    typer.Option("--no-timings", help="Leave out what a clock measured: same run, same bytes."),
]
OutputForm = Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")]
OutputFile = Annotated[
    str, typer.Option("--output-file", "-O", metavar="FILE", help="Write there, not to stdout.")
]
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Of objects that name none. Default: `default`."),
]


def backtest(
    *,
    filename: Files,
    arrivals: Arrivals = "",
    column: Column = "",
    rate_column: RateColumn = "",
    since: Since = "",
    until: Until = "",
    prometheus_url: PrometheusUrl = "",
    prometheus_bearer_token_file: TokenFile = "",
    prometheus_header_file: HeaderFiles = None,
    prometheus_ca_file: CaFile = "",
    prometheus_matchers: Matchers = "",
    history_step_seconds: HistoryStep = 30.0,
    fill_gaps_seconds: FillGaps = 0.0,
    profile: Profile = "",
    price_per_replica_hour: Price = None,
    mean_replicas: MeanReplicas = None,
    start_seconds: StartSeconds = None,
    start_file: StartFile = "",
    metric_lag_seconds: MetricLag = 10.0,
    scrape_seconds: Scrape = 15.0,
    missing_percent: Missing = 0.0,
    drain_seconds: Drain = 30.0,
    minimum_billing_seconds: MinimumBilling = 0.0,
    spot_availability: SpotAvailability = "",
    notice_seconds: Notice = None,
    against: Against = [given.DEFAULT_AGAINST],  # noqa: B006 - only read
    tuned: Tuned = False,
    bound: Bound = False,
    exclude_first_seconds: ExcludeFirst = 600.0,
    fidelity: Fidelity = FidelityOption.STEP,
    routing: Routing = None,
    seed: Seed = 0,
    jobs: Jobs = 0,
    scheduler: Scheduler = "",
    no_timings: NoTimings = False,
    output: OutputForm = Output.TABLE,
    output_file: OutputFile = "",
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Replay traffic: what a policy would have cost, beside other autoscalers and the cheapest possible.

    Nothing in the cluster is touched. Exit code 0 when it ran, whatever came out.
    """
    chosen = given.Options(
        files=tuple(filename),
        arrivals=arrivals,
        column=column,
        rate_column=rate_column,
        history=given.HistoryOptions(
            since=since,
            until=until,
            url=prometheus_url,
            bearer_token_file=prometheus_bearer_token_file,
            header_files=tuple(prometheus_header_file or ()),
            ca_file=prometheus_ca_file,
            matchers=prometheus_matchers,
            step_seconds=history_step_seconds,
            fill_gaps_seconds=fill_gaps_seconds,
        ),
        cluster=given.ClusterOptions(namespace=namespace, context=context, kubeconfig=kubeconfig),
        profile=profile,
        price_per_replica_hour=None
        if price_per_replica_hour is None
        else given.parse_price(price_per_replica_hour),
        mean_replicas=mean_replicas,
        start_seconds=start_seconds,
        start_file=start_file,
        metric_lag_seconds=metric_lag_seconds,
        scrape_seconds=scrape_seconds,
        missing_percent=missing_percent,
        drain_seconds=drain_seconds,
        minimum_billing_seconds=minimum_billing_seconds,
        spot_availability=spot_availability,
        notice_seconds=notice_seconds,
        against=given.parse_against(against),
        tuned=tuned,
        bound=bound,
        exclude_first_seconds=exclude_first_seconds,
        fidelity=fidelity,
        routing=routing,
        seed=seed,
        jobs=jobs,
        scheduler=scheduler,
        timings=not no_timings,
        output=output,
        output_file=output_file,
    )
    given.check(chosen)
    _run(chosen)


def _run(chosen: given.Options) -> None:
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        raise CommandError(f"backtest needs {' and '.join(absent)}: pip install {' '.join(absent)}")
    try:
        from inference_cost.cli.backtest.run import run  # noqa: PLC0415 - needs the extra

        run(chosen)
    except KeyboardInterrupt:
        raise CommandError("interrupted; nothing was written", ExitCode.INTERRUPTED) from None
