"""Manifests of a Triton fleet as a platform team would write them; nothing in them knows the rig."""

from dataclasses import dataclass, field

from e2e.rig.kube import Manifest
from e2e.rig.models.sleepy import SleepyModel

START_DELAY_ANNOTATION = "inferencecost.dev/start-delay"
TRITON_IMAGE = "nvidia/tritonserver:24.10-py3"


@dataclass(frozen=True, slots=True, kw_only=True)
class TritonFleet:
    """One Deployment of Triton with one model, its Service and its model repository."""

    name: str
    namespace: str
    model: SleepyModel = field(default_factory=SleepyModel)
    replicas: int = 1
    start_delay: str = ""  # Go duration; "" for the server's own start-up time
    node_selector: dict[str, str] = field(default_factory=dict)
    image: str = TRITON_IMAGE

    def manifests(self) -> list[Manifest]:
        return [self.config_map(), self.deployment(), self.service()]

    def config_map(self) -> Manifest:
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"{self.name}-models", "namespace": self.namespace},
            "data": self.model.config_map_data(),
        }

    def deployment(self) -> Manifest:
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": self._labels()},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": self._labels()},
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
                "selector": self._labels(),
                "ports": [{"name": "http", "port": 8000, "targetPort": "http"}],
            },
        }

    def _labels(self) -> dict[str, str]:
        return {"app": self.name}

    def _template(self) -> Manifest:
        annotations = {START_DELAY_ANNOTATION: self.start_delay} if self.start_delay else {}
        volume = {
            "name": "models",
            "configMap": {
                "name": f"{self.name}-models",
                "items": self.model.config_map_items(),
            },
        }
        return {
            "metadata": {"labels": self._labels(), "annotations": annotations},
            "spec": {
                "terminationGracePeriodSeconds": 20,
                "nodeSelector": self.node_selector,
                "containers": [self._container()],
                "volumes": [volume],
            },
        }

    def _container(self) -> Manifest:
        health = {"path": "/v2/health/ready", "port": "http"}
        return {
            "name": "triton",
            "image": self.image,
            # Idle keep-alive connections hold Triton's drain for the whole exit timeout: keep it short.
            "args": ["tritonserver", "--model-repository=/models", "--exit-timeout-secs=5"],
            "ports": [
                {"name": "http", "containerPort": 8000},
                {"name": "grpc", "containerPort": 8001},
                {"name": "metrics", "containerPort": 8002},
            ],
            "resources": {"limits": {"nvidia.com/gpu": "1"}},
            "startupProbe": {"httpGet": health, "periodSeconds": 1, "failureThreshold": 120},
            "readinessProbe": {"httpGet": health, "periodSeconds": 2},
            "livenessProbe": {
                "httpGet": {"path": "/v2/health/live", "port": "http"},
                "periodSeconds": 5,
                "failureThreshold": 6,
            },
            # Triton refuses new connections from SIGTERM on; the sleep lets load balancers notice first.
            "lifecycle": {"preStop": {"sleep": {"seconds": 2}}},
            "volumeMounts": [{"name": "models", "mountPath": "/models"}],
        }


def policy(
    fleet: TritonFleet,
    *,
    mode: str = "Recommend",
    minimum: int = 1,
    maximum: int = 8,
    **spec: object,
) -> Manifest:
    """An InferenceCostPolicy for the fleet: 99 % within 300 ms unless `spec` says otherwise."""
    return {
        "apiVersion": "inferencecost.dev/v1alpha1",
        "kind": "InferenceCostPolicy",
        "metadata": {"name": fleet.name, "namespace": fleet.namespace},
        "spec": {
            "mode": mode,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": fleet.name},
            "minReplicas": minimum,
            "maxReplicas": maximum,
            "slo": {"latency": {"thresholdMilliseconds": 300, "target": "99.0"}},
            **spec,
        },
    }
