"""A kind cluster, where Docker runs: the same scenarios with real containers."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.rig.binaries import Binaries, ensure
from e2e.rig.kube import KubeClient, condition, load_manifests, wait_for
from e2e.rig.ports import PortClaims
from e2e.rig.processes import Command, ProcessGroup
from e2e.rig.programs import SHORT_TIMINGS, STAGES
from e2e.rig.providers.provider import Capability, ProvidedCluster

REPOSITORY = Path(__file__).parents[3]
FILES = Path(__file__).parents[1] / "kind"
CONFIGURATION = FILES / "cluster.yaml"
PROMETHEUS = FILES / "prometheus.yaml"
OPERATOR_IMAGE = "inference-cost-operator:e2e"
ROLLOUT_SECONDS = 180


class KindError(RuntimeError):
    """A command for the kind cluster failed; the message has its output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindProvider:
    """Needs a running Docker; kind and kubectl are built like every program of the rig."""

    @property
    def name(self) -> str:
        return "kind"

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.CONTAINERS, Capability.KWOK_NODES})

    def obstacle(self) -> str | None:
        if shutil.which("docker") is None:
            return "Docker is not installed"
        answer = subprocess.run(["docker", "info"], capture_output=True, check=False)
        return None if answer.returncode == 0 else "Docker is not running"

    @contextmanager
    def cluster(self, state_folder: Path) -> Iterator[ProvidedCluster]:
        state_folder.mkdir(parents=True, exist_ok=True)
        binaries = ensure("kind", "kubectl", "kwok")
        name = f"inference-cost-{time.time_ns():x}"
        kubeconfig = state_folder / "kubeconfig"
        try:
            for command in creation(binaries, name, kubeconfig):
                _run(command)
            with _reachable(binaries, kubeconfig, state_folder) as prometheus_url:
                yield ProvidedCluster(
                    provider=self.name, kubeconfig=kubeconfig, prometheus_url=prometheus_url
                )
        finally:
            _run([str(binaries["kind"]), "delete", "cluster", "--name", name])


def creation(binaries: Binaries, name: str, kubeconfig: Path) -> tuple[Sequence[str], ...]:
    """Commands that make the cluster and bring the operator's image into it."""
    kind = str(binaries["kind"])
    return (
        ("docker", "build", "--tag", OPERATOR_IMAGE, str(REPOSITORY)),
        (
            *(kind, "create", "cluster", "--name", name, "--wait", "120s"),
            *("--config", str(CONFIGURATION), "--kubeconfig", str(kubeconfig)),
        ),
        (kind, "load", "docker-image", OPERATOR_IMAGE, "--name", name),
    )


@contextmanager
def _reachable(binaries: Binaries, kubeconfig: Path, folder: Path) -> Iterator[str]:
    """Prometheus in the cluster with a port on this machine, and kwok beside it."""
    with KubeClient(kubeconfig) as client:
        client.apply(*load_manifests([PROMETHEUS]))
        wait_for(
            lambda: _available(client), timeout_seconds=ROLLOUT_SECONDS, what="Prometheus in kind"
        )
    ports = PortClaims()
    port = ports.claim()
    forward = (
        *(str(binaries["kubectl"]), f"--kubeconfig={kubeconfig}", "--namespace=monitoring"),
        *("port-forward", "service/prometheus", f"{port}:9090"),
    )
    kwok = (
        *(str(binaries["kwok"]), f"--kubeconfig={kubeconfig}", f"--config={STAGES}"),
        *("--manage-all-nodes=false", "--cidr=10.250.0.0/16"),
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
        f"--node-lease-duration-seconds={SHORT_TIMINGS.node_lease_seconds}",
    )
    with ProcessGroup() as group:
        for name, arguments in (("port-forward", forward), ("kwok", kwok)):
            log = folder / f"{name}.log"
            group.start(Command(name=name, arguments=arguments, log=log))
        yield f"http://127.0.0.1:{port}"
    ports.release()


def _available(client: KubeClient) -> bool:
    deployment = client.get("apps/v1", "Deployment", "prometheus", namespace="monitoring")
    return condition(deployment, "Available") == "True"


def _run(command: Sequence[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise KindError(f"{' '.join(command)}:\n{answer.stderr.strip()[-2000:]}")
