"""The examples of the repository are accepted, and shown by kubectl as people will see them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.rig.binaries import Binaries
from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient
from inference_cost.api.group import API_VERSION, POLICY
from tests.integration.api.status_table import POLICY as WITH_STATUS
from tests.integration.api.verdict import NAMESPACE, PARSERS, ask, collection

EXAMPLES = Path(__file__).parents[3] / "examples" / "policies"


def _documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(EXAMPLES.glob("*.yaml")):
        for obj in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            yield f"{file.name}: {obj['metadata']['name']}", obj


DOCUMENTS = dict(_documents())


@pytest.mark.parametrize("obj", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_example_is_accepted(crds: KubeClient, obj: dict[str, Any]) -> None:
    parsed = PARSERS[obj["kind"]](obj, strict=True)
    assert ask(crds, "POST", collection(parsed.names, API_VERSION), obj) == ""


def test_there_is_an_example_of_each_mode_and_of_a_pool() -> None:
    shown = {(o["kind"], o["spec"].get("mode", "Recommend")) for o in DOCUMENTS.values()}
    kinds = {("InferenceCostPolicy", "Recommend"), ("InferenceCostPolicy", "Enforce")}
    assert shown >= kinds | {("CapacityPool", "Recommend")}


def test_kubectl_answers_at_a_glance(
    crds: KubeClient, cluster: Cluster, cluster_programs: Binaries
) -> None:
    path = collection(POLICY, API_VERSION)
    made = crds.request("POST", path, body={**WITH_STATUS, "metadata": {"name": "glance"}})
    body = {**made, "status": WITH_STATUS["status"]}
    crds.request("PUT", f"{path}/glance/status", body=body)
    head, row = _kubectl(cluster, cluster_programs, "get", "icp", "glance").splitlines()
    assert " ".join(head.split()) == (
        "NAME TARGET MODE REPLICAS DESIRED SLO COST/H LIMITED-BY READY AGE"
    )
    assert row.split()[:9] == [
        *("glance", "resnet", "Enforce", "3", "4", "Met", "1.578", "MaxReplicas", "True")
    ]


def test_kubectl_explains_each_field(
    crds: KubeClient, cluster: Cluster, cluster_programs: Binaries
) -> None:
    assert crds
    text = _kubectl(cluster, cluster_programs, "explain", "icp.spec.slo.latency")
    assert "thresholdMilliseconds is the time, in milliseconds" in " ".join(text.split())


def _kubectl(cluster: Cluster, programs: Binaries, *arguments: str) -> str:
    command = [str(programs["kubectl"]), "--kubeconfig", str(cluster.kubeconfig), "-n", NAMESPACE]
    return subprocess.run(
        [*command, *arguments], check=True, capture_output=True, text=True, timeout=60
    ).stdout
