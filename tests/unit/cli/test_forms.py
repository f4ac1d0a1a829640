"""Forms for programs carry the same, and a namespace is that one alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.unit.cli.test_command import run
from tests.unit.cli.test_every_command import cluster

Ask = Callable[..., str]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Ask:
    """What a command prints, with its exit code."""

    def asked(*arguments: str, code: int = 0) -> str:
        with cluster(tmp_path) as config:
            assert run(monkeypatch, *arguments, "--kubeconfig", config) == code
        return capsys.readouterr().out

    return asked


@pytest.mark.parametrize(
    "call",
    [
        ("explain", "resnet"),
        ("explain", "-A"),
        ("explain", "resnet", "--since", "1h", "--log", "/dev/null"),
        ("plan",),
        ("adopt", "resnet"),
        ("pause", "resnet", "--replicas", "3"),
        ("resume", "resnet"),
    ],
)
def test_yaml_is_what_json_is(call: tuple[str, ...], ask: Ask) -> None:
    stored = json.loads(ask(*call, "-o", "json"))
    assert yaml.safe_load(ask(*call, "-o", "yaml")) == stored
    assert stored


def test_a_pause_as_json(ask: Ask) -> None:
    assert json.loads(ask("pause", "resnet", "--replicas", "3", "--dry-run", "-o", "json")) == {
        "namespace": "team-a",
        "name": "resnet",
        "paused": True,
        "replicas": 3,
        "dryRun": True,
        "message": "team-a/resnet: paused, held at 3 replicas (dry run: nothing was stored)",
    }


def test_split_as_one_list(ask: Ask) -> None:
    call = ("split", "deploy/resnet", "--pools", "a,b", "--threshold-milliseconds", "100")
    printed = [one for one in yaml.safe_load_all(ask(*call)) if one]
    assert json.loads(ask(*call, "-o", "json")) == {
        "apiVersion": "v1",
        "kind": "List",
        "items": printed,
    }


def test_pools_of_a_namespace(ask: Ask) -> None:
    everywhere = json.loads(ask("pools", "-A", "-o", "json"))
    assert everywhere == json.loads(ask("pools", "-n", "team-a", "-o", "json"))
    assert everywhere[0]["nodes"] == 2
    assert json.loads(ask("pools", "-n", "nobody", "-o", "json")) == []
    assert ask("pools", "-n", "nobody").startswith("No pod of namespace nobody runs on a node")


def test_owners_of_a_namespace(ask: Ask) -> None:
    def owners(*where: str) -> set[str]:
        told = json.loads(ask("reconcile", *where, "-o", "json"))
        assert len(told["nodes"]) == 2, "nodes are of no namespace"
        return {one["owner"] for one in told["owners"]}

    assert owners("-n", "team-a") == {"team-a/resnet"}
    assert owners("-n", "nobody") == set()
    assert owners("-A") == owners() >= {"team-a/resnet"}


@pytest.mark.parametrize("command", ["scan", "pools", "reconcile"])
def test_one_namespace_or_all(command: str, ask: Ask) -> None:
    ask(command, "-n", "team-a", "-A", code=2)


def test_a_bill_is_of_no_namespace(ask: Ask) -> None:
    ask("reconcile", "-n", "team-a", "--focus", "export.csv", code=2)
