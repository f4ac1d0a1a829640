"""`explain --since`: decisions and what happened, from Events and from the operator's own log."""

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inference_cost.act.reporter import _log_decision
from inference_cost.cli.timeline.entries import Entry, from_events, from_log, in_order, to_text
from inference_cost.control.logs import EventFormatter
from inference_cost.model.policy import PolicyKey
from tests.unit.cli.api import Api, Object, api_server
from tests.unit.cli.fleet.policies import policy
from tests.unit.cli.test_command import kubeconfig, run

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def event(name: str = "resnet", at: datetime = NOON, **changes: Any) -> Object:
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.{at.timestamp():.0f}", "namespace": "team-a"},
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reason": "ScaledOut",
        "note": "Deployment/resnet: 3 to 5 replicas. Seen: 120 requests/s.",
        "type": "Normal",
        "regarding": {"kind": "InferenceCostPolicy", "name": name},
    } | changes


def line(at: datetime = NOON, **changes: Any) -> str:
    fields = {
        "time": at.isoformat(timespec="milliseconds"),
        "event": "decision",
        "policy": "team-a/resnet",
        "action": "ScaleOut",
        "desiredReplicas": 5,
        "limitedBy": "MaxReplicas",
        "why": "Seen: 120 requests/s.",
    }
    return json.dumps(fields | changes)


def test_events_of_the_policy_alone_since_then() -> None:
    other = event() | {"regarding": {"kind": "Deployment", "name": "resnet"}}
    events = [event(), event("bert"), other, event(at=NOON - 2 * HOUR), event(eventTime=None)]
    [found] = from_events(events, "resnet", NOON - HOUR)
    assert (found.what, found.at, found.count) == ("ScaledOut", NOON, 1)


def test_an_event_that_goes_on_is_of_the_time_of_its_last() -> None:
    series = {"count": 3, "lastObservedTime": "2026-01-31T12:10:00.000000Z"}
    [found] = from_events([event(series=series)], "resnet", NOON + timedelta(minutes=5))
    assert (found.count, found.last) == (3, NOON + timedelta(minutes=10))


def test_decisions_of_the_log_without_what_is_not_ours() -> None:
    lines = [
        line(),
        line(policy="team-a/bert"),
        line(event="scale"),
        line(at=NOON - 2 * HOUR),
        "I0131 decision of another program",
        '{"event": "decision"',
        "",
    ]
    [found] = from_log(lines, "team-a/resnet", NOON - HOUR)
    assert (found.what, found.text) == (
        "ScaleOut",
        "5 replicas, limited by MaxReplicas. Seen: 120 requests/s.",
    )


def test_what_the_operator_logs_is_read(caplog: pytest.LogCaptureFixture) -> None:
    """The line as the operator writes it, through its own formatter."""
    key = PolicyKey(namespace="team-a", name="resnet", uid="u")
    with caplog.at_level(logging.INFO):
        _log_decision(key, {}, {"action": "Hold", "desiredReplicas": 2, "message": "Seen: 1."})
    written = EventFormatter().format(caplog.records[-1])
    [found] = from_log([written], "team-a/resnet", datetime.now(UTC) - HOUR)
    assert (found.what, found.text) == ("Hold", "2 replicas. Seen: 1.")


def test_two_logs_with_the_same_line_tell_it_once_and_in_order() -> None:
    lines = [line(at=NOON + HOUR), line(), line()]
    found = in_order(from_log(lines, "team-a/resnet", NOON - HOUR))
    assert [one.at for one in found] == [NOON, NOON + HOUR]


def test_text() -> None:
    entries = [
        Entry(at=NOON, what="ScaleOut", text="5 replicas. Seen: 120 requests/s.\nExpected: more.", source="log"),
        Entry(at=NOON + HOUR, what="SLOViolated", text="Late.", source="Event", warning=True, count=2,
              last=NOON + 2 * HOUR),
    ]  # fmt: skip
    assert to_text(
        "team-a/resnet: the last 24 hours", entries, ["Without Events: why."], color=False
    ) == (
        "team-a/resnet: the last 24 hours\n"
        "  2026-01-31T12:00:00Z  ScaleOut\n"
        "                        5 replicas. Seen: 120 requests/s.\n"
        "                        Expected: more.\n"
        "! 2026-01-31T13:00:00Z  SLOViolated (2 times, the last at 2026-01-31T14:00:00Z)\n"
        "                        Late.\n"
        "Without Events: why."
    )
    assert "Nothing was recorded." in to_text("t", [], [], color=False)


def operator_pod() -> Object:
    labels = {"app.kubernetes.io/name": "inference-cost-operator"}
    return {
        "kind": "Pod",
        "metadata": {"name": "op-1", "namespace": "inference-cost", "labels": labels},
    }


def recent() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)


def history(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    *arguments: str,
) -> tuple[int, dict[str, Any]]:
    with api_server(api) as url:
        config = ("--kubeconfig", kubeconfig(folder, url), "-o", "json")
        code = run(monkeypatch, "explain", "resnet", "--since", "24h", *config, *arguments)
    return code, json.loads(capsys.readouterr().out)


def test_as_a_command_from_events_and_the_log_of_the_operator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = "/api/v1/namespaces/inference-cost/pods/op-1/log"
    api = Api(
        [policy("resnet"), operator_pod(), event(at=recent())],
        documents={log: line(at=recent() - timedelta(minutes=1))},
    )
    code, found = history(api, monkeypatch, capsys, tmp_path)
    assert code == 0
    assert [(one["source"], one["what"]) for one in found["entries"]] == [
        ("log", "ScaleOut"),
        ("Event", "ScaledOut"),
    ]
    assert [one.partition(";")[0] for one in found["remarks"]] == [
        "API servers keep Events for an hour, unless told otherwise"
    ]


def test_as_a_command_with_the_log_in_a_file_and_without_rights(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "operator.log"
    file.write_text(line(at=recent()) + "\n")
    api = Api([policy("resnet")], forbidden=frozenset({"events", "pods"}))
    _, found = history(api, monkeypatch, capsys, tmp_path, "--log", str(file))
    assert [one["source"] for one in found["entries"]] == ["log"]
    assert found["remarks"][0].startswith("Without Events: you may not list events.events.k8s.io")
    _, found = history(api, monkeypatch, capsys, tmp_path)
    assert found["entries"] == []
    assert found["remarks"][1].startswith("Without the operator's log: you may not list pods")


def test_a_log_that_may_not_be_read_is_told_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, found = history(Api([policy("resnet"), operator_pod()]), monkeypatch, capsys, tmp_path)
    assert found["remarks"][1].startswith("Without the log of inference-cost/op-1: ")


USAGE = {
    "no time": (("--since", "yesterday"), 2, "error: --since yesterday"),
    "a log without a time": (("--log", "x"), 2, "error: --log goes with --since"),
    "no such file": (("--since", "1h", "--log", "/nowhere/log"), 3, "error: there is no file"),
}


@pytest.mark.parametrize("sentence", USAGE)
def test_wrong_usage(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    arguments, code, told = USAGE[sentence]
    with api_server(Api([policy("resnet")])) as url:
        config = ("--kubeconfig", kubeconfig(tmp_path, url))
        assert run(monkeypatch, "explain", "resnet", *arguments, *config) == code
    assert capsys.readouterr().err.startswith(told)
