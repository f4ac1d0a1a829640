"""What the cluster says now of policies, pools and events. What may not be read is a gap, and stops nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError
from inference_cost.cli.report.document import Gap
from inference_cost.cli.report.recorded import Policy

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One namespace, or all; what pools cost by themselves is of all alone."""

    namespace: str
    everywhere: bool

    def has(self, policy: Policy) -> bool:
        namespace, _ = policy
        return self.everywhere or namespace == self.namespace

    @property
    def words(self) -> str:
        return "all" if self.everywhere else self.namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    policies: Mapping[Policy, Object]
    pools: Mapping[str, Object]
    events: tuple[Object, ...]
    gaps: tuple[Gap, ...]


def look(cluster: Cluster, scope: Scope) -> Seen:
    """Raises CommandError: policies cannot be read."""
    policies = cluster.policies(scope.namespace, everywhere=scope.everywhere)
    gaps: list[Gap] = []
    pools = _or_gap(cluster.capacity_pools, "declared pools and their prices", gaps)
    events = _or_gap(
        lambda: cluster.events(scope.namespace, everywhere=scope.everywhere),
        "events: what was decided and happened",
        gaps,
    )
    return Seen(
        policies={_key(one): one for one in policies},
        pools={one["metadata"]["name"]: one for one in pools},
        events=tuple(events),
        gaps=tuple(gaps),
    )


def _key(policy: Object) -> Policy:
    metadata = policy["metadata"]
    return metadata["namespace"], metadata["name"]


def _or_gap(
    ask: Callable[[], list[dict[str, Any]]], what: str, gaps: list[Gap]
) -> list[dict[str, Any]]:
    try:
        return ask()
    except CommandError as error:
        why, _, fix = str(error).partition(": ask for ")
        ask_for = f"Ask for {fix}." if fix else "See to it, and try again."
        gaps.append(Gap(what=what, why=why, fix=ask_for))
        return []
