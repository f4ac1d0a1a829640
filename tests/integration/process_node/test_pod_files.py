"""What a process sees of its pod: token, CA, volumes, environment, host name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.rig.addresses import loopback_address
from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient
from e2e.rig.process_node.background import ProcessNodes
from e2e.rig.process_node.images import ImageTable, python_program
from e2e.rig.process_node.node_object import NodeSpec
from tests.integration.process_node.conftest import PROGRAMS, wait_until_schedulable
from tests.integration.process_node.pods import (
    NODE_SELECTOR,
    POD_ENVIRONMENT,
    TAINT,
    Pods,
    is_ready,
    last_json,
    workload,
)

FALLBACK_NODE = "process-tests-no-namespaces"
HEALTH = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}


@pytest.fixture
def reader(pods: Pods) -> Pods:
    """A namespace whose service account `reader` may list pods, and a ConfigMap."""
    api = "rbac.authorization.k8s.io/v1"
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": pods.namespace}
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    pods.kube.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}},
        {"apiVersion": api, "kind": "Role", "metadata": {"name": "reader"}, "rules": [rule]},
        {
            "apiVersion": api,
            "kind": "RoleBinding",
            "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [subject],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings"},
            "data": {"color": "blue", "note": "written on the map"},
        },
        namespace=pods.namespace,
    )
    return pods


def report_pod(name: str) -> dict[str, Any]:
    color = {"configMapKeyRef": {"name": "settings", "key": "color"}}
    manifest = workload(
        name,
        "report",
        "/etc/settings/deep/note.txt",
        env=[
            *POD_ENVIRONMENT,
            {"name": "COLOR", "valueFrom": color},
            {"name": "SENTENCE", "value": "$(COLOR) is not $$(COLOR) nor $(UNKNOWN)"},
        ],
        readinessProbe=HEALTH,
        volumeMounts=[{"name": "settings", "mountPath": "/etc/settings", "readOnly": True}],
    )
    items = [{"key": "note", "path": "deep/note.txt"}]
    manifest["spec"] |= {
        "serviceAccountName": "reader",
        "volumes": [{"name": "settings", "configMap": {"name": "settings", "items": items}}],
    }
    return manifest


def test_pod_has_its_token_volumes_and_name_at_their_places(
    reader: Pods, nodes: ProcessNodes
) -> None:
    reader.create(report_pod("whole"))
    pod = reader.wait("whole", is_ready, "reports")
    seen = last_json(nodes.log_of(reader.namespace, "whole", "main"))

    assert seen["pods"] == ["whole"], "the token is accepted and has the role's right"
    assert seen["token"].count(".") == 2
    assert seen["file"] == "written on the map"
    assert seen["hostname"] == "whole"
    address = loopback_address(pod["status"]["podIP"])
    assert f"{address} whole" in seen["hosts"]
    environment = seen["environment"]
    assert environment["SENTENCE"] == "blue is not $(COLOR) nor $(UNKNOWN)"
    assert environment["POD_IP"] == address
    assert "KUBECONFIG" not in environment
    assert "PYTEST_CURRENT_TEST" not in environment, "nothing of this machine's environment"
    assert not Path("/etc/settings").exists(), "nothing changes outside the namespace"


@pytest.fixture
def fallback(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessNodes]:
    """A node as on a machine without the right to make mount namespaces."""
    program = python_program(str(PROGRAMS / "workload.py"))
    with ProcessNodes.start(
        kubeconfig=cluster.rig_kubeconfig,
        pods=cluster.pods,
        state_folder=tmp_path_factory.mktemp("fallback"),
        images=ImageTable({"workload": program}),
        mount_namespaces=False,
    ) as nodes:
        nodes.add(NodeSpec(name=FALLBACK_NODE, labels=NODE_SELECTOR, taints=[TAINT]))
        wait_until_schedulable(cluster, FALLBACK_NODE)
        yield nodes
        nodes.remove(FALLBACK_NODE)


def test_without_mount_namespaces_a_kubeconfig_and_real_paths_are_given(
    reader: Pods, fallback: ProcessNodes
) -> None:
    manifest = report_pod("bare")
    manifest["spec"]["nodeName"] = FALLBACK_NODE
    reader.create(manifest)
    reader.wait("bare", is_ready, "reports")
    seen = last_json(fallback.log_of(reader.namespace, "bare", "main"))

    assert seen["pods"] == ["bare"]
    assert seen["argument"].endswith("/deep/note.txt")
    assert seen["argument"] != "/etc/settings/deep/note.txt"
    assert seen["file"] == "written on the map"
    assert seen["token"] == ""
    assert "KUBECONFIG" in reader.events("bare")["NoMountNamespace"]


def test_changed_config_map_reaches_a_running_pod_and_pods_leave_no_folder(
    reader: Pods, nodes: ProcessNodes, kube: KubeClient
) -> None:
    reader.create(report_pod("follower"))
    pod = reader.wait("follower", is_ready, "runs")
    volumes = nodes.volumes_of(pod["metadata"]["uid"])
    note = volumes / "settings" / "deep" / "note.txt"
    assert note.read_text() == "written on the map"
    patch = {"data": {"note": "changed"}}
    kube.merge("v1", "ConfigMap", "settings", patch, namespace=reader.namespace)
    reader.wait("follower", lambda _: note.read_text() == "changed", "sees the change")
    reader.delete("follower")
    reader.wait_gone("follower")
    reader.wait_until(lambda: not volumes.parent.exists(), "its folder to be gone")
