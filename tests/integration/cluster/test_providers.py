"""One interface to three kinds of clusters, each honest about what it cannot do."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from e2e.rig.binaries import Binaries, ensure
from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, Manifest, load_manifests
from e2e.rig.prometheus import PrometheusSettings, configuration
from e2e.rig.providers import (
    PROVIDER_NAMES,
    Capability,
    CurrentProvider,
    KindProvider,
    provider,
    reason_not_to_run,
)
from e2e.rig.providers.kind import CONFIGURATION, PROMETHEUS, creation
from e2e.rig.users import UserFiles


def test_each_name_gives_its_provider() -> None:
    assert [provider(name).name for name in PROVIDER_NAMES] == list(PROVIDER_NAMES)
    with pytest.raises(LookupError, match="no cluster provider 'minikube'; there are bundled"):
        provider("minikube")


def test_every_capability_is_had_somewhere() -> None:
    had = frozenset[Capability]().union(*(provider(n).capabilities for n in PROVIDER_NAMES))
    assert had == frozenset(Capability)


def test_a_scenario_that_cannot_run_somewhere_says_what_it_lacks() -> None:
    needs = {Capability.PROCESS_NODES, Capability.AUDIT_LOG}
    assert reason_not_to_run(needs, provider("bundled")) is None
    assert (
        reason_not_to_run(needs, provider("kind"))
        == "not run on kind: needs process nodes, the audit log"
    )


def test_without_docker_kind_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    assert reason_not_to_run(set(), KindProvider()) == "not run on kind: Docker is not installed"


def test_current_is_the_cluster_of_the_kubeconfig(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    current = CurrentProvider()
    assert reason_not_to_run({Capability.CONTAINERS}, current) is None
    with current.cluster(tmp_path) as provided, KubeClient(provided.kubeconfig) as client:
        assert client.find("v1", "Namespace", "kube-system")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert "no kubeconfig at" in (reason_not_to_run(set(), current) or "")


def complaint_of_kind(file: Path) -> str:
    """What kind says when it is to make a cluster where no Docker can be reached."""
    answer = subprocess.run(
        [ensure("kind")["kind"], "create", "cluster", f"--config={file}", "--name=never"],
        env={"PATH": os.environ["PATH"], "DOCKER_HOST": "unix:///nowhere", "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode != 0
    return answer.stderr


def test_kind_itself_accepts_the_configuration(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(CONFIGURATION.read_text().replace("labels:", "label:"))
    assert "field label not found" in complaint_of_kind(broken), "else this test proves nothing"
    assert "decode" not in complaint_of_kind(CONFIGURATION)


def test_the_api_server_accepts_the_manifests_for_kind(kube: KubeClient) -> None:
    manifests = load_manifests([PROMETHEUS])
    assert {m["kind"] for m in manifests} >= {"Deployment", "Service", "ConfigMap"}
    kube.apply(*manifests)
    kube.delete("v1", "Namespace", "monitoring")


def test_prometheus_on_kind_names_pods_as_the_bundled_one_does(cluster: Cluster) -> None:
    bundled = configuration(
        PrometheusSettings(
            scrape_interval_seconds=2,
            api_url=cluster.api_url,
            ca_file=cluster.ca_file,
            users=UserFiles(folder=cluster.state_folder),
            pods=cluster.pods,
            exporter_address=cluster.exporter_address,
            extra_targets=cluster.scrape_targets,
        )
    )
    [config_map] = [m for m in load_manifests([PROMETHEUS]) if m["kind"] == "ConfigMap"]
    on_kind = config_map["data"]["prometheus.yml"]
    assert identity_labels(on_kind) == identity_labels(bundled) == {"namespace", "pod", "node"}


def identity_labels(text: str) -> set[str]:
    job: Manifest = yaml.safe_load(text)["scrape_configs"][0]
    assert job["job_name"] == "triton"
    written = {rule.get("target_label", "_") for rule in job["relabel_configs"]}
    return {label for label in written if not label.startswith("_")} - {"instance"}


def test_the_image_is_loaded_into_the_cluster_that_was_made(cluster_programs: Binaries) -> None:
    assert cluster_programs
    build, create, load = creation(ensure("kind"), "name", Path("kubeconfig"))
    assert build[:2] == ("docker", "build")
    assert create[create.index("--name") + 1] == load[load.index("--name") + 1] == "name"
    assert build[build.index("--tag") + 1] in load
