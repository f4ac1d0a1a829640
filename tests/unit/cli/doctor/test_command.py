"""`doctor` as a person calls it, on an API server that answers what it is told."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from inference_cost.cli.doctor.gathering import _as_the_operator, service_in
from inference_cost.cli.prometheus_access import PrometheusAccess
from tests.unit.cli.api import Api, Object, api_server
from tests.unit.cli.doctor.facts import BUDGET, SCHEMAS
from tests.unit.cli.doctor.facts import operator as installed
from tests.unit.cli.doctor.facts import workload as template_of
from tests.unit.cli.fleet.policies import policy
from tests.unit.cli.scan.clusters import fleet, hpa
from tests.unit.cli.scan.test_command import expect
from tests.unit.cli.test_command import kubeconfig, run

GOLDEN = Path(__file__).parent / "golden"
API = "/apis/inferencecost.dev/v1alpha1"
KINDS = {
    "inferencecostpolicies": "InferenceCostPolicy",
    "capacitypools": "CapacityPool",
    "inferencecostcheckpoints": "InferenceCostCheckpoint",
}
PUBLISHED = {
    "components": {
        "schemas": {
            plural: SCHEMAS[plural]
            | {"x-kubernetes-group-version-kind": [{"group": "inferencecost.dev", "kind": kind}]}
            for plural, kind in KINDS.items()
        }
    }
}
INSTALLED: dict[str, Object | str] = {
    API: {"resources": [{"name": plural} for plural in KINDS]},
    f"/openapi/v3{API}": PUBLISHED,
}
SETTINGS = "enforce: {enabled: true}\nprometheus: {url: 'http://127.0.0.1:9'}\n"


def operator() -> list[Object]:
    pod = {
        "serviceAccountName": "operator",
        "volumes": [{"name": "settings", "configMap": {"name": "settings"}}],
    }
    return [
        {
            "kind": "Deployment",
            "metadata": {
                "name": "inference-cost-operator",
                "namespace": "inference-cost",
                "labels": {
                    "app.kubernetes.io/name": "inference-cost-operator",
                    "app.kubernetes.io/version": "0.1.0",
                },
            },
            "spec": {"replicas": 2, "template": {"spec": pod}},
            "status": {"readyReplicas": 2},
        },
        {
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "inference-cost"},
            "data": {"settings.yaml": SETTINGS},
        },
    ]


def serving() -> list[Object]:
    """A fleet under Enforce, as it should be."""
    objects = fleet("team-a", "resnet", 2)
    objects[0]["spec"]["template"]["spec"] = template_of()["spec"]["template"]["spec"]
    budget = {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "resnet", "namespace": "team-a"},
        "spec": BUDGET["spec"] | {"selector": {"matchLabels": {"app": "resnet"}}},
    }
    return [*objects, budget, policy("resnet", mode="Enforce")]


def may(spec: Object) -> bool:
    """All that the account of the operator needs; who runs this may not forward ports."""
    asked = spec["resourceAttributes"]
    marks_pods = (asked["verb"], asked["resource"]) == ("patch", "pods")
    return not marks_pods and asked["subresource"] != "portforward"


REVIEWS: dict[str, Any] = {"subjectaccessreviews": may, "selfsubjectaccessreviews": may}

CLUSTERS: dict[str, tuple[Api, int]] = {
    "as-it-should-be": (Api([*operator(), *serving()], documents=INSTALLED, reviews=REVIEWS), 0),
    "nothing-installed": (Api(absent=frozenset({*KINDS, "scaledobjects", "nodepools"})), 1),
    "conflicts": (
        Api([*operator(), *serving(), hpa("team-a", "resnet")], documents=INSTALLED, reviews=REVIEWS), 1,
    ),
    "few-rights": (
        Api(
            [*operator(), *serving()],
            documents={API: INSTALLED[API]},
            reviews={"selfsubjectaccessreviews": lambda _: False},
            forbidden=frozenset({"deployments", "configmaps", "nodes", "pods", "statefulsets"}),
        ),
        0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLUSTERS)
def test_what_is_printed(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    api, code = CLUSTERS[name]
    with api_server(api) as url:
        arguments = (
            "--prometheus-url",
            "http://127.0.0.1:9",
            "--kubeconfig",
            kubeconfig(tmp_path, url),
        )
        assert run(monkeypatch, "doctor", *arguments) == code
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "\033" not in printed.out
    assert api.patched == []
    expect(f"{name}.txt", printed.out, GOLDEN)


def test_forms_for_programs_carry_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with api_server(Api()) as url:
        arguments = ("doctor", "--kubeconfig", kubeconfig(tmp_path, url))
        assert run(monkeypatch, *arguments, "-o", "json") == 1
        found = json.loads(capsys.readouterr().out)
        assert run(monkeypatch, *arguments, "-o", "yaml") == 1
        assert yaml.safe_load(capsys.readouterr().out) == found
        run(monkeypatch, *arguments)
        text = " ".join(capsys.readouterr().out.split())
    assert all(one["message"] in text and one["fix"] in text for one in found["findings"])


ADDRESSES = {
    "http://prometheus.monitoring.svc:9090": "monitoring/prometheus:9090",
    "http://prometheus.monitoring.svc.cluster.local:9090/prom": "monitoring/prometheus:9090",
    "http://p.m.svc": "m/p:80",
    "https://p.m.svc": "m/p:443",
    "http://prometheus:9090": "",
    "https://prometheus.example.com": "",
    "": "",
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_the_service_behind_the_operator_s_address(url: str) -> None:
    assert service_in(url) == ADDRESSES[url]


def test_prometheus_is_asked_as_the_operator_asks_it() -> None:
    """A store of several clusters, and labels of another scrape configuration."""
    own = {"matchers": 'cluster="a"', "pod_label": "exported_pod"}
    operators = [installed(settings=None), installed(settings={"prometheus": own})]
    found = _as_the_operator(PrometheusAccess(url="http://p"), operators)
    assert (found.url, found.matchers) == ("http://p", 'cluster="a"')
    assert (found.namespace_label, found.pod_label) == ("namespace", "exported_pod")
    told = PrometheusAccess(url="http://p", matchers='cluster="b"')
    assert _as_the_operator(told, operators).matchers == 'cluster="b"'
