"""What the checks go by: the cluster as it was read, without a judgment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inference_cost.cli.listing import Unread
from inference_cost.cli.scan.autoscalers import Autoscaler
from inference_cost.cli.scan.workloads import PodName, WorkloadKey

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """A verb on a resource of all namespaces; `group` "" is the core's."""

    group: str
    resource: str  # with its subresource, as `deployments/scale`
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}"


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
    rights: Mapping[Right, bool] | Unread

    @property
    def enforces(self) -> bool | None:
        """Its global switch; None where its settings are not known."""
        if self.settings is None:
            return None
        return bool((self.settings.get("enforce") or {}).get("enabled"))

    @property
    def prometheus_url(self) -> str | None:
        if self.settings is None:
            return None
        return str((self.settings.get("prometheus") or {}).get("url") or "")

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What a Prometheus has of Triton. `series`: by pod, how often its busiest model is there."""

    url: str
    families: frozenset[str]
    scrape_seconds: float | None
    series: Mapping[PodName, int]


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

    `own_rights`: those of who runs it.
    """

    version: str
    own_schemas: Mapping[str, Object]
    definitions: Definitions
    operators: tuple[Operator, ...]
    own_rights: Mapping[Right, bool]
    metrics: Metrics | Unread
    targets: tuple[Target, ...]
    unread: tuple[Unread, ...] = ()
