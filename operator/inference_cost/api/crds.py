"""The CustomResourceDefinition objects: schema, printer columns, names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from inference_cost.api.capacity_pool import CapacityPool
from inference_cost.api.checkpoint import InferenceCostCheckpoint
from inference_cost.api.group import CATEGORY, GROUP, VERSION, Names
from inference_cost.api.metadata import TopLevel
from inference_cost.api.policy import InferenceCostPolicy
from inference_cost.api.schema import top_level_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of `kubectl get`; `wide` ones appear with `-o wide` only."""

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False

    def to_object(self) -> dict[str, Any]:
        column = {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "jsonPath": self.path,
        }
        return column | {"priority": 1} if self.wide else column


def _condition(kind: str, part: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{part}'


AGE: Final = Column(
    name="Age",
    path=".metadata.creationTimestamp",
    type="date",
    description="Time since creation.",
)
POLICY_COLUMNS: Final = (
    Column(name="Target", path=".status.target", description="Workloads that are scaled."),
    Column(name="Mode", path=".spec.mode", description="Recommend or Enforce."),
    Column(
        name="Replicas",
        path=".status.replicas.current",
        type="integer",
        description="Replicas that the target asks for.",
    ),
    Column(
        name="Desired",
        path=".status.replicas.desired",
        type="integer",
        description="Replicas decided.",
    ),
    Column(name="SLO", path=".status.slo.state", description="Met, AtRisk, Violated or Unknown."),
    Column(
        name="Cost/h", path=".status.cost.perHour", description="Cost of the replicas per hour."
    ),
    Column(
        name="Limited-By",
        path=".status.decision.limitedBy",
        description="What keeps the replicas from following the need.",
    ),
    Column(
        name="Ready",
        path=_condition("Ready", "status"),
        description="Whether the policy is accepted and its target is found.",
    ),
    AGE,
    Column(
        name="Reason",
        path=_condition("Ready", "reason"),
        description="Why it is ready or not.",
        wide=True,
    ),
    Column(
        name="Saved",
        path=".status.savings.percent",
        description="Percent saved this month against the baseline, in Recommend potentially.",
        wide=True,
    ),
    Column(
        name="Message",
        path=".status.decision.message",
        description="The last decision in words.",
        wide=True,
    ),
)
CAPACITY_POOL_COLUMNS: Final = (
    Column(name="Nodes", path=".status.nodes", type="integer", description="Nodes of the pool."),
    Column(name="Pods", path=".status.pods", type="integer", description="Pods of policies there."),
    Column(name="Price/h", path=".status.perNodeHour", description="Price of one node per hour."),
    Column(
        name="Price-Age",
        path=".status.priceTime",
        type="date",
        description="Time since the date of the price.",
    ),
    Column(
        name="Losses/h",
        path=".status.lossesPerHour",
        description="How often a zone of it is taken away per hour, as learned.",
    ),
    Column(
        name="Start-P95",
        path=".status.leadTime.p95Seconds",
        type="integer",
        description="Seconds from a pod's creation to ready, 95th percentile.",
    ),
    Column(
        name="Scarce",
        path=_condition("Scarce", "status"),
        description="Whether no more nodes are asked for there now.",
    ),
    Column(
        name="Warm",
        path=".status.warm.shown",
        description="Nodes kept ready for replicas: ready/wanted.",
    ),
    Column(
        name="Discount",
        path=".spec.discountPercent",
        description="Percent off the list prices; empty where offerings name prices.",
        wide=True,
    ),
    AGE,
)
CHECKPOINT_COLUMNS: Final = (
    Column(name="Written-By", path=".data.writtenBy", description="Version of the operator."),
    Column(name="Written", path=".data.writtenAt", type="date", description="Time since written."),
    AGE,
)


def all_crds() -> tuple[dict[str, Any], ...]:
    """Every CustomResourceDefinition, in the order to install them."""
    return (
        _crd(InferenceCostPolicy, POLICY_COLUMNS),
        _crd(CapacityPool, CAPACITY_POOL_COLUMNS),
        _crd(InferenceCostCheckpoint, CHECKPOINT_COLUMNS),
    )


def _crd(model: type[TopLevel], columns: Sequence[Column]) -> dict[str, Any]:
    schema = top_level_schema(model)
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [column.to_object() for column in columns],
        "schema": {"openAPIV3Schema": schema},
    }
    if "status" in schema["properties"]:
        version["subresources"] = {"status": {}}
    names = model.names
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": names.crd_name},
        "spec": {
            "group": GROUP,
            "names": _names(names),
            "scope": "Namespaced" if names.namespaced else "Cluster",
            "versions": [version],
        },
    }


def _names(names: Names) -> dict[str, Any]:
    out: dict[str, Any] = {
        "kind": names.kind,
        "listKind": f"{names.kind}List",
        "plural": names.plural,
        "singular": names.singular,
        "categories": [CATEGORY],
    }
    return out | {"shortNames": list(names.short_names)} if names.short_names else out
