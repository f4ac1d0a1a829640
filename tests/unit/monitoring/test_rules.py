"""The rules ask for what is exported, and every alert says what to do."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.monitoring.known_series import RULES, faults, rules

RUNBOOKS = Path("docs/runbooks")
TESTS = Path("tests/integration/rules")
ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
CASES = [
    case
    for file in TESTS.glob("*.test.yaml")
    for test in yaml.safe_load(file.read_text())["tests"]
    for case in test.get("alert_rule_test", ())
]
SECTIONS = ["## What it means", "## How to check", "## What to do"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_for_what_is_exported(rule: dict[str, Any]) -> None:
    assert faults(rule["expr"]) == []


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("inference_cost_leadr == 0", "no series inference_cost_leadr"),
        ('inference_cost_condition{kind="Ready"}', "no label kind on inference_cost_condition"),
        ('inference_cost_condition{type="SloMet"}', "no value SloMet of type"),
        ("sum by (polcy) (inference_cost_policy_hourly_cost)", "no label polcy"),
        ("rate(inference_cost_decisions[5m])", "no series inference_cost_decisions"),
    ],
)
def test_what_is_not_exported_is_found(expression: str, fault: str) -> None:
    assert faults(expression) == [fault]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_severity_a_summary_and_a_runbook(name: str) -> None:
    rule = ALERTS[name]
    assert re.fullmatch(r"InferenceCost[A-Z]\w+", name)
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{name}.md"
    assert rule["for"]


@pytest.mark.parametrize("name", ALERTS)
def test_a_runbook_says_what_it_means_how_to_check_and_what_to_do(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == SECTIONS
    assert "kubectl" in text.partition("## What to do")[0]
    assert len(text.splitlines()) < 40


@pytest.mark.parametrize("name", ALERTS)
def test_a_runbook_links_to_pages_that_exist(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (RUNBOOKS / link).is_file(), link


def test_every_runbook_is_of_an_alert() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == set(ALERTS)


def test_the_page_lists_every_alert_with_its_severity() -> None:
    page = Path("docs/observability.md").read_text()
    listed = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+).md\) \| (\w+) \|", page, re.MULTILINE)
    assert {name: severity for name, link, severity in listed if name == link} == {
        name: rule["labels"]["severity"] for name, rule in ALERTS.items()
    }


@pytest.mark.parametrize("name", ALERTS)
def test_promtool_is_shown_that_an_alert_fires_and_that_it_does_not(name: str) -> None:
    cases = [case for case in CASES if case["alertname"] == name]
    assert {bool(case["exp_alerts"]) for case in cases} == {True, False}


def test_a_change_of_leaders_begins_no_alert_anew() -> None:
    """Except where the pod is what the alert is about."""
    for name, rule in ALERTS.items():
        kept = rule["expr"].count("without (instance, pod, node)")
        assert kept or "inference_cost:" in rule["expr"] or name == "InferenceCostCacheStale"


def test_helm_finds_nothing_of_its_own_in_the_file() -> None:
    """It is not rendered as a template: what is in braces is for Prometheus."""
    braces = set(re.findall(r"{{[^}]*}}", RULES.read_text()))
    assert braces
    assert all(re.match(r"{{ \$(labels|value)", one) for one in braces)
