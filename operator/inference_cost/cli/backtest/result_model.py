"""The JSON of a backtest. The schema in `docs/reference/backtest.schema.json` is made from these classes.

Numbers are rounded and money is text of four decimals, so that the same run gives the same bytes. What a clock
measured is under `timings` alone.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SCHEMA_VERSION: Final = 1

Dollars = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]{4}$", description="US dollars.")]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[float, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]


class Part(BaseModel):
    """Camel-case names; docstrings become descriptions."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="ignore",  # fields may be added within a version: the schema must not refuse them
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class Hours(Part):
    """Hours of replicas that were paid for."""

    on_demand: Count
    spot: Count
    warm: Count


class Run(Part):
    """One controller on the traffic. The first `inputs.parameters.excludeFirstSeconds` do not count."""

    name: str
    """Name of the policy for ours, else of the baseline as in `--against`."""
    kind: Literal["ours", "baseline"]
    knob: str
    """"default: …" or "tuned: …", or the number of constant replicas; empty where there is nothing to set."""
    cost_dollars: Dollars
    replica_hours: Hours
    attainment_percent: Percent
    """Share of the requests that met the objective's threshold."""
    worst_day_percent: Percent
    worst_hour_percent: Percent
    requests: Count
    late: Count
    """Requests that missed the threshold, dropped ones included."""
    dropped: Count
    starts: Annotated[int, Field(ge=0)]
    """Replicas that were started."""
    scale_events: Annotated[int, Field(ge=0)]
    """Changes of the number of replicas that were written."""
    ratio_to_bound: Annotated[float, Field(ge=0)] | None
    """Cost as a multiple of the bound's, for spot rules of the bound with spot; null without `--bound`."""
    ratio_bound: Literal["bound", "spotBound"] | None
    """The bound that `ratioToBound` is of."""
    meets_objective: bool
    notes: tuple[str, ...]


class Bound(Part):
    """What no controller can beat at the objective's share of late requests, even knowing the future."""

    cost_dollars: Dollars
    attainment_percent: Percent
    duality_gap_dollars: Dollars
    """The true minimum is at most so much above the bound."""


class TrafficSummary(Part):
    seconds: Seconds
    requests: Count
    mean_rate: Count
    """Requests per second."""
    peak_rate: Count
    """Requests per second of the busiest bin."""


class Objective(Part):
    """As in the policy, before any stretching."""

    threshold_milliseconds: Annotated[float, Field(gt=0)]
    target_percent: Percent


class ProfileInput(Part):
    """One replica, before any stretching."""

    fixed_milliseconds: Count
    per_item_milliseconds: Count
    max_batch: Annotated[int, Field(ge=1)]
    queue_delay_microseconds: Count
    instances: Annotated[int, Field(ge=1)]
    queue_policy: bool
    source: str


class PriceInput(Part):
    per_replica_hour: Dollars
    source: str
    """"assumed", or the CapacityPool."""
    origin: str


class FileInput(Part):
    role: str
    name: str
    """Without its folder."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HistoryInput(Part):
    url: str
    query: str
    from_time: Annotated[float, Field(description="Epoch seconds.")]
    to_time: Annotated[float, Field(description="Epoch seconds.")]
    filled_seconds: Seconds
    """Gaps that were filled because `--fill-gaps-seconds` allows it."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the counts, as little-endian 64-bit floats."""


class ArrivalsInput(Part):
    form: Literal["counts", "rates", "requests", "history"]
    column: str
    width_seconds: Annotated[float, Field(gt=0)]
    origin_seconds: float
    """Time in the source that is second 0 of the run."""
    history: HistoryInput | None


class Parameters(Part):
    """The options, by their names on the command line; null where one is not used."""

    mean_replicas: float | None
    start_seconds: Seconds | None
    """Null with `--start-file`."""
    start_samples: Annotated[int, Field(ge=0)]
    metric_lag_seconds: Seconds
    scrape_seconds: Seconds
    tick_seconds: Seconds
    missing_percent: Percent
    drain_seconds: Seconds
    minimum_billing_seconds: Seconds
    exclude_first_seconds: Seconds
    notice_seconds: Seconds | None
    """Null without spot."""
    against: tuple[str, ...]
    tuned: bool
    bound: bool
    fidelity: Literal["step", "request"]


class PolicyInputs(Part):
    """What belongs to one policy."""

    objective: Objective
    min_replicas: Annotated[int, Field(ge=0)]
    max_replicas: Annotated[int, Field(ge=1)]
    routing: Literal["random", "least-request", "sticky"]
    profile: ProfileInput
    price: PriceInput
    stretch: Annotated[float, Field(gt=0)]
    """Factor on service times and threshold (`--mean-replicas`); 1 without."""
    spot_zones: tuple[str, ...]
    arrivals: ArrivalsInput


class RunInputs(Part):
    """What all policies of a run share."""

    versions: dict[str, str]
    files: tuple[FileInput, ...]
    parameters: Parameters
    assumptions: tuple[str, ...]


class Inputs(RunInputs, PolicyInputs):
    """All that went in, so that the run can be repeated exactly."""


class RunTiming(Part):
    policy: str
    name: str
    knob: str
    seconds: Seconds
    decide_milliseconds_median: Count | None


class Timings(Part):
    """Wall clock. Left out with `--no-timings`."""

    read_seconds: Seconds
    simulate_seconds: Seconds
    runs: tuple[RunTiming, ...]


class Document(Part):
    """A backtest of one policy."""

    schema_version: Literal[1]
    policy: str
    """Namespace and name."""
    summary: str
    seed: int
    inputs: Inputs
    traffic: TrafficSummary
    policies: tuple[Run, ...]
    """Ours first, then the baselines."""
    bound: Bound | None
    spot_bound: Bound | None
    """Where spot may be used as well: what `ratioToBound` of spot rules is measured by."""
    notes: tuple[str, ...]
    """What to know beside the figures; empty where there is nothing."""
    timings: Timings | None = None


class PolicyResult(Part):
    """One policy of a fleet."""

    policy: str
    summary: str
    inputs: PolicyInputs
    traffic: TrafficSummary
    policies: tuple[Run, ...]
    bound: Bound | None
    spot_bound: Bound | None
    notes: tuple[str, ...]


class Totals(Part):
    """All policies together. A worst day or hour is the worst of any policy."""

    policies: tuple[Run, ...]
    """Ours under the name "ours"; a knob is "default", "tuned" or empty, for each policy has its own."""
    bound: Bound | None
    spot_bound: Bound | None


class FleetDocument(Part):
    """A backtest of many policies."""

    schema_version: Literal[1]
    summary: str
    seed: int
    inputs: RunInputs
    results: tuple[PolicyResult, ...]
    totals: Totals
    notes: tuple[str, ...]
    """Those of the policies, each with their names, and of the whole run."""
    timings: Timings | None = None


def to_json(document: Document | FleetDocument) -> str:
    """The same bytes for the same document; keys in the order of the classes."""
    without = {"timings"} if document.timings is None else None
    return document.model_dump_json(by_alias=True, indent=2, exclude=without) + "\n"
