"""Starts Karpenter as a process beside the control plane.

It serves its metrics on every address of the machine, and no flag changes that: whoever starts it has entered a
network of its own before (e2e/baselines/private_network.py).
"""

from pathlib import Path

import urllib3

from e2e.rig.binaries import ensure
from e2e.rig.cluster import Cluster
from e2e.rig.karpenter.definitions import definitions
from e2e.rig.karpenter.machines import write_machine_types
from e2e.rig.karpenter.node_pools import node_class
from e2e.rig.kube import KubeClient, wait_for
from e2e.rig.ports import PortClaims
from e2e.rig.processes import Command, ManagedProcess, ProcessGroup

NAMESPACE, SERVICE_ACCOUNT = "kube-system", "karpenter"
USER = f"system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"
FEATURE_GATES = "NodeOverlay=true"
START_SECONDS = 30.0
TOKEN_SECONDS = 4 * 3600


def start_karpenter(
    cluster: Cluster,
    kube: KubeClient,
    processes: ProcessGroup,
    ports: PortClaims,
    *,
    boot_seconds: int,
) -> ManagedProcess:
    """Install and start it; returns when it answers its readiness probe. NodePools are the caller's.

    Raises:
        ProcessError: it ended early; the message has the end of its log.
        TimeoutError: it does not get ready.
    """
    _install(kube, boot_seconds)
    metrics, probes = ports.claim(), ports.claim()
    process = processes.start(_command(cluster, metrics, probes))
    url = f"http://127.0.0.1:{probes}/readyz"

    def ready() -> bool:
        process.fail_if_ended()
        return _answers(url)

    wait_for(ready, timeout_seconds=START_SECONDS, what="Karpenter")
    cluster.add_scrape_target("karpenter", f"127.0.0.1:{metrics}", {})
    return process


def _install(kube: KubeClient, boot_seconds: int) -> None:
    kube.apply(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": SERVICE_ACCOUNT, "namespace": NAMESPACE},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "karpenter"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "cluster-admin",
            },
            "subjects": [
                {"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": NAMESPACE}
            ],
        },
        *definitions(),
        node_class(boot_seconds=boot_seconds),
    )


def _command(cluster: Cluster, metrics: int, probes: int) -> Command:
    kubeconfig = cluster.service_account_kubeconfig(
        SERVICE_ACCOUNT, namespace=NAMESPACE, seconds=TOKEN_SECONDS
    )
    machines = write_machine_types(Path(cluster.state_folder) / "machine-types.json")
    return Command(
        name="karpenter",
        arguments=(str(ensure("karpenter")["karpenter"]),),
        log=cluster.logs / "karpenter.log",
        environment={
            "KUBECONFIG": str(kubeconfig),
            "SYSTEM_NAMESPACE": NAMESPACE,
            "DISABLE_LEADER_ELECTION": "true",
            "METRICS_PORT": str(metrics),
            "HEALTH_PROBE_PORT": str(probes),
            "INSTANCE_TYPES_FILE_PATH": str(machines),
            "FEATURE_GATES": FEATURE_GATES,
            "NO_PROXY": "127.0.0.1,localhost",
        },
    )


def _answers(url: str) -> bool:
    try:
        with urllib3.PoolManager(retries=False) as pool:
            return pool.request("GET", url, timeout=1.0).status == 200
    except urllib3.exceptions.HTTPError:
        return False
