"""Real Triton in several places: a Deployment per pool behind one Service, and one policy over them."""

from copy import deepcopy
from dataclasses import dataclass

from e2e.rig.kube import Manifest, wait_for
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.serving import TritonFleet, policy
from e2e.scenarios.live import LiveFleet
from e2e.scenarios.scene import Scene
from e2e.scenarios.story_pools import NODE_POOL_LABEL
from e2e.scenarios.targets import POLICY_KIND, POLICY_VERSION

VARIANT_LABEL = "inferencecost.dev/variant"
NAME = "sleepy"
READY_WITHIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFleet:
    """`pools`: in the order of the policy, by which replicas are ordered as long as nothing is measured."""

    scene: Scene
    pools: tuple[str, ...]
    start_delay: str = ""

    @property
    def live(self) -> LiveFleet:
        fleet = TritonFleet(
            name=NAME, namespace=self.scene.namespace, replicas=0, start_delay=self.start_delay
        )
        return LiveFleet(scene=self.scene, fleet=fleet)

    def deploy(self, *, budget: bool = False, **spec: object) -> None:
        """Workloads without a replica, then the policy. `budget`: with a PodDisruptionBudget of one over all."""
        fleet = self.live.fleet
        self.scene.kube.apply(
            fleet.config_map(), fleet.service(), *(self._workload(pool) for pool in self.pools)
        )
        if budget:
            self.scene.kube.apply(_budget(fleet.namespace))
        self.apply_policy(**spec)

    def apply_policy(self, **spec: object) -> None:
        self.scene.kube.apply(self._policy(**spec))

    def roll(self, model: SleepyModel, config_map: str) -> None:
        """Another model for all variants, as a new image would be."""
        config = self.live.fleet.config_map() | {"data": model.config_map_data()}
        config["metadata"] = config["metadata"] | {"name": config_map}
        self.scene.kube.apply(config)
        source = {"name": config_map, "items": model.config_map_items()}
        volumes = [{"name": "models", "configMap": source}]
        patch = {"spec": {"template": {"spec": {"volumes": volumes}}}}
        for pool in self.pools:
            self.scene.kube.merge(
                "apps/v1", "Deployment", self.name(pool), patch, namespace=self.scene.namespace
            )

    @staticmethod
    def name(pool: str) -> str:
        return f"{NAME}-{pool}"

    def replicas(self, pool: str) -> int:
        return self.scene.replicas(self.name(pool))

    def ready(self, pool: str) -> int:
        return int(self._deployment(pool).get("status", {}).get("readyReplicas", 0))

    def told(self, pool: str) -> Manifest:
        """What the policy's status says of a variant."""
        variants = self.scene.status(NAME).get("variants") or []
        return next((one for one in variants if one["name"] == pool), {})

    def wait(self, within: float = READY_WITHIN_SECONDS, **ready: int) -> None:
        """Until as many are ready, and asked for, in the pools named (dashes as underscores), and no others."""
        wanted = {pool: ready.get(pool.replace("-", "_"), 0) for pool in self.pools}

        def settled() -> bool:
            seen = {pool: (self.ready(pool), self.replicas(pool)) for pool in self.pools}
            return all(seen[pool] == (n, n) for pool, n in wanted.items())

        wait_for(settled, timeout_seconds=within, what=f"{wanted} in {self.scene.namespace}")

    def nodes(self, pool: str) -> list[str]:
        """Under the replicas of a pool."""
        pods = self.scene.kube.list(
            "v1",
            "Pod",
            namespace=self.scene.namespace,
            label_selector=f"{VARIANT_LABEL}={pool}",
        )
        return [pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")]

    def _deployment(self, pool: str) -> Manifest:
        return self.scene.object(self.name(pool))

    def _workload(self, pool: str) -> Manifest:
        made = deepcopy(self.live.fleet.deployment())
        label = {VARIANT_LABEL: pool}
        made["metadata"]["name"] = self.name(pool)
        made["spec"]["selector"] = {"matchLabels": {"app": NAME} | label}
        template = made["spec"]["template"]
        template["metadata"]["labels"] |= label
        template["spec"]["nodeSelector"] = {NODE_POOL_LABEL: pool}
        return made

    def _policy(self, **spec: object) -> Manifest:
        made = policy(self.live.fleet, mode="Enforce", **spec)  # type: ignore[arg-type]
        del made["spec"]["scaleTargetRef"]
        made["spec"]["variants"] = [
            {
                "name": pool,
                "scaleTargetRef": {"name": self.name(pool)},
                "poolRef": {"name": pool},
            }
            for pool in self.pools
        ]
        return made


def delete_policy(fleet: VariantFleet) -> None:
    fleet.scene.kube.delete(POLICY_VERSION, POLICY_KIND, NAME, namespace=fleet.scene.namespace)


def _budget(namespace: str) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": NAME}}},
    }
