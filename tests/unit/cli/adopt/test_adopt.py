"""The hand-over as a script: what it says and in which order, and when it is too early for it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from inference_cost.cli.adopt.handover import restorable
from tests.unit.cli.api import Api, Object, api_server
from tests.unit.cli.fleet.policies import policy, unseen
from tests.unit.cli.scan.clusters import hpa, scaled_object
from tests.unit.cli.scan.test_command import expect
from tests.unit.cli.test_command import kubeconfig, run

GOLDEN = Path(__file__).parent / "golden"
WITH_KEDA = frozenset({"nodeoverlays", "nodepools"})


def ready(**changes: Any) -> Object:
    """A policy that is as it should be before a hand-over."""
    conditions = {"Accepted": ("True", "Accepted"), "MetricsAvailable": ("True", "MetricsFresh")}
    made = policy("resnet", **({"conditions": conditions} | changes))
    made["status"]["profile"] = {"alphaMicroseconds": 1000}
    made["spec"] |= {"minReplicas": 1, "maxReplicas": 8}
    return made


def owned(kind: str, name: str, **labels: str) -> Object:
    made = hpa("team-a", "resnet")
    made["metadata"] |= {
        "labels": labels,
        "ownerReferences": [{"kind": kind, "name": name, "controller": True}],
    }
    return made


def written() -> Object:
    """An HPA with what the API server adds, from Git, with a behavior."""
    made = hpa("team-a", "resnet")
    made["metadata"] |= {
        "uid": "1",
        "resourceVersion": "7",
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "a"},
    }
    made["spec"]["behavior"] = {"scaleDown": {"stabilizationWindowSeconds": 60}}
    made["status"] = {"currentReplicas": 4}
    return made


SCRIPTS: dict[str, Api] = {
    "hpa": Api([ready(), written()]),
    "keda": Api(
        [ready(), scaled_object("team-a", "resnet"), owned("ScaledObject", "resnet-keda")],
        absent=WITH_KEDA,
    ),
    "nobody": Api([ready()]),
}


def adopted(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    *arguments: str,
) -> tuple[int, str, str]:
    with api_server(api) as url:
        config = ("--kubeconfig", kubeconfig(folder, url))
        code = run(monkeypatch, "adopt", "resnet", *config, *arguments)
    assert api.patched == []
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    code, out, err = adopted(SCRIPTS[name], monkeypatch, capsys, tmp_path)
    assert (code, err) == (0, "")
    expect(f"{name}.sh", out, GOLDEN)
    checked = subprocess.run(["sh", "-n"], input=out, check=False, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def calls_of(script: str, folder: Path) -> list[list[str]]:
    """Runs it with a kubectl that only notes how it was called."""
    file = folder / "kubectl"
    file.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {folder}/calls\n')
    file.chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    subprocess.run(["sh", "-c", script], check=True, cwd=folder, env=environment)
    return [line.split() for line in (folder / "calls").read_text().splitlines()]


def test_it_is_enforced_and_waited_for_before_anything_is_deleted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, out, _ = adopted(SCRIPTS["hpa"], monkeypatch, capsys, tmp_path)
    calls = calls_of(out, tmp_path)
    verbs = [call[2] if call[0] == "-n" else call[1] for call in calls]
    assert verbs == ["patch", "wait", "delete", "wait", "explain"]
    assert calls[1][4] == "--for=condition=Conflicted=True"
    kept = yaml.safe_load((tmp_path / "resnet-hpa.undo.yaml").read_text())
    assert kept["spec"] == written()["spec"]
    assert kept["metadata"]["annotations"] == {"team": "a"}
    assert not {"uid", "resourceVersion"} & kept["metadata"].keys()
    assert "status" not in kept


def test_nothing_is_kept_of_what_the_api_server_added() -> None:
    assert restorable(hpa("team-a", "resnet")) == hpa("team-a", "resnet")


EARLY: dict[str, tuple[Object, str]] = {
    "not looked at": (unseen("resnet"), "the operator has not looked at the policy yet"),
    "no metrics": (
        ready(conditions={"MetricsAvailable": ("False", "Stale", "No scrape.")}),
        "MetricsAvailable=False (Stale): No scrape.",
    ),
    "refused": (ready(conditions={"Accepted": ("False", "InvalidSpec", "Fix.")}), "Accepted=False"),
    "nothing learned": (
        {**ready(), "status": {k: v for k, v in ready()["status"].items() if k != "profile"}},
        "nothing is learned yet",
    ),
}


@pytest.mark.parametrize("sentence", EARLY)
def test_too_early(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    made, why = EARLY[sentence]
    code, out, err = adopted(Api([made, hpa("team-a", "resnet")]), monkeypatch, capsys, tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("error: it is too early to hand over to team-a/resnet: ")
    assert why in err
    code, out, _ = adopted(
        Api([made, hpa("team-a", "resnet")]), monkeypatch, capsys, tmp_path, "--force"
    )
    assert (code, out.startswith("#!/bin/sh")) == (0, True)


REFUSED: dict[str, tuple[Api, int, str]] = {
    "no policy": (Api(), 3, "no InferenceCostPolicy 'resnet'"),
    "an HPA that somebody makes": (
        Api([ready(), owned("InferenceService", "resnet")]), 1,
        "HorizontalPodAutoscaler/resnet-hpa belongs to InferenceService/resnet",
    ),
    "what KEDA left behind": (
        Api([ready(), owned("ScaledObject", "gone")]), 1, "is of ScaledObject/gone, which is not there",
    ),
    "HPAs that may not be read": (
        Api([ready()], forbidden=frozenset({"horizontalpodautoscalers"})), 1, "you may not list",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_refusals(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    api, code, why = REFUSED[sentence]
    found, out, err = adopted(api, monkeypatch, capsys, tmp_path)
    assert (found, out) == (code, "")
    assert why in err


def test_json_carries_script_and_undo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, out, _ = adopted(SCRIPTS["hpa"], monkeypatch, capsys, tmp_path, "-o", "json")
    found = json.loads(out)
    assert found["from"][0] | {"rule": ""} == {
        "kind": "HorizontalPodAutoscaler",
        "name": "resnet-hpa",
        "target": "Deployment/resnet",
        "rule": "",
    }
    assert found["hindrances"] == []
    assert all(line in found["script"] for line in found["undo"])


def test_a_paused_scaled_object_has_given_over_already(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    paused = scaled_object("team-a", "resnet")
    paused["metadata"]["annotations"] = {"autoscaling.keda.sh/paused": "true"}
    api = Api([ready(), paused], absent=WITH_KEDA)
    code, out, _ = adopted(api, monkeypatch, capsys, tmp_path)
    assert code == 0
    assert "from nobody" in out
