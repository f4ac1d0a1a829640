"""A simulated fleet of two variants, each on a NodePool of Karpenter's, and what runs where."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import yaml

from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.fleet_exporter.loads import Load, Step
from e2e.rig.fleet_exporter.simulated_fleet import SimulatedFleet
from e2e.rig.karpenter.machines import CAPACITY_TYPES, G6, ON_DEMAND, SPOT
from e2e.rig.karpenter.node_pools import (
    API_VERSION,
    CAPACITY_LABEL,
    EMPTY_ONLY,
    NODE_POOL_LABEL,
    KarpenterPool,
)
from e2e.rig.kube import Manifest, wait_for
from e2e.scenarios.installation import succeeded
from e2e.scenarios.scene import Scene
from e2e.scenarios.targets import POLICY_VERSION, six_line_policy

NAME = "resnet"
START_DELAY = "2s"
SETTLED_WITHIN_SECONDS = 240.0  # seconds on a machine with nothing else to do


@dataclass(slots=True, kw_only=True)
class KarpenterFleet:
    """A Deployment on demand and one on spot behind one Service, under one policy named as the first.

    `prefix` makes the names of its NodePools and CapacityPools its own.
    """

    scene: Scene
    exporter: ExporterClient
    prefix: str = ""
    replicas: int = 2
    consolidation_policy: str = EMPTY_ONLY
    pools: dict[str, KarpenterPool] = field(init=False)

    def __post_init__(self) -> None:
        self.pools = {
            kind: KarpenterPool(
                name=self.pool(kind),
                capacity_type=kind,
                consolidation_policy=self.consolidation_policy,
            )
            for kind in CAPACITY_TYPES
        }

    def pool(self, kind: str) -> str:
        """Name of the NodePool, and of the CapacityPool, of a capacity type."""
        return f"{self.prefix}{kind}"

    def sell_no_more(self, kind: str) -> None:
        """From now on Karpenter buys no further machine for the NodePool of a capacity type."""
        self.change(kind, replace(self.pools[kind], most_gpus=0))

    def change(self, kind: str, pool: KarpenterPool) -> None:
        """Apply another NodePool in place of the one there is."""
        self.pools[kind] = pool
        self.scene.kube.apply(pool.manifest())

    def deploy(self, per_second: float, *, spot_price: Decimal) -> None:
        """Everything on demand first; once that serves, load, second workload and policy as the CLI prints them.

        Requests that came before a replica is ready would be late, and teach that more replicas are needed.
        """
        kube, fleet = self.scene.kube, self._fleet()
        kube.apply(*(pool.manifest() for pool in self.pools.values()))
        self.set_price(ON_DEMAND, G6.prices[ON_DEMAND])
        self.set_price(SPOT, spot_price)
        kube.apply(*fleet.manifests(), self._policy())
        self._wait_ready(ON_DEMAND)
        self.set_load({0.0: per_second})
        printed = succeeded(
            self.scene.installation.kubectl(
                *("inference-cost", "split", f"deploy/{NAME}", "-n", self.scene.namespace),
                *("--pools", ",".join(self.pool(kind) for kind in CAPACITY_TYPES)),
            )
        )
        kube.apply(*yaml.safe_load_all(printed))

    def set_load(self, load: Mapping[float, float]) -> None:
        """Requests per second by the seconds from now on."""
        fleet = self._fleet()
        steps = tuple(Step(after_seconds=s, requests_per_second=r) for s, r in load.items())
        self.exporter.set_load(
            Load(namespace=fleet.namespace, selector=fleet.selector, steps=steps, service=NAME)
        )

    def set_price(self, kind: str, price: Decimal) -> None:
        """Write the price of a machine of a capacity type into the fleet's CapacityPool."""
        name = self.pool(kind)
        selector = {"matchLabels": {NODE_POOL_LABEL: name}}
        offering = {"instanceType": G6.name, "perNodeHour": str(price)}
        self.scene.kube.apply(
            {
                "apiVersion": POLICY_VERSION,
                "kind": "CapacityPool",
                "metadata": {"name": name},
                "spec": {"nodeSelector": selector, "offerings": [offering]},
            }
        )

    def wait_on(self, kind: str, *, within: float = SETTLED_WITHIN_SECONDS) -> None:
        """Wait until all replicas serve on one capacity type, a machine each, and those of the other are given back."""

        def settled() -> bool:
            claims = self.claims()
            return claims == self.ready() and set(claims) == {kind}

        wait_for(settled, timeout_seconds=within, what=f"{self.scene.namespace} to run on {kind}")

    def _wait_ready(self, kind: str) -> None:
        wait_for(
            lambda: self.ready().get(kind, 0) >= self.replicas,
            timeout_seconds=SETTLED_WITHIN_SECONDS,
            what=f"{self.replicas} replicas of {self.scene.namespace} on {kind}",
        )

    def workload(self, kind: str) -> str:
        return NAME if kind == ON_DEMAND else f"{NAME}-{self.pool(SPOT)}"

    def ready(self) -> dict[str, int]:
        """Ready replicas by capacity type, where there are any."""
        found = {kind: self._deployment(kind).get("status", {}) for kind in CAPACITY_TYPES}
        return {k: n for k, status in found.items() if (n := status.get("readyReplicas", 0))}

    def ordered(self) -> dict[str, int]:
        """Replicas that each workload is to have, by capacity type."""
        found = {kind: self._deployment(kind).get("spec", {}) for kind in CAPACITY_TYPES}
        return {kind: int(spec.get("replicas", 0)) for kind, spec in found.items()}

    def waiting(self, kind: str) -> int:
        """Pods of a workload without a node."""
        pods = self.scene.kube.list("v1", "Pod", namespace=self.scene.namespace)
        mine = f"{self.workload(kind)}-"
        unbound = [p for p in pods if "nodeName" not in p["spec"]]
        return sum(_replica_set(p).rpartition("-")[0] + "-" == mine for p in unbound)

    def claims(self) -> dict[str, int]:
        """NodeClaims that are not being deleted, by the capacity type that Karpenter bought."""
        staying = [c for c in self.node_claims() if "deletionTimestamp" not in c["metadata"]]
        return dict(Counter(c["metadata"]["labels"].get(CAPACITY_LABEL, "?") for c in staying))

    def node_claims(self) -> list[Manifest]:
        names = {pool.name for pool in self.pools.values()}
        found = self.scene.kube.list(API_VERSION, "NodeClaim")
        return [c for c in found if c["metadata"]["labels"].get(NODE_POOL_LABEL) in names]

    def variant(self, kind: str) -> Manifest:
        """What the policy's status says of a variant."""
        variants = self.scene.status(NAME).get("variants") or ()
        name = self.pool(kind)
        return next((one for one in variants if one["name"] == name), {})

    def _deployment(self, kind: str) -> Manifest:
        found = self.scene.kube.find(
            "apps/v1", "Deployment", self.workload(kind), namespace=self.scene.namespace
        )
        return found or {}

    def _fleet(self) -> SimulatedFleet:
        return SimulatedFleet(
            name=NAME,
            namespace=self.scene.namespace,
            replicas=self.replicas,
            start_delay=START_DELAY,
            node_selector={NODE_POOL_LABEL: self.pool(ON_DEMAND)},
        )

    def _policy(self) -> Manifest:
        policy = six_line_policy(NAME, NAME, mode="Enforce", minReplicas=self.replicas)
        policy["metadata"]["namespace"] = self.scene.namespace
        return policy


def _replica_set(pod: Manifest) -> str:
    return str(next(iter(pod["metadata"].get("ownerReferences") or ({"name": ""},)))["name"])
