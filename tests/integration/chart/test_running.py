"""The installed operator at work on a process node: two replicas, and which of its rights it uses.

The rights are compared with the API server's audit log: none is missing, none is there for nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from e2e.rig.binaries import Binaries
from e2e.rig.kube import wait_for
from e2e.rig.provisioner.pools import PoolFile, StaticNode
from e2e.rig.stack import OPERATOR_NAMESPACE, Stack, StackSettings
from e2e.scenarios.targets import karpenter_definitions, keda_definition
from tests.integration.chart.conftest import NAMESPACE, RELEASE
from tests.integration.chart.test_rights import LEASE, READ_ONLY, SCALE, Right

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
TEAM = "team-a"

# Rights that a quiet minute does not need, with the test that does.
FIGHT = ("tests/integration/act/test_scale.py", "test_who_undid_our_write_is_named")
NEEDED_LATER: dict[Right, tuple[str, str]] = {
    ("patch", "inferencecostcheckpoints.inferencecost.dev"): (
        "tests/unit/act/test_checkpoints.py",
        "test_a_policy_made_anew_inherits_nothing_and_takes_the_object_over",
    ),
    ("patch", "events.events.k8s.io"): (
        "tests/integration/act/test_status_events_checkpoints.py",
        "test_an_event_said_twice_is_one_event_with_a_count",
    ),
    ("get", "deployments.apps"): FIGHT,
    ("get", "statefulsets.apps"): FIGHT,
}

POOL = {
    "apiVersion": "inferencecost.dev/v1alpha1",
    "kind": "CapacityPool",
    "metadata": {"name": "gpus"},
    "spec": {"nodeSelector": {"matchLabels": {"gpus": "true"}}},
}


def workload(kind: str) -> dict[str, Any]:
    labels = {"app": kind.lower()}
    container = {"name": "server", "image": "nobody/knows:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": kind.lower()},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def policy(kind: str) -> dict[str, Any]:
    return {
        "apiVersion": "inferencecost.dev/v1alpha1",
        "kind": "InferenceCostPolicy",
        "metadata": {"name": kind.lower()},
        "spec": {
            "mode": "Enforce",
            "scaleTargetRef": {"kind": kind, "name": kind.lower()},
            "minReplicas": 2,
            "maxReplicas": 3,
            "slo": {"latency": {"thresholdMilliseconds": 100}},
        },
    }


@pytest.fixture(scope="module")
def stack(
    cluster_programs: Binaries, tools: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """One node without GPUs, the operator on it in two replicas, one policy per kind of target."""
    assert cluster_programs
    assert tools
    settings = StackSettings(
        state_folder=tmp_path_factory.mktemp("running"),
        name="running",
        pools=PoolFile(static_nodes=(StaticNode(name="platform"),)),
    )
    with Stack.start(settings) as started:
        started.kube.apply(keda_definition(), *karpenter_definitions())
        pod_address = {"fieldRef": {"fieldPath": "status.podIP"}}
        started.install_operator(
            {
                "enforce": {"enabled": True},
                "tickSeconds": 1,
                "extraEnv": [{"name": "INFERENCE_COST_HTTP__HOST", "valueFrom": pod_address}],
            }
        )
        started.kube.apply(POOL)
        started.create_namespace(TEAM)
        for kind in ("Deployment", "StatefulSet"):
            started.kube.apply(workload(kind), policy(kind), namespace=TEAM)
        yield started


def replicas(stack: Stack, kind: str) -> int:
    found = stack.kube.get("apps/v1", kind, kind.lower(), namespace=TEAM)
    return int(found["spec"]["replicas"])


def requests_of_the_operator(stack: Stack) -> list[tuple[Right, int]]:
    """(verb and resource, status code) of each request on resources that the operator made."""
    made = []
    for line in stack.cluster.audit_log.read_text().splitlines():
        event = json.loads(line)
        if event["user"]["username"] != ACCOUNT or "objectRef" not in event:
            continue
        named = event["objectRef"]
        resource = "/".join(filter(None, (named["resource"], named.get("subresource"))))
        right = (event["verb"], ".".join(filter(None, (resource, named.get("apiGroup")))))
        made.append((right, int(event.get("responseStatus", {}).get("code", 0))))
    return made


def test_two_replicas_run_on_one_node_and_one_leads(stack: Stack) -> None:
    pods = stack.kube.list("v1", "Pod", namespace=OPERATOR_NAMESPACE)
    assert {p["spec"]["nodeName"] for p in pods} == {"platform"}
    assert [p["status"]["containerStatuses"][0]["ready"] for p in pods] == [True, True]
    lease = stack.kube.get("coordination.k8s.io/v1", "Lease", RELEASE, namespace=OPERATOR_NAMESPACE)
    holder = lease["spec"]["holderIdentity"]
    assert any(holder.startswith(p["metadata"]["name"]) for p in pods)


def query(stack: Stack, expression: str) -> list[dict[str, Any]]:
    with requests.Session() as session:
        session.trust_env = False
        url = f"{stack.prometheus_url}/api/v1/query"
        answer = session.get(url, params={"query": expression}, timeout=5)
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def test_prometheus_scrapes_both_and_a_policy_keeps_its_namespace(stack: Stack) -> None:
    both = "count(inference_cost_leader) == 2 and sum(inference_cost_leader) == 1"
    wait_for(lambda: query(stack, both), timeout_seconds=30, what="one leader of two replicas")
    ready = 'inference_cost_condition{type="Ready",status="True"}'
    found = wait_for(lambda: query(stack, ready), timeout_seconds=30, what="a policy")
    assert {one["metric"]["namespace"] for one in found} == {TEAM}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_it_scales_with_its_own_service_account(kind: str, stack: Stack) -> None:
    wait_for(lambda: replicas(stack, kind) == 2, timeout_seconds=30, what=f"two of {kind}")
    assert (("patch", f"{kind.lower()}s/scale.apps"), 200) in requests_of_the_operator(stack)


def test_every_right_is_used_and_none_is_missing(stack: Stack) -> None:
    granted = READ_ONLY | SCALE | LEASE

    def all_used() -> bool:
        used = {right for right, code in requests_of_the_operator(stack) if code < 400}
        return used >= granted - set(NEEDED_LATER)

    wait_for(all_used, timeout_seconds=30, what="every right in use")
    made = requests_of_the_operator(stack)
    assert {right for right, _ in made} <= granted
    assert [right for right, code in made if code in (401, 403)] == []


@pytest.mark.parametrize(("file", "test"), sorted(set(NEEDED_LATER.values())))
def test_a_right_that_is_needed_later_has_its_test(file: str, test: str) -> None:
    assert f"def {test}(" in Path(file).read_text()
