"""NodePools as a platform team writes them, and the class of their machines."""

from collections.abc import Iterable
from dataclasses import dataclass

from e2e.rig.karpenter.machines import G6
from e2e.rig.kube import Manifest
from e2e.rig.prometheus import KWOK_NODE, NODE_KIND_LABEL

API_VERSION = "karpenter.sh/v1"
CLASS_GROUP, CLASS_KIND, CLASS_NAME = "karpenter.kwok.sh", "KWOKNodeClass", "default"
NODE_POOL_LABEL = "karpenter.sh/nodepool"
CAPACITY_LABEL = "karpenter.sh/capacity-type"
# Karpenter's default also moves serving pods to nodes that a removal left empty (docs/karpenter.md).
EMPTY_ONLY, UNDERUTILIZED_TOO = "WhenEmpty", "WhenEmptyOrUnderutilized"


def node_class(*, boot_seconds: int) -> Manifest:
    """Machines register `boot_seconds` after they were bought."""
    return {
        "apiVersion": f"{CLASS_GROUP}/v1alpha1",
        "kind": CLASS_KIND,
        "metadata": {"name": CLASS_NAME},
        "spec": {"nodeRegistrationDelay": f"{boot_seconds}s"},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class KarpenterPool:
    """One NodePool of one capacity type. `consolidate_after`: a Go duration, or Never."""

    name: str
    capacity_type: str
    instance_types: tuple[str, ...] = (G6.name,)
    consolidate_after: str = "10s"
    consolidation_policy: str = EMPTY_ONLY
    most_gpus: int = 100
    generation: str = "1"  # a label of its nodes: another value makes them drift

    def manifest(self) -> Manifest:
        return {
            "apiVersion": API_VERSION,
            "kind": "NodePool",
            "metadata": {"name": self.name},
            "spec": {
                "template": {
                    "metadata": {
                        "labels": {NODE_KIND_LABEL: KWOK_NODE, "generation": self.generation}
                    },
                    "spec": self._machines(),
                },
                "limits": {"nvidia.com/gpu": str(self.most_gpus)},
                "disruption": {
                    "consolidationPolicy": self.consolidation_policy,
                    "consolidateAfter": self.consolidate_after,
                    "budgets": [{"nodes": "100%"}],
                },
            },
        }

    def _machines(self) -> Manifest:
        return {
            "nodeClassRef": {"group": CLASS_GROUP, "kind": CLASS_KIND, "name": CLASS_NAME},
            "requirements": [
                _one_of(CAPACITY_LABEL, (self.capacity_type,)),
                _one_of("node.kubernetes.io/instance-type", self.instance_types),
            ],
            "expireAfter": "Never",
        }


def _one_of(key: str, values: Iterable[str]) -> Manifest:
    return {"key": key, "operator": "In", "values": list(values)}
