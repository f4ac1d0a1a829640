"""Starts and stops a real Kubernetes control plane on loopback, without containers.

    with ControlPlane.start(ControlPlaneSettings(state_folder=folder)) as control_plane:
        print(control_plane.cluster.kubeconfig)

The processes are children of this one and die with it (see processes.py); any number of control
planes may run side by side. There is no kube-proxy, no DNS and no kubelet.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import urllib3

from e2e.rig import cluster as clusters
from e2e.rig import prometheus
from e2e.rig.addresses import RangeLock, claim_pod_range
from e2e.rig.binaries import CLUSTER_BINARIES, Binaries, BinaryName, ensure
from e2e.rig.certificates import create_certificates
from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, KubeError, wait_for
from e2e.rig.ports import PortClaims
from e2e.rig.processes import Command, ManagedProcess, ProcessError, ProcessGroup
from e2e.rig.programs import (
    AUDIT_POLICY,
    KUBERNETES_SERVICE_ADDRESS,
    SHORT_TIMINGS,
    Ports,
    Programs,
    Timings,
)
from e2e.rig.users import create_users

START_TIMEOUT_SECONDS = 60.0
STOP_GRACE_SECONDS = 3.0
BIND_ATTEMPTS = 5
PORT_TAKEN = "address already in use"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlaneSettings:
    """`state_folder` is emptied at start; it keeps logs and the audit log after the stop."""

    state_folder: Path
    name: str = "dev"
    timings: Timings = SHORT_TIMINGS
    with_prometheus: bool = True
    scrape_interval_seconds: float = 2.0
    audit_policy: str = AUDIT_POLICY


@dataclass(slots=True, kw_only=True)
class _Held:
    """What one start holds and must give back, whatever happens."""

    ports: PortClaims = field(default_factory=PortClaims)
    processes: ProcessGroup = field(default_factory=ProcessGroup)
    pod_range: RangeLock = field(default_factory=claim_pod_range)

    def release(self) -> None:
        self.processes.stop_all(grace_seconds=STOP_GRACE_SECONDS)
        self.pod_range.release()
        self.ports.release()


class ControlPlane:
    """Owner of the processes of one bundled cluster; make it with `start`."""

    def __init__(self, cluster: Cluster, binaries: Binaries, ports: Ports, held: _Held) -> None:
        self.cluster = cluster
        self.binaries = binaries
        self._ports = ports
        self._held = held
        self._prometheus: ManagedProcess | None = None

    @classmethod
    def start(cls, settings: ControlPlaneSettings) -> Self:
        """Start everything and return when pods can be created (about 4 s, programs built).

        Raises:
            ProcessError: a program ended early; the message has the end of its log.
            BuildError, GoUnavailableError, OpenSslError: see there.
        """
        binaries = ensure(*CLUSTER_BINARIES)
        for attempt in range(1, BIND_ATTEMPTS + 1):
            try:
                return cls._start_once(settings, binaries)
            except ProcessError as error:
                # A foreign program took one of the ports between choice and bind.
                if PORT_TAKEN not in str(error) or attempt == BIND_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    @classmethod
    def _start_once(cls, settings: ControlPlaneSettings, binaries: Binaries) -> Self:
        held = _Held()
        try:
            return cls._bring_up(settings, binaries, held)
        except BaseException:  # Ctrl-C too
            held.release()
            raise

    @classmethod
    def _bring_up(cls, settings: ControlPlaneSettings, binaries: Binaries, held: _Held) -> Self:
        ports = Ports(**{name: held.ports.claim() for name in Ports.__slots__})
        made = _describe(settings, ports, held)
        _empty(made.state_folder)
        control_plane = cls(made, binaries, ports, held)
        programs = control_plane._prepare(settings)
        control_plane._run("etcd", programs.etcd)
        control_plane._run("kube-apiserver", programs.kube_apiserver)
        control_plane._wait(lambda: _ready(made.rig_kubeconfig), "the API server")
        with KubeClient(made.rig_kubeconfig) as client:
            control_plane._run("kube-controller-manager", programs.kube_controller_manager)
            control_plane._run("kube-scheduler", programs.kube_scheduler)
            control_plane._run("kwok", programs.kwok)
            if settings.with_prometheus:
                client.apply(*prometheus.READER_ROLE)
                control_plane._configure_prometheus(settings, programs)
                control_plane.start_prometheus()
            control_plane._wait(
                lambda: client.find("v1", "ServiceAccount", "default") is not None,
                "the controllers",
            )
        made.save()
        return control_plane

    def start_prometheus(self) -> None:
        """Start Prometheus (again), on the same port and with the data it had.

        Raises:
            ProcessError: it does not come up.
        """
        arguments = prometheus.arguments(
            configuration_file=self.cluster.state_folder / "prometheus.yml",
            data=self.cluster.state_folder / "prometheus",
            ports=self._ports,
        )
        self._prometheus = self._run("prometheus", arguments)
        url = f"http://127.0.0.1:{self._ports.prometheus}/-/ready"
        self._wait(lambda: _answers(url), "Prometheus")

    def stop_prometheus(self) -> None:
        """Stop Prometheus alone: what it does not see in the meantime is missing for ever."""
        if self._prometheus is not None:
            self._held.processes.stop(self._prometheus, grace_seconds=STOP_GRACE_SECONDS)
            self._prometheus = None

    def stop(self) -> None:
        """Stop all processes and give ports and addresses back; logs stay."""
        clusters.forget(self.cluster.state_folder)
        self._held.release()
        for data in ("etcd", "prometheus"):
            shutil.rmtree(self.cluster.state_folder / data, ignore_errors=True)

    def fail_if_broken(self) -> None:
        """Raise `ProcessError` when one of the processes has ended by itself."""
        for process in self._held.processes:
            process.fail_if_ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self, settings: ControlPlaneSettings) -> Programs:
        folder = self.cluster.state_folder
        (folder / "audit-policy.yaml").write_text(settings.audit_policy)
        made = create_certificates(folder / "pki", service_address=KUBERNETES_SERVICE_ADDRESS)
        users = create_users(folder, api_url=self.cluster.api_url, ca_file=self.cluster.ca_file)
        return Programs(
            folder=folder,
            ports=self._ports,
            pods=self.cluster.pods,
            timings=settings.timings,
            certificates=made,
            users=users,
        )

    def _configure_prometheus(self, settings: ControlPlaneSettings, programs: Programs) -> None:
        self.cluster.scrape_targets.mkdir(exist_ok=True)
        text = prometheus.configuration(
            prometheus.PrometheusSettings(
                scrape_interval_seconds=settings.scrape_interval_seconds,
                api_url=self.cluster.api_url,
                ca_file=self.cluster.ca_file,
                users=programs.users,
                pods=self.cluster.pods,
                exporter_address=self.cluster.exporter_address,
                extra_targets=self.cluster.scrape_targets,
            )
        )
        (self.cluster.state_folder / "prometheus.yml").write_text(text)

    def _run(self, name: BinaryName, arguments: Sequence[str]) -> ManagedProcess:
        program = str(self.binaries[name])
        log = self.cluster.logs / f"{name}.log"
        return self._held.processes.start(
            Command(name=name, arguments=(program, *arguments), log=log)
        )

    def _wait(self, check: Callable[[], bool], what: str) -> None:
        def checked() -> bool:
            self.fail_if_broken()
            return check()

        wait_for(checked, timeout_seconds=START_TIMEOUT_SECONDS, what=what, poll=0.05)


def _describe(settings: ControlPlaneSettings, ports: Ports, held: _Held) -> Cluster:
    prometheus_url = f"http://127.0.0.1:{ports.prometheus}" if settings.with_prometheus else None
    return Cluster(
        name=settings.name,
        state_folder=settings.state_folder.absolute(),
        api_url=f"https://127.0.0.1:{ports.api}",
        pods=held.pod_range.pods,
        prometheus_url=prometheus_url,
        exporter_address=f"127.0.0.1:{ports.exporter}",
    )


def _empty(folder: Path) -> None:
    """Start from nothing; the lock of a supervisor stays (see supervisor.py)."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # private keys and tokens
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name not in clusters.KEPT_FILES:
            entry.unlink()


def _ready(kubeconfig: Path) -> bool:
    try:  # impatiently: it may be a stranger that listens there
        with KubeClient(kubeconfig, timeout_seconds=1) as client:
            return client.read("GET", "/readyz") == "ok"
    except (KubeError, urllib3.exceptions.HTTPError):
        return False


def _answers(url: str) -> bool:
    try:
        with urllib3.PoolManager(retries=False) as pool:
            return pool.request("GET", url, timeout=1.0).status == 200
    except urllib3.exceptions.HTTPError:
        return False
