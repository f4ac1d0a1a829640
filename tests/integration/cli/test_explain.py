"""The command against a real API server, as kubectl would run it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.rig.binaries import Binaries
from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, wait_for
from tests.unit.act_status.views import attained, plan
from tests.unit.cli.objects import decided

NAMESPACE = "team-a"
COMMAND = Path(sys.executable).with_name("kubectl-inference_cost")


@pytest.fixture(scope="module")
def kube(own_cluster: Cluster) -> Iterator[KubeClient]:
    with KubeClient(own_cluster.kubeconfig) as client:
        yield client


def run(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(COMMAND), *arguments, "--kubeconfig", str(kubeconfig)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_before_the_operator_is_installed(own_cluster: Cluster) -> None:
    for arguments in (("explain", "resnet"), ("status", "-A")):
        done = run(own_cluster.kubeconfig, *arguments)
        assert done.returncode == 3
        assert done.stderr.startswith("error: this cluster has no InferenceCostPolicy: install")


@pytest.fixture(scope="module")
def policy(kube: KubeClient) -> str:
    """A policy whose status says that its objective is violated."""
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    kube.apply_files(*sorted(Path("crds").glob("*.yaml")))
    made = decided(plan(attainment=attained(0.5)))
    status = made.pop("status")
    made["metadata"] = {"name": "resnet", "namespace": NAMESPACE}
    made["spec"] |= {"maxReplicas": 9, "slo": {"latency": {"thresholdMilliseconds": 100}}}
    kube.create(made, namespace=NAMESPACE)
    path = f"/apis/inferencecost.dev/v1alpha1/namespaces/{NAMESPACE}/inferencecostpolicies/resnet/status"
    kube.request(
        "PATCH", path, body={"status": status}, content_type="application/merge-patch+json"
    )
    return "resnet"


def test_explain_tells_the_decision_and_fails_on_a_violated_objective(
    own_cluster: Cluster, policy: str
) -> None:
    done = run(own_cluster.kubeconfig, "explain", policy, "-n", NAMESPACE)
    assert done.returncode == 4
    assert done.stdout.startswith("team-a/resnet: Recommend for Deployment/resnet, decided ")
    assert "Violated. 50.00 % of 4000 requests" in " ".join(done.stdout.split())
    assert done.stderr == ""


@pytest.mark.usefixtures("policy")
def test_status_lists_it(own_cluster: Cluster) -> None:
    done = run(own_cluster.kubeconfig, "status", "-A", "-o", "json")
    assert done.returncode == 4
    assert [row["name"] for row in json.loads(done.stdout)] == ["resnet"]


@pytest.mark.usefixtures("policy")
def test_plan_shows_what_would_be_changed(own_cluster: Cluster) -> None:
    done = run(own_cluster.kubeconfig, "plan", "-n", NAMESPACE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:6] == [
        "--- team-a/Deployment/resnet",
        "+++ team-a/Deployment/resnet  (InferenceCostPolicy/resnet, Recommend)",
        "-  replicas: 1",
        "+  replicas: 3",
        "   cost: 4.00 -> 12.00 USD per hour",
        "   nodes to be bought: 8.00 USD per hour",
    ]


def test_pause_and_resume(own_cluster: Cluster, kube: KubeClient, policy: str) -> None:
    def annotations() -> dict[str, str]:
        kind = ("inferencecost.dev/v1alpha1", "InferenceCostPolicy")
        found: dict[str, str] = kube.get(*kind, policy, namespace=NAMESPACE)["metadata"].get(
            "annotations", {}
        )
        return found

    for arguments, told, left in (
        (
            ("pause", policy, "--replicas", "3"),
            "held at 3",
            {"paused": "true", "paused-replicas": "3"},
        ),
        (("resume", policy), "scaled again", {}),
    ):
        done = run(own_cluster.kubeconfig, *arguments, "-n", NAMESPACE)
        assert (done.returncode, done.stderr) == (0, "")
        assert told in done.stdout
        assert annotations() == {f"inferencecost.dev/{key}": value for key, value in left.items()}


@pytest.mark.usefixtures("policy")
def test_another_name_is_not_found(own_cluster: Cluster) -> None:
    done = run(own_cluster.kubeconfig, "explain", "bert", "-n", NAMESPACE)
    assert done.returncode == 3
    assert done.stderr.startswith("error: no InferenceCostPolicy 'bert' in namespace 'team-a'")


def test_somebody_without_rights_is_told_which_role_to_ask_for(
    own_cluster: Cluster, kube: KubeClient, policy: str, tmp_path: Path
) -> None:
    wait_for(
        lambda: kube.find("v1", "ServiceAccount", "default", namespace=NAMESPACE),
        timeout_seconds=15,
        what="the default ServiceAccount",
    )
    token = kube.service_account_token("default", namespace=NAMESPACE)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "clusters": [
            {
                "name": "c",
                "cluster": {
                    "server": own_cluster.api_url,
                    "certificate-authority": str(own_cluster.ca_file),
                },
            }
        ],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(config))
    done = run(file, "explain", policy, "-n", NAMESPACE)
    assert done.returncode == 1
    assert "inference-cost-operator-viewer" in done.stderr


@pytest.mark.usefixtures("policy")
def test_kubectl_finds_the_plugin(
    own_cluster: Cluster, cluster_programs: Binaries, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / COMMAND.name).symlink_to(COMMAND)
    assert shutil.which(COMMAND.name, path=str(folder))
    done = subprocess.run(
        [str(cluster_programs["kubectl"]), "inference-cost", "status", "-A"],
        env={"PATH": f"{folder}:/usr/bin:/bin", "KUBECONFIG": str(own_cluster.kubeconfig)},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 4
    assert "resnet" in done.stdout
