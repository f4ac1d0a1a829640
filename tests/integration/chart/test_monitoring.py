"""What the chart renders for those who watch the operator: monitors, rules, dashboards."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.integration.chart.conftest import CHART, Manifest, Render

RULES = Path(CHART) / "rules" / "inference-cost.rules.yaml"


def one(manifests: list[Manifest], kind: str) -> Manifest:
    (found,) = [m for m in manifests if m["kind"] == kind]
    return found


def alerts(rule: Manifest) -> list[dict[str, Any]]:
    return [r for group in rule["spec"]["groups"] for r in group["rules"] if "alert" in r]


def test_a_prometheus_rule_is_the_plain_file(render: Render) -> None:
    labels = {"release": "kube-prometheus-stack"}
    made = one(
        render({"metrics": {"prometheusRule": {"enabled": True, "labels": labels}}}),
        "PrometheusRule",
    )
    assert made["spec"] == yaml.safe_load(RULES.read_text())
    assert labels.items() <= made["metadata"]["labels"].items()


def test_alerts_link_to_where_runbooks_are_served(render: Render) -> None:
    values = {"enabled": True, "runbookUrl": "https://wiki.example.com/gpu/"}
    made = one(render({"metrics": {"prometheusRule": values}}), "PrometheusRule")
    links = {r["alert"]: r["annotations"]["runbook_url"] for r in alerts(made)}
    assert links
    for alert, link in links.items():
        assert link == f"https://wiki.example.com/gpu/{alert}.md"


def test_nothing_of_the_prometheus_operator_is_made_unasked(render: Render) -> None:
    groups = {m["apiVersion"].partition("/")[0] for m in render()}
    assert "monitoring.coreos.com" not in groups


def test_monitors_leave_the_namespace_of_a_policy_alone(render: Render) -> None:
    on = {"enabled": True}
    manifests = render({"metrics": {"podMonitor": on, "serviceMonitor": on}})
    (pods,) = one(manifests, "PodMonitor")["spec"]["podMetricsEndpoints"]
    (service,) = one(manifests, "ServiceMonitor")["spec"]["endpoints"]
    assert pods["honorLabels"] is True
    assert service["honorLabels"] is True


def test_every_dashboard_is_in_a_config_map_of_its_own(render: Render) -> None:
    values = {"enabled": True, "annotations": {"grafana_folder": "Money"}}
    made = [
        m
        for m in render({"metrics": {"dashboards": values}})
        if "dashboard" in m["metadata"]["name"]
    ]
    files = {file.name: file.read_text() for file in (Path(CHART) / "dashboards").glob("*.json")}
    assert len(made) == len(files) == 4
    for one_map in made:
        assert one_map["kind"] == "ConfigMap"
        assert one_map["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert one_map["metadata"]["annotations"] == {"grafana_folder": "Money"}
        ((name, text),) = one_map["data"].items()
        assert json.loads(text) == json.loads(files[name.removeprefix("inference-cost-")])


def test_dashboards_are_made_on_request_alone(render: Render) -> None:
    assert not [m for m in render() if "dashboard" in m["metadata"]["name"]]
