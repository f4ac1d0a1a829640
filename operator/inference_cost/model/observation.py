"""The frozen view of the world that one tick decides on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from inference_cost.model.policy import Policy, PolicyKey
from inference_cost.model.reading import Missing
from inference_cost.model.signals import ModelConfiguration, Signals
from inference_cost.model.warm import WarmPool
from inference_cost.model.workload import Conflict, Node, NoWorkload, Pool, Stranger, Workload

STALE_SCRAPES = 3
LEAST_STALE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyObservation:
    """All that is known about one policy. `workloads` are in the order of `policy.variants`."""

    policy: Policy
    workloads: tuple[Workload | NoWorkload, ...]
    signals: Signals | Missing
    configurations: tuple[ModelConfiguration, ...] | Missing
    conflict: Conflict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRefusal:
    """A policy that cannot be followed. `field`: path in the object; `message` says what to do."""

    key: PolicyKey
    generation: int
    field: str
    message: str
    internal: bool = False  # a fault of the operator rather than of the spec


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSettings:
    """Installation-wide numbers of the decision, from the settings model."""

    tick_seconds: float = 15.0
    rate_window_seconds: float = 60.0  # width of the counters' window
    start_up_seconds_prior: float = 180.0  # order to ready, until learned from pods
    slo_window_seconds: float = 300.0  # over which attainment is measured
    fleet_guard_min_policies: int = 10
    fleet_guard_min_replicas: int = 50
    fleet_guard_removal_fraction: float = 0.10  # of all managed replicas per period
    fleet_guard_period_seconds: float = 600.0
    fleet_guard_freeze_fraction: float = 1 / 3  # of the policies asking to go in …
    fleet_guard_freeze_drop: float = 0.30  # … by more than this share …
    fleet_guard_freeze_seconds: float = 120.0  # … within this time
    upgrade_hold_seconds: float = 600.0  # scale-out only after an upgrade
    scale_in_order: bool = False  # pods are marked that are to go first


def stale_after_seconds(window_seconds: float, scrape_seconds: float) -> float:
    """Age from which a pod's newest sample says nothing any more: three scrapes in a row without one.

    A window of the counters that is longer than usual is there for a store that tells late; it gives as much more time.
    """
    patience = max(STALE_SCRAPES * scrape_seconds, LEAST_STALE_SECONDS)
    return patience + max(window_seconds - DecisionSettings().rate_window_seconds, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One tick's input. `at`: epoch seconds. `enforce_enabled` False turns every policy to Recommend."""

    at: float
    observations: tuple[PolicyObservation, ...]
    nodes: Mapping[str, Node] = field(default_factory=lambda: MappingProxyType({}))
    pools: Mapping[str, Pool] = field(default_factory=lambda: MappingProxyType({}))  # declared ones
    warm: Mapping[str, WarmPool] = field(default_factory=lambda: MappingProxyType({}))  # by pool
    strangers: Mapping[str, tuple[Stranger, ...]] = field(  # by node, those with GPUs
        default_factory=lambda: MappingProxyType({})
    )
    enforce_enabled: bool = True
    upgraded_at: float | None = (
        None  # when this version took over from another one; None on a first install
    )
    settings: DecisionSettings = DecisionSettings()
    refusals: tuple[PolicyRefusal, ...] = ()
