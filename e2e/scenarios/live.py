"""Fleets of real Triton under real load, on the bundled cluster."""

import math
from dataclasses import dataclass, replace

import numpy as np

from e2e.rig.kube import Manifest, wait_for
from e2e.rig.load import write_arrivals
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.processes import ManagedProcess
from e2e.rig.serving import TritonFleet, policy
from e2e.rig.stack import Stack
from e2e.rig.traces import poisson_arrivals
from e2e.scenarios.scene import Scene
from e2e.scenarios.start import POOLS

NAME = "sleepy"
SEED = 7
OBJECTIVE_MILLISECONDS = 300.0
READY_WITHIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFleet:
    """A Deployment of Triton, its Service, and a policy of the same name in one namespace."""

    scene: Scene
    fleet: TritonFleet

    @property
    def stack(self) -> Stack:
        return stack_of(self.scene)

    @property
    def name(self) -> str:
        return self.fleet.name

    def deploy(self, **spec: object) -> None:
        """Apply fleet and policy (`serving.policy` says which fields); nothing is waited for."""
        self.scene.kube.apply(*self.fleet.manifests(), policy(self.fleet, **spec))  # type: ignore[arg-type]

    def ready(self) -> int:
        return int(self.scene.object(self.name).get("status", {}).get("readyReplicas", 0))

    def wait_ready(self, replicas: int | None = None) -> None:
        wanted = replicas or self.fleet.replicas
        wait_for(
            lambda: self.ready() >= wanted,
            timeout_seconds=READY_WITHIN_SECONDS,
            what=f"{wanted} replicas of {self.name} in {self.scene.namespace}",
        )

    def needed(self, per_second: float) -> int:
        """Replicas for a load, by what the status says that one carries; 0 before it says so."""
        profile = self.scene.status(self.name).get("profile")
        each = float(profile["requestsPerSecondPerReplica"]) if profile else math.inf
        return math.ceil(per_second / each)

    def wait_settled(self, per_second: float) -> None:
        """Wait until there are as many replicas as a steady load needs, all ready."""
        wait_for(
            lambda: self.ready() == self.scene.replicas(self.name) == self.needed(per_second),
            timeout_seconds=READY_WITHIN_SECONDS,
            what=f"{self.name} in {self.scene.namespace} to settle",
        )

    def balance(self) -> str:
        return self.stack.balance(
            self.fleet.namespace, self.name, bounds_milliseconds=(OBJECTIVE_MILLISECONDS,)
        )

    def load(self, url: str, *, per_second: float, seconds: float, name: str) -> ManagedProcess:
        """Start Poisson arrivals at a steady rate."""
        folder = self.stack.cluster.logs
        title = f"{self.fleet.namespace}-{name}"
        arrivals = folder / f"{title}.arrivals"
        draw = poisson_arrivals(np.array([per_second]), seconds, SEED)
        write_arrivals(arrivals, [float(t) for t in draw])
        return self.stack.load(
            *("--url", url, "--model", self.fleet.model.name),
            *("--arrivals", str(arrivals), "--out", str(folder / f"{title}.csv")),
            name=title,
        )

    def with_model(self, model: SleepyModel, config_map: str) -> Manifest:
        """The Deployment with another model, from a ConfigMap of another name (applied here)."""
        other = replace(self.fleet, model=model)
        models = other.config_map()
        models["metadata"]["name"] = config_map
        self.scene.kube.apply(models)
        deployment = other.deployment()
        (volume,) = deployment["spec"]["template"]["spec"]["volumes"]
        volume["configMap"]["name"] = config_map
        return deployment


def live_fleet(
    scene: Scene,
    *,
    name: str = NAME,
    replicas: int = 1,
    start_delay: str = "",
    pool: str = "listed",
) -> LiveFleet:
    """A fleet in the scene's namespace, on nodes of one pool; not deployed yet."""
    assert pool in {p.name for p in POOLS.pools}
    fleet = TritonFleet(
        name=name,
        namespace=scene.namespace,
        replicas=replicas,
        start_delay=start_delay,
        node_selector={"karpenter.sh/nodepool": pool},
    )
    return LiveFleet(scene=scene, fleet=fleet)


def stack_of(scene: Scene) -> Stack:
    stack = scene.installation.stack
    assert stack is not None, "only the bundled cluster runs pods as processes"
    return stack
