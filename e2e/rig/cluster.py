"""A running bundled cluster as everyone else sees it: where it is and how to get in.

Plain facts, written to ``cluster.json`` in the state folder so that other processes can read them.
`ControlPlane` (control_plane.py) owns the processes.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from e2e.rig.addresses import PodRange
from e2e.rig.kube import KubeClient
from e2e.rig.kubeconfig import write_kubeconfig

CLUSTERS_FOLDER = Path("build/clusters")
# Files in a state folder that a start does not remove: they belong to the supervisor.
KEPT_FILES = ("supervisor.lock", "supervisor.log")
# Written by the supervisor when all is up, nodes too.
READY_FILE = "ready"


class NoClusterError(RuntimeError):
    """No cluster of that name is running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A bundled cluster. All addresses are on loopback of this machine."""

    name: str
    state_folder: Path
    api_url: str
    pods: PodRange
    # None: started without Prometheus.
    prometheus_url: str | None
    # Where Prometheus looks for the metrics of all simulated pods, host:port; free to be bound.
    exporter_address: str

    @property
    def kubeconfig(self) -> Path:
        """For a person: user `admin`, all rights."""
        return self.state_folder / "kubeconfig"

    @property
    def rig_kubeconfig(self) -> Path:
        """For parts of the rig (process nodes, provisioner): user `rig`, all rights.

        A user of its own, so that the audit log tells the rig from people and from the operator.
        """
        return self.state_folder / "rig.kubeconfig"

    @property
    def token_file(self) -> Path:
        """Bearer token of user `admin`."""
        return self.state_folder / "admin.token"

    @property
    def rig_token_file(self) -> Path:
        """Bearer token of user `rig`."""
        return self.state_folder / "rig.token"

    @property
    def ca_file(self) -> Path:
        """CA of the API server's certificate, which is valid for 127.0.0.1 and localhost."""
        return self.state_folder / "pki" / "ca.crt"

    @property
    def audit_log(self) -> Path:
        """One JSON object per line and request (audit.k8s.io/v1, level Metadata)."""
        return self.state_folder / "audit.log"

    @property
    def logs(self) -> Path:
        """Folder with one log per process."""
        return self.state_folder / "logs"

    @property
    def scrape_targets(self) -> Path:
        """Folder that Prometheus watches for extra targets, see `add_scrape_target`."""
        return self.state_folder / "scrape"

    def add_scrape_target(self, job: str, address: str, labels: dict[str, str]) -> None:
        """Let Prometheus scrape ``http://<address>/metrics`` as `job`; no restart is needed."""
        self.scrape_targets.mkdir(parents=True, exist_ok=True)
        groups = [{"targets": [address], "labels": {**labels, "job": job}}]
        partial = self.scrape_targets / f".{job}.partial"
        partial.write_text(json.dumps(groups))
        partial.rename(self.scrape_targets / f"{job}.json")

    def service_account_kubeconfig(self, name: str, *, namespace: str, seconds: int = 3600) -> Path:
        """Write a kubeconfig with a fresh token of a ServiceAccount, valid for `seconds`."""
        with KubeClient(self.rig_kubeconfig) as client:
            token = client.service_account_token(name, namespace=namespace, seconds=seconds)
        path = self.state_folder / f"{namespace}.{name}.kubeconfig"
        return write_kubeconfig(
            path, api_url=self.api_url, ca_file=self.ca_file, user=name, token=token
        )

    def save(self) -> None:
        """Write the facts for `load`."""
        facts = {
            "name": self.name,
            "apiUrl": self.api_url,
            "podRangeOctet": self.pods.octet,
            "prometheusUrl": self.prometheus_url,
            "exporterAddress": self.exporter_address,
        }
        partial = self.state_folder / "cluster.json.partial"
        partial.write_text(json.dumps(facts, indent=2) + "\n")
        partial.rename(_facts_file(self.state_folder))


def load(state_folder: Path) -> Cluster:
    """Read the facts of the cluster with this state folder.

    Raises:
        NoClusterError: there is none, or it is not up yet.
    """
    try:
        facts = json.loads(_facts_file(state_folder).read_text())
    except FileNotFoundError as error:
        raise NoClusterError(f"no cluster is running in {state_folder}") from error
    return Cluster(
        name=facts["name"],
        state_folder=state_folder.absolute(),
        api_url=facts["apiUrl"],
        pods=PodRange(octet=facts["podRangeOctet"]),
        prometheus_url=facts["prometheusUrl"],
        exporter_address=facts["exporterAddress"],
    )


def forget(state_folder: Path) -> None:
    """Remove the facts: the cluster is going down."""
    _facts_file(state_folder).unlink(missing_ok=True)


def _facts_file(state_folder: Path) -> Path:
    return state_folder / "cluster.json"
