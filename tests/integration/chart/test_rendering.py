"""What helm renders for the installations that people make."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from inference_cost.control.load_settings import load_settings
from tests.integration.chart.conftest import CHART, Helm, HelmError, Manifest, Render
from tests.integration.chart.values_table import INSTALLATIONS


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [m for m in manifests if m["kind"] == kind]


def pod_of(manifests: list[Manifest]) -> dict[str, Any]:
    (deployment,) = of_kind(manifests, "Deployment")
    template: dict[str, Any] = deployment["spec"]["template"]
    return template


def settings_of(manifests: list[Manifest]) -> str:
    (found,) = [m for m in of_kind(manifests, "ConfigMap") if "settings.yaml" in m["data"]]
    text: str = found["data"]["settings.yaml"]
    return text


@pytest.mark.parametrize("sentence", INSTALLATIONS)
def test_lint(sentence: str, helm: Helm) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", CHART, values=INSTALLATIONS[sentence])


@pytest.mark.parametrize("sentence", INSTALLATIONS)
def test_pods_are_restricted(sentence: str, render: Render) -> None:
    spec = pod_of(render(INSTALLATIONS[sentence]))["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    kinds = {kind for volume in spec["volumes"] for kind in volume} - {"name"}
    assert kinds <= {"configMap", "secret"}


@pytest.mark.parametrize("sentence", INSTALLATIONS)
def test_the_operator_accepts_the_settings_file(
    sentence: str, render: Render, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    values = INSTALLATIONS[sentence]
    file = tmp_path / "settings.yaml"
    file.write_text(settings_of(render(values)))
    monkeypatch.setenv("INFERENCE_COST_CONFIG_FILE", str(file))
    settings = load_settings()
    assert settings.enforce.enabled is values.get("enforce", {}).get("enabled", False)
    assert settings.lease.name == values.get("fullnameOverride", "inference-cost-operator")


def test_values_reach_the_settings(render: Render) -> None:
    written = yaml.safe_load(settings_of(render(INSTALLATIONS["more kinds to scale"])))
    assert written["cluster"]["scale_targets"][0]["kind"] == "Rollout"
    store = INSTALLATIONS["a central store behind a token and mutual TLS"]
    prometheus = yaml.safe_load(settings_of(render(store)))["prometheus"]
    folder = "/etc/inference-cost-operator/prometheus"
    assert prometheus["matchers"] == 'cluster="prod-1", tenant=~"a|b"'
    assert prometheus["bearer_token_file"] == f"{folder}/token"
    assert prometheus["header_files"] == {"X-Api-Key": f"{folder}/key"}
    mounts = pod_of(render(store))["spec"]["containers"][0]["volumeMounts"]
    assert folder in [m["mountPath"] for m in mounts]


def test_free_settings_win_over_named_values(render: Render) -> None:
    placed = INSTALLATIONS["everything that can be placed, labelled and scraped"]
    written = yaml.safe_load(settings_of(render(placed)))
    assert written["loop"] == {"tick_seconds": 3}
    assert written["decision"] == {"rate_window_seconds": 10}


def test_the_global_switch_does_not_restart_the_pods_and_other_settings_do(render: Render) -> None:
    def checksum(values: dict[str, Any]) -> str:
        text: str = pod_of(render(values))["metadata"]["annotations"]["checksum/settings"]
        return text

    assert checksum({"enforce": {"enabled": True}}) == checksum({})
    assert checksum({"tickSeconds": 5}) != checksum({})


def test_two_replicas_may_share_a_node_and_prefer_not_to(render: Render) -> None:
    manifests = render()
    (deployment,) = of_kind(manifests, "Deployment")
    assert deployment["spec"]["replicas"] == 2
    affinity = pod_of(manifests)["spec"]["affinity"]["podAntiAffinity"]
    assert list(affinity) == ["preferredDuringSchedulingIgnoredDuringExecution"]
    (budget,) = of_kind(manifests, "PodDisruptionBudget")
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]


def test_crds_are_kept_on_uninstall_unless_told_otherwise(render: Render) -> None:
    kept = of_kind(render(), "CustomResourceDefinition")
    assert len(kept) == 3
    assert {c["metadata"]["annotations"]["helm.sh/resource-policy"] for c in kept} == {"keep"}
    loose = of_kind(render({"crds": {"keep": False}}), "CustomResourceDefinition")
    assert all("helm.sh/resource-policy" not in c["metadata"]["annotations"] for c in loose)
    assert of_kind(render({"crds": {"install": False}}), "CustomResourceDefinition") == []


def test_the_image_is_named_by_tag_or_by_digest(render: Render) -> None:
    def image(values: dict[str, Any]) -> str:
        text: str = pod_of(render({"image": values}))["spec"]["containers"][0]["image"]
        return text

    assert image({}) == "inference-cost-operator:0.1.0"
    assert image({"tag": "dev"}) == "inference-cost-operator:dev"
    digest = "sha256:" + "b" * 64
    assert image({"tag": "dev", "digest": digest}) == f"inference-cost-operator@{digest}"


def test_placeholders_give_way_to_all_and_the_operator_knows_their_class(render: Render) -> None:
    assert of_kind(render(), "PriorityClass") == []
    manifests = render(INSTALLATIONS["nodes kept ready, under a long name"])
    (found,) = of_kind(manifests, "PriorityClass")
    assert (found["value"], found["preemptionPolicy"]) == (-10, "Never")
    warm = yaml.safe_load(settings_of(manifests))["warm"]
    assert warm == {
        "enabled": True,
        "image": "images.example.com/pause:3.10",
        "priority_class": found["metadata"]["name"],
        "capacity_buffers": False,
        "buffer_priority_class": f"{'a' * 56}-buffer",
    }


def test_buffers_have_a_class_of_their_own_with_their_own_switch(render: Render) -> None:
    warm = {"enabled": True, "capacityBuffers": True}
    manifests = render({"warm": warm})
    classes = {one["metadata"]["name"]: one["value"] for one in of_kind(manifests, "PriorityClass")}
    assert set(classes.values()) == {-10}
    told = yaml.safe_load(settings_of(manifests))["warm"]
    assert {told["priority_class"], told["buffer_priority_class"]} == classes.keys()
    assert of_kind(render({"warm": warm | {"enabled": False}}), "PriorityClass") == []


def test_admission_policies_are_written_as_told_and_by_default_where_they_are_served(
    helm: Helm,
) -> None:
    switches = INSTALLATIONS["everything that may be written, guarded whatever the cluster serves"]
    serves = ("--api-versions", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy")

    def policies(told: str, *flags: str) -> int:
        values = switches | {"rbac": {"admissionPolicies": told}}
        text = helm("template", "r", CHART, *flags, values=values)
        return len(of_kind([m for m in yaml.safe_load_all(text) if m], "ValidatingAdmissionPolicy"))

    assert (policies("Auto"), policies("Auto", *serves)) == (0, 2)
    assert (policies("Always"), policies("Never", *serves)) == (2, 0)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a mistyped name": ({"prometheus": {"urll": "x"}}, "urll"),
    "a URL without a scheme": ({"prometheus": {"url": "prometheus:9090"}}, "/prometheus/url"),
    "a key of a Secret that is not named": (
        {"prometheus": {"caKey": "ca.crt"}}, "/prometheus/existingSecret",
    ),
    "an unknown gateway": ({"gateway": {"preset": "apache"}}, "/gateway/preset"),
    "admission policies neither way": (
        {"rbac": {"admissionPolicies": "Sometimes"}}, "/rbac/admissionPolicies",
    ),
    "the global switch among the free settings": ({"settings": {"enforce": {}}}, "propertyName"),
    "the warm nodes among the free settings": ({"settings": {"warm": {}}}, "propertyName"),
    "the port among the free settings": ({"settings": {"http": {"port": 1}}}, "set httpPort"),
    "the Lease among the free settings": (
        {"settings": {"lease": {"name": "mine"}}}, "set fullnameOverride",
    ),
    "a kind without a plural": (
        {"rbac": {"scaleTargets": [{"kind": "A", "group": "a.b", "version": "v1"}]}}, "plural",
    ),
    "no ServiceAccount at all": ({"serviceAccount": {"create": False}}, "serviceAccount.name"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_wrong_value_is_refused_by_name(sentence: str, render: Render) -> None:
    values, named = REFUSED[sentence]
    with pytest.raises(HelmError, match=named):
        render(values)
