"""Adds priced nodes for pods that find no room, and takes empty ones away."""

from e2e.rig.provisioner.pools import NodePool, PoolFile, StaticNode, load_pools
from e2e.rig.provisioner.provisioner import Provisioner, ProvisionerSettings

__all__ = [
    "NodePool",
    "PoolFile",
    "Provisioner",
    "ProvisionerSettings",
    "StaticNode",
    "load_pools",
]
