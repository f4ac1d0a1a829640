"""Every right that the chart grants, verb by verb, per switch. A new one turns a row red."""

from typing import Any

import pytest

from tests.integration.chart.conftest import Manifest, Render
from tests.integration.chart.values_table import ROLLOUT

Right = tuple[str, str]  # (verb, resource.group)

OURS = "inferencecost.dev"


def rights(resource: str, *verbs: str) -> set[Right]:
    return {(verb, resource) for verb in verbs}


READ_ONLY: set[Right] = {
    *rights(f"inferencecostpolicies.{OURS}", "list", "watch"),
    *rights(f"capacitypools.{OURS}", "list", "watch"),
    *rights("namespaces", "list", "watch"),
    *rights("nodes", "list", "watch"),
    *rights("pods", "list", "watch"),
    *rights("services", "list", "watch"),
    *rights("horizontalpodautoscalers.autoscaling", "list", "watch"),
    *rights("scaledobjects.keda.sh", "list", "watch"),
    *rights("nodeclaims.karpenter.sh", "list", "watch"),
    *rights("nodeoverlays.karpenter.sh", "list", "watch"),
    *rights("deployments.apps", "get", "list", "watch"),
    *rights("statefulsets.apps", "get", "list", "watch"),
    # Its own objects.
    *rights(f"inferencecostpolicies/status.{OURS}", "patch"),
    *rights(f"capacitypools/status.{OURS}", "patch"),
    *rights(f"inferencecostcheckpoints.{OURS}", "list", "create", "patch"),
    *rights("events.events.k8s.io", "create", "patch"),
}
SCALE: set[Right] = {
    *rights("deployments/scale.apps", "get", "patch"),
    *rights("statefulsets/scale.apps", "get", "patch"),
}
PLACEHOLDERS: set[Right] = rights("deployments.apps", "create", "patch", "delete")
BUFFERS: set[Right] = {
    *rights("capacitybuffers.autoscaling.x-k8s.io", "create", "patch", "delete"),
    *rights("podtemplates", "get", "create", "patch", "delete"),
}
LEASE: set[Right] = rights("leases.coordination.k8s.io", "create", "get", "update")

SWITCHES: dict[str, tuple[dict[str, Any], set[Right]]] = {
    "by default it reads and writes its own objects": ({}, READ_ONLY),
    "with enforce.enabled it may scale, too": ({"enforce": {"enabled": True}}, READ_ONLY | SCALE),
    "with warm.enabled it reads one priority class, too": (
        {"warm": {"enabled": True}},
        READ_ONLY | rights("priorityclasses.scheduling.k8s.io", "get"),
    ),
    "with warm.capacityBuffers it reads these, too": (
        {"warm": {"enabled": True, "capacityBuffers": True}},
        READ_ONLY
        | rights("priorityclasses.scheduling.k8s.io", "get")
        | rights("capacitybuffers.autoscaling.x-k8s.io", "list", "watch"),
    ),
    "without warm.enabled it reads none": ({"warm": {"capacityBuffers": True}}, READ_ONLY),
    "only kinds that are named may be scaled": (
        {"enforce": {"enabled": True}, "rbac": {"scaleTargets": [ROLLOUT]}},
        READ_ONLY
        | rights("rollouts.argoproj.io", "get", "list", "watch")
        | rights("rollouts/scale.argoproj.io", "get", "patch"),
    ),
    "another kind without enforce is read": (
        {"rbac": {"scaleTargets": [ROLLOUT]}},
        READ_ONLY | rights("rollouts.argoproj.io", "get", "list", "watch"),
    ),
    "with scaleInOrder.enabled it may patch pods, too": (
        {"enforce": {"enabled": True}, "scaleInOrder": {"enabled": True}},
        READ_ONLY | SCALE | rights("pods", "patch"),
    ),
    "without enforce it marks no pods": ({"scaleInOrder": {"enabled": True}}, READ_ONLY),
    "without rbac.create nothing is granted": ({"rbac": {"create": False}}, set()),
}


def granted(roles: list[Manifest]) -> set[Right]:
    return {
        (verb, f"{resource}.{group}" if group else resource)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def bound(manifests: list[Manifest], kind: str) -> list[Manifest]:
    """The roles of `kind` that are bound to the operator's ServiceAccount."""
    names = {
        m["roleRef"]["name"]
        for m in manifests
        if m["kind"] == f"{kind}Binding"
        and m["subjects"]
        == [
            {
                "kind": "ServiceAccount",
                "name": "inference-cost-operator",
                "namespace": "inference-cost",
            }
        ]
    }
    return [m for m in manifests if m["kind"] == kind and m["metadata"]["name"] in names]


@pytest.mark.parametrize("sentence", SWITCHES)
def test_rights_in_the_whole_cluster(sentence: str, render: Render) -> None:
    values, allowed = SWITCHES[sentence]
    assert granted(bound(render(values), "ClusterRole")) == allowed


def test_the_lease_is_a_right_in_the_own_namespace_and_by_name(render: Render) -> None:
    (role,) = bound(render(), "Role")
    assert role["metadata"]["namespace"] == "inference-cost"
    assert granted([role]) == LEASE
    named = [rule for rule in role["rules"] if rule["verbs"] != ["create"]]
    assert [rule["resourceNames"] for rule in named] == [["inference-cost-operator"]]


def test_placeholders_are_a_right_in_the_own_namespace_and_their_class_one_by_name(
    render: Render,
) -> None:
    manifests = render({"warm": {"enabled": True}})
    _, role = bound(manifests, "Role")
    assert role["metadata"]["namespace"] == "inference-cost"
    assert granted([role]) == PLACEHOLDERS
    _, reader = bound(manifests, "ClusterRole")
    assert [rule["resourceNames"] for rule in reader["rules"]] == [["inference-cost-operator-warm"]]


def test_buffers_are_a_right_in_the_own_namespace_with_their_switch(render: Render) -> None:
    manifests = render({"warm": {"enabled": True, "capacityBuffers": True}})
    _, role = bound(manifests, "Role")
    assert role["metadata"]["namespace"] == "inference-cost"
    assert granted([role]) == PLACEHOLDERS | BUFFERS
    _, reader = bound(manifests, "ClusterRole")
    assert reader["rules"][0]["resourceNames"] == [
        "inference-cost-operator-warm",
        "inference-cost-operator-warm-buffer",
    ]


def test_nothing_is_granted_by_a_star_and_no_secret_can_be_read(render: Render) -> None:
    values = {"enforce": {"enabled": True}, "warm": {"enabled": True, "capacityBuffers": True}}
    roles = [m for m in render(values) if m["kind"] in ("Role", "ClusterRole")]
    every = granted(roles)
    assert not [right for right in every if "*" in "".join(right)]
    assert not [right for right in every if "secrets" in right[1]]


USERS: dict[str, set[str]] = {
    "inference-cost-operator-viewer": {"view", "edit", "admin"},
    "inference-cost-operator-editor": {"edit", "admin"},
    "inference-cost-operator-pool-editor": set(),
}


@pytest.mark.parametrize("name", USERS)
def test_roles_for_people_join_the_default_ones(name: str, render: Render) -> None:
    def joined(values: Manifest) -> set[str]:
        (role,) = (m for m in render(values) if m["metadata"]["name"] == name)
        prefix = "rbac.authorization.k8s.io/aggregate-to-"
        return {k.removeprefix(prefix) for k in role["metadata"]["labels"] if k.startswith(prefix)}

    assert joined({}) == USERS[name]
    assert joined({"rbac": {"aggregateToDefaultRoles": False}}) == set()
