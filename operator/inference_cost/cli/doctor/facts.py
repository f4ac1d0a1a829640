"""What the checks go by: the cluster as it was read, without a judgment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inference_cost.cli.listing import Unread
from inference_cost.cli.scan.autoscalers import Autoscaler
from inference_cost.cli.scan.workloads import PodName, WorkloadKey
from inference_cost.observe.fields import mapping, sequence
from inference_cost.observe.kinds import SCALE_TARGET_KINDS, WatchedKind

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """A verb on a resource; `group` "" is the core's. Of all namespaces and objects unless one is named."""

    group: str
    resource: str  # with its subresource, as `deployments/scale`
    verb: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        one = f" {self.name}" if self.name else ""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {resource}{one}{where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """Kinds of ours that the API server knows. `schemas`: by plural, of the served version; None where unread."""

    installed: frozenset[str]
    schemas: Mapping[str, Object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One installation. `settings`: its file, None where it cannot be read. `rights`: those of its account."""

    namespace: str
    name: str
    version: str
    replicas: int
    ready: int
    account: str
    settings: Object | None
    rights: Mapping[Right, bool] | Unread = field(default_factory=dict)

    def setting(self, section: str, name: str) -> Any:
        """None where it is not set, or the settings are not known."""
        return mapping(mapping(self.settings).get(section)).get(name)

    @property
    def more_kinds(self) -> tuple[WatchedKind, ...]:
        """Kinds beside Deployment and StatefulSet that policies may name."""
        told = sequence(self.setting("cluster", "scale_targets"))
        return tuple(
            WatchedKind(
                kind=str(one["kind"]),
                group=str(one["group"]),
                version=str(one["version"]),
                plural=str(one["plural"]),
                optional=True,
                scale_target=True,
            )
            for one in told
            if {"kind", "group", "version", "plural"} <= one.keys()
        )

    @property
    def enforces(self) -> bool | None:
        """Its global switch; None where its settings are not known."""
        if self.settings is None:
            return None
        return bool(self.setting("enforce", "enabled"))

    @property
    def prometheus_url(self) -> str | None:
        if self.settings is None:
            return None
        return str(self.setting("prometheus", "url") or "")

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What a Prometheus has of Triton. `series`: by pod, how often its busiest model is there.

    `scraped_as`: by pod, the targets that give it, as job and instance. `operator_ages`: seconds since the newest
    sample of each series that says that a replica of the operator runs. `renamed`: its series whose `namespace` was
    pushed aside by that of the scraped pod.
    """

    url: str
    families: frozenset[str]
    scrape_seconds: float | None
    series: Mapping[PodName, int]
    scraped_as: Mapping[PodName, tuple[str, ...]] = field(default_factory=dict)
    operator_ages: tuple[float, ...] = ()
    renamed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A workload of a policy, and what else is about it. `workload`: None where it is not there, or not read."""

    policy: str
    mode: str
    key: WorkloadKey
    conditions: Mapping[str, Object] = field(default_factory=dict)
    workload: Object | None = None
    ready_pods: tuple[str, ...] = ()
    autoscaler: Autoscaler = field(default_factory=Autoscaler)
    budgets: tuple[Object, ...] = ()
    node_pools: tuple[Object, ...] = ()  # Karpenter's, of the nodes that its pods are on

    def __str__(self) -> str:
        return f"{self.key.namespace}/{self.key.kind}/{self.key.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`version`: of this command. `own_schemas`: of the kinds it was built with, by plural.

    `own_rights`: those of who runs it. `warm_pools`: CapacityPools that ask for nodes kept ready,
    with their strategy.
    """

    version: str
    own_schemas: Mapping[str, Object]
    definitions: Definitions
    operators: tuple[Operator, ...]
    own_rights: Mapping[Right, bool]
    metrics: Metrics | Unread
    targets: tuple[Target, ...]
    warm_pools: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()

    @property
    def scalable(self) -> frozenset[str] | None:
        """Kinds that an installation scales; None where none tells."""
        known = [one for one in self.operators if one.settings is not None]
        if not known:
            return None
        kinds = (kind for one in known for kind in (*SCALE_TARGET_KINDS, *one.more_kinds))
        return frozenset(kind.kind for kind in kinds)
