"""A bundled cluster is a real one, and leaves nothing behind."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlparse

import psutil
import pytest

from e2e.rig.binaries import Binaries
from e2e.rig.cluster import Cluster, NoClusterError, load
from e2e.rig.control_plane import ControlPlane, ControlPlaneSettings
from e2e.rig.kube import KubeClient, KubeError
from e2e.rig.ports import PortClaims
from e2e.rig.programs import Ports


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def listens(url: str) -> bool:
    address = urlparse(url)
    assert address.hostname
    assert address.port
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address.hostname, address.port)) == 0


@pytest.fixture
def two_clusters(cluster_programs: Binaries, tmp_path: Path) -> Iterator[list[ControlPlane]]:
    assert cluster_programs
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                ControlPlane.start(
                    ControlPlaneSettings(
                        state_folder=tmp_path / name, name=name, with_prometheus=False
                    )
                )
            )
            for name in ("one", "two")
        ]


def test_start_and_stop_leave_no_process_no_port_and_no_data(
    cluster_programs: Binaries, tmp_path: Path
) -> None:
    assert cluster_programs
    before = children()
    settings = ControlPlaneSettings(state_folder=tmp_path / "c")
    with ControlPlane.start(settings) as control_plane:
        made = control_plane.cluster
        assert made.prometheus_url
        urls = [made.api_url, made.prometheus_url]
        assert load(tmp_path / "c") == made, "other processes can find it"
        assert all(listens(url) for url in urls)
        assert len(children() - before) == 6
    assert children() <= before
    assert not any(listens(url) for url in urls)
    assert not (tmp_path / "c" / "etcd").exists()
    assert (made.logs / "kube-apiserver.log").stat().st_size, "logs are kept"
    with pytest.raises(NoClusterError):
        load(tmp_path / "c")


@pytest.mark.parametrize("program", ["etcd", "api", "prometheus"])
def test_a_port_taken_by_a_stranger_only_costs_a_second_start(
    cluster_programs: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    assert cluster_programs
    honest = PortClaims.claim
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        claimed: list[str] = []

        def claim(claims: PortClaims) -> int:
            claimed.append(Ports.__slots__[len(claimed) % len(Ports.__slots__)])
            first_round = len(claimed) <= len(Ports.__slots__)
            return taken if first_round and claimed[-1] == program else honest(claims)

        monkeypatch.setattr(PortClaims, "claim", claim)
        settings = ControlPlaneSettings(
            state_folder=tmp_path / "c", with_prometheus=program == "prometheus"
        )
        with ControlPlane.start(settings) as started:
            assert listens(started.cluster.api_url)
    assert len(claimed) == 2 * len(Ports.__slots__), "it was started twice"


def test_two_clusters_share_nothing(two_clusters: list[ControlPlane]) -> None:
    one, two = (control_plane.cluster for control_plane in two_clusters)
    assert one.api_url != two.api_url
    assert one.pods != two.pods
    assert one.exporter_address != two.exporter_address
    with KubeClient(one.kubeconfig) as first, KubeClient(two.kubeconfig) as second:
        first.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "only-in-one"}})
        assert first.find("v1", "Namespace", "only-in-one")
        assert second.find("v1", "Namespace", "only-in-one") is None


def test_a_service_account_has_the_rights_that_rbac_gives_it(
    kube: KubeClient, cluster: Cluster
) -> None:
    kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}})
    kubeconfig = cluster.service_account_kubeconfig("nobody", namespace="default")
    with KubeClient(kubeconfig) as client:
        with pytest.raises(KubeError, match=r"default:nobody.*cannot list resource") as refused:
            client.list("v1", "Pod", namespace="default")
        assert refused.value.status == 403
        assert client.read("GET", "/version"), "but it is authenticated"
    users = {
        json.loads(line)["user"]["username"]
        for line in cluster.audit_log.read_text().splitlines()
        if json.loads(line)["verb"] == "list"
    }
    assert "system:serviceaccount:default:nobody" in users, "the audit log says who it was"


def test_a_proxy_of_the_machine_is_not_asked_for_loopback(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    with KubeClient(cluster.kubeconfig) as client:
        assert client.read("GET", "/readyz") == "ok"


def test_pod_security_is_enforced(kube: KubeClient) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube.apply(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "restricted", "labels": labels},
        }
    )
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root", "namespace": "restricted"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    with pytest.raises(KubeError, match="violates PodSecurity") as refused:
        kube.create(pod)
    assert refused.value.status == 403


def test_a_custom_resource_can_be_used_as_soon_as_it_is_applied(kube: KubeClient) -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "required": ["size"]}}}
    kube.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "hats.test.example.com"},
            "spec": {
                "group": "test.example.com",
                "scope": "Namespaced",
                "names": {"plural": "hats", "singular": "hat", "kind": "Hat"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": schema},
                    }
                ],
            },
        }
    )
    hat = {"apiVersion": "test.example.com/v1", "kind": "Hat", "metadata": {"name": "top"}}
    with pytest.raises(KubeError, match=r"spec\.size: Required value") as refused:
        kube.apply({**hat, "spec": {}})
    assert refused.value.reason == "Invalid"
