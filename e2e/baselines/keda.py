"""KEDA without containers: operator and metrics adapter as processes on loopback.

There is no kube-proxy, hence the APIService points at a Service of type ExternalName; and no
certificate rotation, hence both get a certificate of the cluster's CA.
"""

from dataclasses import dataclass
from pathlib import Path

from e2e.baselines.aggregation import aggregated_api
from e2e.rig.binaries import Binaries
from e2e.rig.certificates import Certificates, add_peer_certificate
from e2e.rig.cluster import Cluster
from e2e.rig.go_module import module_folder
from e2e.rig.kube import KubeClient, Manifest, load_manifests
from e2e.rig.ports import PortClaims
from e2e.rig.processes import Command, ProcessGroup

MODULE = "github.com/kedacore/keda/v2"
NAMESPACE, SERVICE_ACCOUNT = "keda-system", "keda-operator"
USER = f"system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"
EXTERNAL_METRICS = "external.metrics.k8s.io/v1beta1"
_CERTIFICATE = "keda"


@dataclass(frozen=True, slots=True, kw_only=True)
class KedaPorts:
    """Ports on 127.0.0.1."""

    metrics_service: int
    health: int
    adapter: int
    adapter_metrics: int

    @classmethod
    def claim(cls, ports: PortClaims) -> "KedaPorts":
        return cls(**{name: ports.claim() for name in cls.__slots__})


def definitions() -> list[Manifest]:
    """Read KEDA's CustomResourceDefinitions from its Go module, fetched when it is not there."""
    folder = module_folder("keda", MODULE) / "config" / "crd" / "bases"
    return load_manifests(sorted(folder.glob("*.yaml")))


def install(kube: KubeClient, crds: list[Manifest], ports: KedaPorts) -> None:
    """Everything in the API that KEDA needs before it starts."""
    kube.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": SERVICE_ACCOUNT, "namespace": NAMESPACE},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "keda"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "cluster-admin",
            },
            "subjects": [
                {"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": NAMESPACE}
            ],
        },
        *crds,
        *aggregated_api(
            EXTERNAL_METRICS,
            service="keda-metrics-apiserver",
            namespace=NAMESPACE,
            port=ports.adapter,
        ),
    )


def start(processes: ProcessGroup, cluster: Cluster, binaries: Binaries, ports: KedaPorts) -> None:
    """Start the operator, then the adapter; the APIService says when both work."""
    kubeconfig = cluster.service_account_kubeconfig(SERVICE_ACCOUNT, namespace=NAMESPACE)
    certificates = _certificate_folder(cluster)
    environment = {
        "KUBECONFIG": str(kubeconfig),
        "WATCH_NAMESPACE": "",
        "POD_NAME": "keda-operator",
        "POD_NAMESPACE": NAMESPACE,
        "KEDA_NAMESPACE": NAMESPACE,
        "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,
        "KEDA_OPERATOR_LEADER_ELECTION_ENABLED": "false",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    operator = (
        f"--cert-dir={certificates}",
        "--enable-cert-rotation=false",
        "--enable-apiservice-patching=false",
        "--enable-webhook-patching=false",
        "--metrics-bind-address=0",
        f"--health-probe-bind-address=127.0.0.1:{ports.health}",
        f"--metrics-service-bind-address=127.0.0.1:{ports.metrics_service}",
        "--zap-time-encoding=rfc3339nano",
    )
    adapter = (
        "--bind-address=127.0.0.1",
        f"--secure-port={ports.adapter}",
        f"--port={ports.adapter_metrics}",
        f"--cert-dir={certificates}",
        f"--tls-cert-file={certificates / 'tls.crt'}",
        f"--tls-private-key-file={certificates / 'tls.key'}",
        f"--metrics-service-address=localhost:{ports.metrics_service}",
        f"--lister-kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
    )
    arguments_of = {"keda-operator": operator, "keda-adapter": adapter}
    for name, program in binaries.items():
        processes.start(
            Command(
                name=name,
                arguments=(str(program), *arguments_of[name]),
                log=cluster.logs / f"{name}.log",
                environment=environment,
            )
        )


def _certificate_folder(cluster: Cluster) -> Path:
    """Make the folder with the file names that KEDA expects."""
    made = Certificates(folder=cluster.ca_file.parent)
    add_peer_certificate(made, _CERTIFICATE)
    folder = cluster.state_folder / "keda-certificates"
    folder.mkdir(mode=0o700)
    (folder / "ca.crt").symlink_to(cluster.ca_file)
    (folder / "tls.crt").symlink_to(made.certificate(_CERTIFICATE))
    (folder / "tls.key").symlink_to(made.key(_CERTIFICATE))
    return folder
