"""Node pools of the stories: each story has its own, so that none sees what another does to them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Final, Literal

from e2e.rig.kube import KubeClient
from e2e.rig.provisioner import NodePool, StaticNode
from e2e.scenarios.targets import POLICY_VERSION

INSTANCE_TYPE: Final = "g6.xlarge"
NODE_POOL_LABEL: Final = "karpenter.sh/nodepool"
SAFE_PRICE: Final = Decimal("0.8048")
SPOT_PRICE: Final = Decimal("0.2414")
PAIR_PRICE: Final = Decimal("1.6096")
# Nodes that nobody adds or takes away.
FIXED: Final[Mapping[str, int]] = {"fixed-spot": 2, "fixed-safe": 2}


def _pool(
    name: str,
    capacity_type: Literal["spot", "on-demand"] = "on-demand",
    *,
    most: int = 10,
    gpus: int = 1,
    price: Decimal | None = None,
) -> NodePool:
    usual = SPOT_PRICE if capacity_type == "spot" else SAFE_PRICE
    return NodePool(
        name=name,
        instance_type=INSTANCE_TYPE,
        gpu_product="NVIDIA-L4",
        capacity_type=capacity_type,
        zone="zone-b" if capacity_type == "spot" else "zone-a",
        price_per_hour=usual if price is None else price,
        boot_delay_seconds=1.0,
        max_nodes=most,
        gpus_per_node=gpus,
    )


STORY_POOLS: Final = (
    _pool("sold-out", "spot", most=0),
    _pool("last-one", "spot", most=1),
    _pool("plenty"),
    _pool("rationed", "spot"),
    _pool("moved-spot", "spot"),
    _pool("moved-safe"),
    _pool("taken-spot", "spot"),
    _pool("taken-safe"),
    _pool("untaken"),
    _pool("adopted"),
    _pool("adopted-keda"),
    _pool("paired", gpus=2, price=PAIR_PRICE),
)
STORY_NODES: Final = tuple(
    StaticNode(
        name=f"{name}-{i}",
        instance_type=INSTANCE_TYPE,
        gpus=1,
        labels={
            NODE_POOL_LABEL: name,
            "karpenter.sh/capacity-type": "spot" if name.endswith("spot") else "on-demand",
        },
    )
    for name, count in FIXED.items()
    for i in range(1, count + 1)
)


def prices() -> dict[str, Decimal]:
    """Per hour of a node, by pool."""
    fixed = {name: SPOT_PRICE if name.endswith("spot") else SAFE_PRICE for name in FIXED}
    return fixed | {pool.name: pool.price_per_hour for pool in STORY_POOLS}


@contextmanager
def declared(kube: KubeClient) -> Iterator[None]:
    """A CapacityPool for each; they belong to no namespace."""
    for name, price in prices().items():
        offering = {"instanceType": INSTANCE_TYPE, "perNodeHour": str(price)}
        spec = {
            "nodeSelector": {"matchLabels": {NODE_POOL_LABEL: name}},
            "offerings": [offering],
        }
        kube.apply(
            {
                "apiVersion": POLICY_VERSION,
                "kind": "CapacityPool",
                "metadata": {"name": name},
                "spec": spec,
            }
        )
    try:
        yield
    finally:
        for name in prices():
            kube.delete(POLICY_VERSION, "CapacityPool", name)
