"""What the command line asked for, checked as far as it can be without reading a file. Light to import."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from inference_cost.cli.failure import usage
from inference_cost.cli.prometheus_access import PrometheusAccess

AUTOSCALERS = (
    "hpa",
    "keda",
    "kpa",
    "kpa-rps",
    "wva",
    "wva-chart",
    "wva-saturation",
    "wva-saturation-chart",
    "llmd-slo",
    "static",
    "static99",
)
OWN_PLACEMENTS = ("priced", "survive-largest-zone")  # of the replicas that ours orders
SPOT_RULES = (*OWN_PLACEMENTS, "spothedge", "on-demand-only", "one-zone", "half-half")
LEAST_PRICE, HIGHEST_PRICE = Decimal("0.000001"), Decimal(999_999_999_999)
PRICE, START_SECONDS, NOTICE_SECONDS, UNTIL = Decimal("1.00"), 180.0, 120.0, "now"
HISTORY_STEP_SECONDS = 30.0
DEFAULT_AGAINST = "hpa,keda,kpa-rps,wva,llmd-slo,static,static99"


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    HTML = "html"
    CSV = "csv"


class FidelityOption(StrEnum):
    STEP = "step"
    REQUEST = "request"


class RoutingOption(StrEnum):
    RANDOM = "random"
    LEAST_REQUEST = "least-request"
    STICKY = "sticky"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions:
    """Arrivals from Prometheus. Secrets are in files, as for the operator."""

    since: str = ""  # "" where arrivals come from a file
    until: str = ""  # "": now
    url: str = ""
    bearer_token_file: str = ""
    header_files: tuple[str, ...] = ()  # NAME=FILE
    ca_file: str = ""
    matchers: str = ""
    step_seconds: float = HISTORY_STEP_SECONDS
    fill_gaps_seconds: float = 0.0

    @property
    def access(self) -> PrometheusAccess:
        return PrometheusAccess(
            url=self.url,
            bearer_token_file=self.bearer_token_file,
            header_files=self.header_files,
            ca_file=self.ca_file,
            matchers=self.matchers,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One backtest as asked for. Times in seconds; None where the option was not given."""

    files: tuple[str, ...]
    arrivals: str = ""
    column: str = ""
    rate_column: str = ""
    history: HistoryOptions = HistoryOptions()
    cluster: ClusterOptions = ClusterOptions()
    profile: str = ""
    price_per_replica_hour: Decimal | None = None  # None: PRICE
    mean_replicas: float | None = None
    start_seconds: float | None = None  # None: START_SECONDS
    start_file: str = ""
    metric_lag_seconds: float = 10.0
    scrape_seconds: float = 15.0
    missing_percent: float = 0.0
    drain_seconds: float = 30.0
    minimum_billing_seconds: float = 0.0
    exclude_first_seconds: float = 600.0
    spot_availability: str = ""
    notice_seconds: float | None = None  # None: NOTICE_SECONDS
    against: tuple[str, ...] = ()
    tuned: bool = False
    bound: bool = False
    fidelity: FidelityOption = FidelityOption.STEP
    routing: RoutingOption | None = None  # None: as the policy says
    seed: int = 0
    jobs: int = 0  # 0: all cores
    scheduler: str = ""
    timings: bool = True
    output: Output = Output.TABLE
    output_file: str = ""


def check(options: Options) -> None:
    """Whether the options make sense together.

    Raises:
        CommandError: with the exit code of wrong usage.
    """
    history = options.history
    if bool(options.arrivals) == bool(history.since):
        raise usage("give either --arrivals FILE, or --from with --prometheus-url")
    if history.since and not history.url:
        raise usage("--from reads the history of a Prometheus: give its --prometheus-url")
    if history.url and not history.since:
        raise usage("--prometheus-url needs --from, for example --from -7d")
    _check_source(options)
    if options.start_file and options.start_seconds is not None:
        raise usage("--start-seconds (the same for all) and --start-file exclude each other")
    if options.column and options.rate_column:
        raise usage("--column (counts per row) and --rate-column (requests/s) exclude each other")
    spot = [name for name in options.against if name in SPOT_RULES]
    if spot and not options.spot_availability:
        raise usage(f"--against {spot[0]} needs --spot-availability and a spot CapacityPool in -f")


def _check_source(options: Options) -> None:
    """Options of the other source of arrivals would go unnoticed."""
    history = options.history
    if history.since and (options.column or options.rate_column):
        raise usage("--column and --rate-column are of --arrivals, and exclude --from")
    given = {
        "--to": history.until,
        "--prometheus-bearer-token-file": history.bearer_token_file,
        "--prometheus-header-file": history.header_files,
        "--prometheus-ca-file": history.ca_file,
        "--prometheus-matchers": history.matchers,
        "--history-step-seconds": history.step_seconds != HISTORY_STEP_SECONDS,
        "--fill-gaps-seconds": history.fill_gaps_seconds,
    }
    alone = [name for name, value in given.items() if value and not history.since]
    if alone:
        raise usage(f"{alone[0]} is of --from, and excludes --arrivals")


def parse_against(given: Iterable[str]) -> tuple[str, ...]:
    """Names of baselines, separated by commas; `none` for none. Each once, in the order of first mention.

    Raises:
        CommandError: a name is unknown.
    """
    names = [name.strip() for part in given for name in part.split(",")]
    chosen = dict.fromkeys(name for name in names if name not in {"", "none"})
    for name in chosen:
        if name not in (*AUTOSCALERS, *SPOT_RULES):
            known = ", ".join((*AUTOSCALERS, *SPOT_RULES))
            raise usage(f"--against {name}: is not one of {known}")
    return tuple(chosen)


def parse_price(text: str) -> Decimal:
    """A price above zero, of the size that `perNodeHour` of a CapacityPool may have.

    Raises:
        CommandError: it is none.
    """
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(0)
    if not price.is_finite() or not LEAST_PRICE <= price <= HIGHEST_PRICE:
        raise usage(
            f"--price-per-replica-hour must be a number above 0 (from {LEAST_PRICE} to {HIGHEST_PRICE:,}), not "
            f"{text!r}"
        )
    return price


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
