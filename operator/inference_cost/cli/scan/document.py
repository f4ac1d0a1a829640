"""What `scan` found: the one document that table, JSON, page and objects are made from.

Money is text with two decimals. What is not known is null and named in `unknown`, `unread` or `unpriced`.
"""

from typing import Annotated, Final

from pydantic import Field

from inference_cost.cli.document_part import Part

SCHEMA_VERSION: Final = 1

Money = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2}$")]


class Unknown(Part):
    """Something that cannot be said, why, and what would change that."""

    what: str
    why: str
    fix: str


class PoolRow(Part):
    """Nodes of one accelerator and one capacity type. `gpus_requested`: null where not all pods may be listed."""

    name: str
    capacity_type: str
    gpu_product: str
    nodes: int
    gpus: int
    gpus_requested: int | None
    per_hour: Money | None
    idle_per_hour: Money | None
    priced: str


class AutoscalerPart(Part):
    """`kind` is "none" where nothing scales the workload. `traps`: what its rule does that is easily overlooked."""

    kind: str
    name: str
    rule: str
    min_replicas: int | None
    max_replicas: int | None
    paused: bool
    traps: tuple[str, ...]


class ObjectivePart(Part):
    """Both sides of a comparison are held against this. `source`: who says so."""

    threshold_milliseconds: float
    target_percent: float
    source: str


class Side(Part):
    """One of two on the same traffic. `mean_replicas`: paid for."""

    per_hour: Money | None
    mean_replicas: float
    attained_percent: float
    meets_objective: bool


class SavingPart(Part):
    """What the policy changes, per month of 730 hours, in whole nodes.

    `per_month` is positive where it costs less; null without a price, or where it is none at the same objective.
    `error`: half of the 95 % interval; null where there are fewer than two whole days, which tell of none.
    `at_best_per_month`: where those replicas go that leave a node empty; known where `per_month` is, and not claimed.
    `worthwhile`: a saving that is larger than its error; never without one. Changes are negative where there is less:
    `replica_hours_percent` of those paid for, `node_cost_percent` of what their nodes cost (of node-hours, where no
    price is known), which has the error `error_percent`.
    """

    per_month: Money | None
    error: Money | None
    at_best_per_month: Money | None
    worthwhile: bool
    replica_hours_percent: float
    node_cost_percent: float
    error_percent: float | None
    hours: float
    objective: ObjectivePart
    today: Side
    policy: Side
    assumptions: tuple[str, ...]


class WorkloadPart(Part):
    """A workload that runs Triton. Shares in percent of the time of its pods."""

    namespace: str
    kind: str
    name: str
    replicas: int
    ready: int
    gpus: int
    gpu_products: tuple[str, ...]
    models: tuple[str, ...]
    per_hour: Money | None
    priced: str
    """Where the prices of its nodes are from; empty where none is known."""
    busy_percent: float | None
    waste_per_hour: Money | None
    autoscaler: AutoscalerPart
    verdict: str
    saving: SavingPart | None
    unknown: tuple[Unknown, ...]
    policy: str
    """The InferenceCostPolicy to apply, as YAML; empty where none can be suggested."""


class Totals(Part):
    """Sums of what is known, null where nothing is.

    `unpriced` workloads are in none of them, `unmeasured` ones not in `waste_per_hour`. Savings: of those that are
    worthwhile.
    """

    per_hour: Money | None
    waste_per_hour: Money | None
    saving_per_month: Money | None
    saving_error: Money | None
    unpriced: tuple[str, ...]
    unmeasured: tuple[str, ...]


class ScanDocument(Part):
    schema_version: int = SCHEMA_VERSION
    at: str
    currency: str
    namespaces: str
    prometheus: str
    """Where traffic was read from; empty where there is none."""
    pools: tuple[PoolRow, ...]
    workloads: tuple[WorkloadPart, ...]
    totals: Totals
    unread: tuple[Unknown, ...]
    summary: str
