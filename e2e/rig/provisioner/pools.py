"""Node pools with prices, and nodes that are always there."""

from decimal import Decimal
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from e2e.rig.process_node.node_object import NodeSpec

NodeKind = Literal["process", "kwok"]
NODEPOOL_LABEL = "karpenter.sh/nodepool"


class _FileModel(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class NodePool(_FileModel):
    """One kind of node that can be launched.

    `boot_delay_seconds` is from launch (billed from here) to the Node being there; `max_nodes` is
    the quota.
    """

    name: str
    kind: NodeKind = "process"
    instance_type: str
    capacity_type: Literal["spot", "on-demand"] = "on-demand"
    zone: str = "zone-a"
    price_per_hour: Decimal = Field(ge=0)
    boot_delay_seconds: float = Field(default=0.0, ge=0)
    max_nodes: int = Field(default=10, ge=0)
    gpus_per_node: int = Field(default=1, ge=1)
    gpu_product: str = "NVIDIA-A10G"
    cpus: int = 16
    memory: str = "64Gi"
    labels: dict[str, str] = {}
    taints: tuple[dict[str, str], ...] = ()

    @property
    def node_labels(self) -> dict[str, str]:
        """Labels that Karpenter and the GPU feature discovery put on such a node."""
        return {
            NODEPOOL_LABEL: self.name,
            "karpenter.sh/capacity-type": self.capacity_type,
            "node.kubernetes.io/instance-type": self.instance_type,
            "topology.kubernetes.io/zone": self.zone,
            "nvidia.com/gpu.product": self.gpu_product,
            "nvidia.com/gpu.count": str(self.gpus_per_node),
            "inferencecost.dev/node-kind": self.kind,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            **self.labels,
        }

    def node(self, name: str) -> NodeSpec:
        """Return a node of this pool."""
        return NodeSpec(
            name=name,
            labels=self.node_labels,
            taints=self.taints,
            gpus=self.gpus_per_node,
            cpus=self.cpus,
            memory=self.memory,
        )


class StaticNode(_FileModel):
    """A node that is there from the start and never taken away."""

    name: str
    kind: NodeKind = "process"
    instance_type: str = "static"
    price_per_hour: Decimal = Field(default=Decimal(0), ge=0)
    gpus: int = 0
    cpus: int = 16
    memory: str = "64Gi"
    labels: dict[str, str] = {}

    def node(self) -> NodeSpec:
        labels = {
            "node.kubernetes.io/instance-type": self.instance_type,
            "karpenter.sh/capacity-type": "on-demand",
            **self.labels,
        }
        return NodeSpec(
            name=self.name, labels=labels, gpus=self.gpus, cpus=self.cpus, memory=self.memory
        )


class PoolFile(_FileModel):
    """A file of pools and static nodes, in camelCase YAML."""

    pools: tuple[NodePool, ...] = ()
    static_nodes: tuple[StaticNode, ...] = ()


def load_pools(path: Path) -> PoolFile:
    """Read a pool file.

    Raises:
        pydantic.ValidationError: a field is unknown, missing or out of range.
    """
    return PoolFile.model_validate(yaml.safe_load(path.read_text()))
