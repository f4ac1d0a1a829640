"""Manifests of a fleet of simulated Tritons: a Deployment on kwok nodes, and those nodes."""

from dataclasses import dataclass, field

from e2e.rig.fleet_exporter.loads import ArrivalProcess, Load
from e2e.rig.fleet_exporter.triton_settings import TritonSettings
from e2e.rig.kube import Manifest
from e2e.rig.kwok.nodes import START_DELAY_ANNOTATION, STOP_DELAY_ANNOTATION, kwok_node
from e2e.rig.prometheus import KWOK_NODE, NODE_KIND_LABEL
from e2e.rig.serving import TRITON_IMAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedFleet:
    """One Deployment of simulated servers. Delays are Go durations; "" for none."""

    name: str
    namespace: str
    replicas: int = 1
    triton: TritonSettings = field(default_factory=TritonSettings)
    start_delay: str = ""
    stop_delay: str = ""
    node_selector: dict[str, str] = field(default_factory=dict)
    image: str = TRITON_IMAGE

    @property
    def selector(self) -> dict[str, str]:
        return {"app": self.name}

    def manifests(self) -> list[Manifest]:
        return [self.deployment(), self.service()]

    def nodes(self, count: int, *, gpus: int = 1) -> list[Manifest]:
        """Make nodes that this fleet's pods alone would fill, `gpus` pods on each."""
        return [kwok_node(f"{self.name}-{n}", gpus=gpus) for n in range(count)]

    def load(
        self,
        requests_per_second: float,
        *,
        arrivals: ArrivalProcess = ArrivalProcess.POISSON,
        gateway: bool = False,
    ) -> Load:
        """Make a constant load; with `gateway`, its Service is one cluster on the gateway's page."""
        return Load(
            namespace=self.namespace,
            selector=self.selector,
            requests_per_second=requests_per_second,
            arrivals=arrivals,
            service=self.name if gateway else "",
        )

    def deployment(self) -> Manifest:
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": self.selector},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": self.selector},
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": self._template(),
            },
        }

    def service(self) -> Manifest:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "selector": self.selector,
                "ports": [{"name": "http", "port": 8000, "targetPort": "http"}],
            },
        }

    def _template(self) -> Manifest:
        delays = {START_DELAY_ANNOTATION: self.start_delay, STOP_DELAY_ANNOTATION: self.stop_delay}
        annotations = {name: delay for name, delay in delays.items() if delay}
        container = {
            "name": "triton",
            "image": self.image,
            "ports": [
                {"name": "http", "containerPort": 8000},
                {"name": "grpc", "containerPort": 8001},
                {"name": "metrics", "containerPort": 8002},
            ],
            "resources": {"limits": {"nvidia.com/gpu": "1"}},
        }
        return {
            "metadata": {
                "labels": self.selector,
                "annotations": {**annotations, **self.triton.annotation()},
            },
            "spec": {
                "nodeSelector": {NODE_KIND_LABEL: KWOK_NODE, **self.node_selector},
                "containers": [container],
            },
        }
