"""The command lines of the programs of a bundled control plane."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.rig.addresses import PodRange
from e2e.rig.certificates import Certificates
from e2e.rig.users import UserFiles

STAGES = Path(__file__).with_name("kwok") / "stages.yaml"

SERVICE_RANGE = "172.30.0.0/16"
KUBERNETES_SERVICE_ADDRESS = "172.30.0.1"
SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local"

# With all controllers ('*') it takes 5 s before the first one runs, with these 0.3 s.
CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "endpointslice-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
    "node-lifecycle-controller",
    "taint-eviction-controller",
    "pod-garbage-collector-controller",
    "garbage-collector-controller",
    "disruption-controller",
    "horizontal-pod-autoscaler-controller",
    "resourcequota-controller",
)

# Who did what is all an audit of rights needs; bodies would be large and could hold secrets.
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, nonResourceURLs: ["/livez*", "/readyz*", "/healthz*"]}
- {level: Metadata}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How fast the cluster notices that a node is gone. All in seconds."""

    # Kubernetes defaults: 300, 5, 50, 40, 15.
    eviction_toleration_seconds: int
    node_monitor_period_seconds: int
    node_monitor_grace_seconds: int
    node_lease_seconds: int
    autoscaler_sync_seconds: int


DEFAULT_TIMINGS = Timings(
    eviction_toleration_seconds=300,
    node_monitor_period_seconds=5,
    node_monitor_grace_seconds=50,
    node_lease_seconds=40,
    autoscaler_sync_seconds=15,
)
SHORT_TIMINGS = Timings(
    eviction_toleration_seconds=5,
    node_monitor_period_seconds=1,
    node_monitor_grace_seconds=8,
    node_lease_seconds=6,
    autoscaler_sync_seconds=5,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports on 127.0.0.1."""

    etcd: int
    etcd_peer: int
    api: int
    prometheus: int
    exporter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Arguments (without the program) for one cluster, its files below `folder`."""

    folder: Path
    ports: Ports
    pods: PodRange
    timings: Timings
    certificates: Certificates
    users: UserFiles

    @property
    def etcd(self) -> Sequence[str]:
        client = f"http://127.0.0.1:{self.ports.etcd}"
        peer = f"http://127.0.0.1:{self.ports.etcd_peer}"
        return (
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # the data need not survive the machine
            "--log-level=warn",
        )

    @property
    def kube_apiserver(self) -> Sequence[str]:
        made = self.certificates
        toleration = self.timings.eviction_toleration_seconds
        return (
            f"--etcd-servers=http://127.0.0.1:{self.ports.etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.ports.api}",
            # Its own address cannot be published: loopback is refused in EndpointSlices.
            "--endpoint-reconciler-type=none",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            f"--tls-cert-file={made.certificate('apiserver')}",
            f"--tls-private-key-file={made.key('apiserver')}",
            # Without a client CA the scheduler waits for ever, without an event.
            f"--client-ca-file={made.certificate('ca')}",
            f"--requestheader-client-ca-file={made.certificate('front-proxy-ca')}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={made.certificate('front-proxy-client')}",
            f"--proxy-client-key-file={made.key('front-proxy-client')}",
            f"--service-account-issuer={SERVICE_ACCOUNT_ISSUER}",
            f"--service-account-key-file={made.key('service-accounts')}",
            f"--service-account-signing-key-file={made.key('service-accounts')}",
            f"--token-auth-file={self.users.token_table}",
            "--authorization-mode=Node,RBAC",
            f"--audit-policy-file={self.folder / 'audit-policy.yaml'}",
            f"--audit-log-path={self.folder / 'audit.log'}",
            "--audit-log-maxsize=1024",
            f"--default-not-ready-toleration-seconds={toleration}",
            f"--default-unreachable-toleration-seconds={toleration}",
        )

    @property
    def kube_controller_manager(self) -> Sequence[str]:
        timings = self.timings
        return (
            *self._component("controller-manager"),
            f"--controllers={','.join(CONTROLLERS)}",
            f"--root-ca-file={self.certificates.certificate('ca')}",
            f"--node-monitor-period={timings.node_monitor_period_seconds}s",
            f"--node-monitor-grace-period={timings.node_monitor_grace_seconds}s",
            f"--horizontal-pod-autoscaler-sync-period={timings.autoscaler_sync_seconds}s",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        )

    @property
    def kube_scheduler(self) -> Sequence[str]:
        return self._component("scheduler")

    def _component(self, user: str) -> Sequence[str]:
        kubeconfig = self.users.kubeconfig(user)
        return (
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",  # nothing to bind, nothing to collide
        )

    @property
    def kwok(self) -> Sequence[str]:
        return (
            f"--kubeconfig={self.users.kubeconfig('kwok')}",
            f"--config={STAGES}",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            f"--cidr={self.pods.simulated_cidr}",
            f"--node-ip={self.pods.simulated_node_address}",
            f"--node-lease-duration-seconds={self.timings.node_lease_seconds}",
        )
