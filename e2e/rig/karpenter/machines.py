"""What the cloud of the rig has for sale: instance types with GPUs, per zone and capacity type.

Prices: g6.xlarge and g5.xlarge on demand as AWS asks in us-east-1 (docs/prices.md); spot at 0.3 of that.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

ZONES = ("zone-a", "zone-b")
ON_DEMAND, SPOT = "on-demand", "spot"
CAPACITY_TYPES = (ON_DEMAND, SPOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineType:
    """One instance type with one GPU."""

    name: str
    gpu_product: str
    prices: dict[str, Decimal]  # by capacity type


G6 = MachineType(
    name="g6.xlarge",
    gpu_product="NVIDIA-L4",
    prices={ON_DEMAND: Decimal("0.8048"), SPOT: Decimal("0.2414")},
)
G5 = MachineType(
    name="g5.xlarge",
    gpu_product="NVIDIA-A10G",
    prices={ON_DEMAND: Decimal("1.006"), SPOT: Decimal("0.3018")},
)
MACHINE_TYPES = (G6, G5)
# A price that an administrator may write: twice as much as on demand.
DEAR_SPOT = 2 * G6.prices[ON_DEMAND]


def write_machine_types(path: Path) -> Path:
    """The file that the kwok provider reads (its Go structs have no JSON names: hence the capitals)."""
    path.write_text(json.dumps([_entry(one) for one in MACHINE_TYPES], indent=1))
    return path


def _entry(machine: MachineType) -> dict[str, Any]:
    return {
        "name": machine.name,
        "architecture": "amd64",
        "operatingSystems": ["linux"],
        "resources": {
            "cpu": "4",
            "memory": "16Gi",
            "pods": "58",
            "ephemeral-storage": "250Gi",
            "nvidia.com/gpu": "1",
        },
        "offerings": [
            _offering(machine, capacity, zone) for capacity in CAPACITY_TYPES for zone in ZONES
        ],
    }


def _offering(machine: MachineType, capacity: str, zone: str) -> dict[str, Any]:
    labels = {
        "karpenter.sh/capacity-type": capacity,
        "topology.kubernetes.io/zone": zone,
        "nvidia.com/gpu.product": machine.gpu_product,
    }
    return {
        "Price": float(machine.prices[capacity]),
        "Available": True,
        "Requirements": [
            {"key": key, "operator": "In", "values": [value]} for key, value in labels.items()
        ],
    }
