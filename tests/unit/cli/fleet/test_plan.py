"""What Enforce would change now, and what stands in the way."""

import json
from pathlib import Path
from typing import Any

import pytest

from inference_cost.cli.fleet.plan import plan_of, to_diff
from tests.unit.cli.api import Api, api_server
from tests.unit.cli.fleet.policies import policy, unseen
from tests.unit.cli.test_command import kubeconfig, run

RECOMMENDED = """\
--- team-a/Deployment/resnet
+++ team-a/Deployment/resnet  (InferenceCostPolicy/resnet, Recommend)
-  replicas: 4
+  replicas: 3
   cost: 3.22 -> 2.41 USD per hour
   saves 0.805 USD per hour, when the nodes that empty are removed
   Seen: 120 requests/s. Expected: up to 150 requests/s.
   not done: spec.mode is Recommend: set it to Enforce"""


def diff(*policies: dict[str, Any], color: bool = False) -> str:
    return to_diff([plan_of(one) for one in policies], color=color)


def test_a_recommendation_as_a_diff() -> None:
    assert diff(policy("resnet")) == RECOMMENDED


def test_colors_are_asked_for() -> None:
    colored = diff(policy("resnet"), color=True)
    assert "\033[31m-  replicas: 4\033[0m" in colored
    assert "\033[32m+  replicas: 3\033[0m" in colored


def test_what_stays_is_not_shown_and_what_is_not_decided_is_named() -> None:
    assert diff(policy("a", desired=4)) == "Nothing would be changed."
    found = diff(policy("a", desired=4), unseen("b"), policy("resnet"))
    assert found == f"{RECOMMENDED}\n\nNothing is decided yet for team-a/b."


def test_each_of_several_variants_is_a_diff_of_its_own() -> None:
    variants = (
        {"name": "spot", "current": 1, "ready": 1, "desired": 4},
        {"name": "od", "current": 3, "ready": 3, "desired": 3},
    )
    found = diff(policy("resnet", variants=variants))
    assert "--- team-a/Deployment/resnet-spot" in found
    assert "+  replicas: 4" in found
    assert "resnet-od" not in found


BLOCKED: dict[str, tuple[dict[str, Any], str]] = {
    "another autoscaler": (
        {"mode": "Enforce", "conditions": {"Conflicted": ("True", "OtherAutoscaler", "HPA/x scales it too.")}},
        "not done: Conflicted=True (OtherAutoscaler): HPA/x scales it too.",
    ),
    "a pause": (
        {"mode": "Enforce", "annotations": {"inferencecost.dev/paused": "true"}},
        "not done: it is paused: `kubectl inference-cost resume`",
    ),
    "a pause of the namespace": (
        {"mode": "Enforce", "conditions": {"Ready": ("True", "Paused")}}, "not done: it is paused",
    ),
    "a spec that is newer than the decision": ({"mode": "Enforce", "observed": 0}, "the spec has changed since"),
    "a spec that is refused": (
        {"mode": "Enforce", "conditions": {"Accepted": ("False", "KindNotEnabled", "enable it")}},
        "not done: Accepted=False (KindNotEnabled): enable it",
    ),
    "nothing": ({"mode": "Enforce"}, "the operator does this by itself now"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BLOCKED)
def test_what_stands_in_the_way(sentence: str) -> None:
    changes, expected = BLOCKED[sentence]
    last = diff(policy("resnet", **changes)).splitlines()[-1]
    assert expected in last
    assert "Recommend" not in last


def test_limit_and_unknown_price_are_told() -> None:
    found = diff(policy("resnet", limited_by="MaxReplicas", per_hour=""))
    assert "   limited by MaxReplicas" in found
    assert "   cost: unknown -> 2.41 USD per hour" in found
    unpriced = diff(policy("resnet", per_hour="", desired_per_hour="", saves_per_hour=""))
    assert "cost" not in unpriced
    assert "saves" not in unpriced


SAVES = {
    "0.00": "saves nothing: no node empties, none is bought",
    "-1.20": "nodes to be bought: 1.20 USD per hour",
}


@pytest.mark.parametrize("per_hour", SAVES)
def test_whether_a_node_empties_is_told(per_hour: str) -> None:
    assert f"   {SAVES[per_hour]}\n" in diff(policy("resnet", saves_per_hour=per_hour))


def test_as_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    api = Api([policy("resnet"), policy("ocr", namespace="team-b")])
    with api_server(api) as url:
        config = ("--kubeconfig", kubeconfig(tmp_path, url))
        assert run(monkeypatch, "plan", "resnet", *config) == 0
        assert capsys.readouterr().out == f"{RECOMMENDED}\n"
        assert run(monkeypatch, "plan", "-A", "-o", "json", *config) == 0
        found = json.loads(capsys.readouterr().out)
        assert [(one["name"], one["changed"]) for one in found] == [("resnet", True), ("ocr", True)]
        assert found[0]["changes"] == [{"target": "Deployment/resnet", "replicas": 4, "desired": 3}]
        assert run(monkeypatch, "plan", "resnet", "-A", *config) == 2
        assert run(monkeypatch, "plan", "other", *config) == 3
