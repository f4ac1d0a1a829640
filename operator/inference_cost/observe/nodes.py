"""Nodes: which pool they belong to, what capacity they are, what they cost."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from inference_cost.model.money import HourlyPrice
from inference_cost.model.reading import Missing
from inference_cost.model.workload import CapacityType, Node
from inference_cost.observe.leaving import RECLAIMED
from inference_cost.observe.records import Labels, NodeRecord

INSTANCE_TYPE_LABELS = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
ZONE_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
ZONE_ID_LABEL = "topology.k8s.aws/zone-id"
REGION_LABELS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
GPU_PRODUCT_LABELS = (
    "nvidia.com/gpu.product",
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "karpenter.azure.com/sku-gpu-name",
)
NODE_POOL_LABELS = (
    "karpenter.sh/nodepool",
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "agentpool",
)
# First match wins. A label that is absent says on-demand: that is how node groups without spot look.
# Sources: docs/prices.md.
CAPACITY_TYPES: tuple[tuple[str, Mapping[str, CapacityType]], ...] = (
    (
        "karpenter.sh/capacity-type",
        {
            "spot": CapacityType.SPOT,
            "on-demand": CapacityType.ON_DEMAND,
            "reserved": CapacityType.RESERVED,
        },
    ),
    (
        "eks.amazonaws.com/capacityType",
        {
            "SPOT": CapacityType.SPOT,
            "ON_DEMAND": CapacityType.ON_DEMAND,
            "CAPACITY_BLOCK": CapacityType.RESERVED,
        },
    ),
    ("cloud.google.com/gke-spot", {"true": CapacityType.SPOT}),
    ("cloud.google.com/gke-preemptible", {"true": CapacityType.SPOT}),
    (
        "cloud.google.com/gke-provisioning",
        {
            "spot": CapacityType.SPOT,
            "preemptible": CapacityType.SPOT,
            "standard": CapacityType.ON_DEMAND,
        },
    ),
    ("kubernetes.azure.com/scalesetpriority", {"spot": CapacityType.SPOT}),
    ("kubernetes.azure.com/priority", {"spot": CapacityType.SPOT}),
    (
        "machine.openshift.io/interruptible-instance",
        {"": CapacityType.SPOT, "true": CapacityType.SPOT},
    ),
)
# Platforms that mark their spot nodes and no others: where one of these is, no mark means on-demand.
_ONLY_SPOT_IS_MARKED = (
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "agentpool",
    "node.openshift.io/os_id",
)

PriceOf = Callable[[NodeRecord], tuple[str, HourlyPrice | Missing]]
PodsOn = Callable[[str], int]


def first_label(labels: Labels, keys: tuple[str, ...]) -> str:
    return next((labels[k] for k in keys if labels.get(k)), "")


def capacity_label(labels: Labels) -> tuple[str, CapacityType] | None:
    """The label that tells the capacity type, and which it is."""
    told = ((key, meaning.get(labels[key])) for key, meaning in CAPACITY_TYPES if key in labels)
    return next(((key, found) for key, found in told if found is not None), None)


def capacity_type(labels: Labels) -> CapacityType:
    """On-demand where nothing tells it: a price is then rather too high."""
    told = capacity_label(labels)
    return CapacityType.ON_DEMAND if told is None else told[1]


def is_capacity_known(labels: Labels) -> bool:
    """Whether a label tells the capacity type, or its absence does."""
    return capacity_label(labels) is not None or any(key in labels for key in _ONLY_SPOT_IS_MARKED)


def inferred_pool(labels: Labels) -> str:
    """`<node pool or instance type>/<capacity type>/<zone>`; the zone is left out when unknown."""
    name = first_label(labels, NODE_POOL_LABELS) or first_label(labels, INSTANCE_TYPE_LABELS)
    zone = first_label(labels, ZONE_LABELS)
    parts = (name or "unknown", capacity_type(labels).value, zone)
    return "/".join(p for p in parts if p)


def instance_types(records: Iterable[NodeRecord]) -> set[str]:
    """Of nodes with GPUs, whole or in part."""
    return {
        first_label(record.labels, INSTANCE_TYPE_LABELS) for record in records if has_gpus(record)
    }


def has_gpus(record: NodeRecord) -> bool:
    """Of a part of a GPU none is counted, but the product is named."""
    return record.allocatable_gpus > 0 or bool(first_label(record.labels, GPU_PRODUCT_LABELS))


def observe_nodes(
    records: list[NodeRecord],
    price_of: PriceOf,
    pods_on: PodsOn,
    interrupted: Mapping[str, str],
) -> Mapping[str, Node]:
    """Nodes by name. `price_of` gives a CapacityPool's name, or "" for an inferred pool, and the price.

    `interrupted`: nodes whose machine is taken back, though the node does not say so, and why.
    """
    taken = (
        replace(r, leaving=r.leaving or interrupted[r.name]) if r.name in interrupted else r
        for r in records
    )
    return MappingProxyType({r.name: _node(r, *price_of(r), pods_on(r.name)) for r in taken})


def _node(record: NodeRecord, pool: str, price: HourlyPrice | Missing, pods: int) -> Node:
    labels = record.labels
    node = Node(
        name=record.name,
        pool=pool or inferred_pool(labels),
        capacity_type=capacity_type(labels),
        instance_type=first_label(labels, INSTANCE_TYPE_LABELS),
        zone=first_label(labels, ZONE_LABELS),
        gpu_product=first_label(labels, GPU_PRODUCT_LABELS),
        allocatable_gpus=record.allocatable_gpus,
        created_at=record.created_at,
        ready=record.ready,
        price=price,
        allocatable_cpu_millicores=record.allocatable_cpu_millicores,
        allocatable_memory_bytes=record.allocatable_memory_bytes,
        leaving=record.leaving,
        capacity_known=is_capacity_known(labels),
        pods=pods,
        cordoned=record.cordoned,
    )
    return replace(node, reclaimed=node.can_be_lost and record.leaving in RECLAIMED)
