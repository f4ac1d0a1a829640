"""The command as a person calls it: exit codes, one-line errors, nothing heavy at start."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from inference_cost.cli.main import main
from tests.unit.act_status.views import attained, plan
from tests.unit.cli.objects import decided
from tests.unit.cli.served import served

FORBIDDEN = {"kind": "Status", "reason": "Forbidden", "code": 403}
NO_OBJECT = {"kind": "Status", "details": {"name": "resnet", "kind": "inferencecostpolicies"}}


@contextmanager
def api_server(status: int, body: Any) -> Iterator[str]:
    """An HTTP server that always gives one answer; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as url:
        yield url


def kubeconfig(folder: Path, server: str) -> str:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [
            {"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "team-a"}}
        ],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(content))
    return str(file)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["kubectl-inference_cost", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


VIOLATED = decided(plan(attainment=attained(0.5)))
ANSWERS: dict[str, tuple[int, Any, int, str]] = {
    "a decided policy": (200, decided(), 0, ""),
    "a violated objective": (200, VIOLATED, 4, ""),
    "no such policy": (404, NO_OBJECT, 3, "error: no InferenceCostPolicy 'resnet' in namespace 'team-a'"),
    "the CRD is not installed": (
        404, "404 page not found\n", 3, "error: this cluster has no InferenceCostPolicy: install",
    ),
    "not allowed": (403, FORBIDDEN, 1, "error: you may not read inferencecostpolicies.inferencecost.dev"),
    "not logged in": (401, {}, 1, "error: the API server refuses your credentials"),
    "a broken API server": (500, "oops", 1, "error: the API server answered with status 500"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", ANSWERS)
def test_explain(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    status, body, code, error = ANSWERS[sentence]
    with api_server(status, body) as url:
        config = kubeconfig(tmp_path, url)
        assert run(monkeypatch, "explain", "resnet", "--kubeconfig", config) == code
    printed = capsys.readouterr()
    assert printed.err.startswith(error)
    assert printed.err.count("\n") == (1 if error else 0)
    assert ("Chosen" in printed.out) == (code in (0, 4))
    assert "\033[" not in printed.out


def test_explain_without_a_name_tells_of_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with api_server(200, {"items": [decided(), VIOLATED]}) as url:
        config = kubeconfig(tmp_path, url)
        assert run(monkeypatch, "explain", "-A", "-o", "json", "--kubeconfig", config) == 4
        assert [one["sloViolated"] for one in json.loads(capsys.readouterr().out)] == [False, True]
        assert run(monkeypatch, "explain", "--kubeconfig", config) == 4
        assert capsys.readouterr().out.count("Recommend for Deployment/resnet") == 2


def test_status_lists_and_fails_on_a_violated_objective(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with api_server(200, {"items": [decided(), VIOLATED]}) as url:
        config = kubeconfig(tmp_path, url)
        assert run(monkeypatch, "status", "-A", "-o", "json", "--kubeconfig", config) == 4
        rows = json.loads(capsys.readouterr().out)
        assert [row["slo"] for row in rows] == ["Unknown", "Violated"]
        assert run(monkeypatch, "status", "--kubeconfig", config) == 4
        assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize("command", ["status", "explain"])
def test_an_empty_list_says_where_else_to_look(
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    with api_server(200, {"items": []}) as url:
        assert run(monkeypatch, command, "--kubeconfig", kubeconfig(tmp_path, url)) == 0
    assert capsys.readouterr().out == "No policies here; -A looks in all namespaces.\n"


def test_an_unreachable_api_server_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with api_server(200, {}) as url:
        config = kubeconfig(tmp_path, url)
    assert run(monkeypatch, "explain", "resnet", "--kubeconfig", config) == 1
    assert capsys.readouterr().err.startswith(f"error: cannot reach the API server {url}: ")


BAD_FILES = {
    "no such file": None,
    "an empty file": "",
    "no YAML": "a: [",
    "no context": "{apiVersion: v1, kind: Config, clusters: [], users: [], contexts: []}",
}


@pytest.mark.parametrize("sentence", BAD_FILES)
def test_a_kubeconfig_that_cannot_be_used_is_one_sentence(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    file, content = tmp_path / "config", BAD_FILES[sentence]
    if content is not None:
        file.write_text(content)
    assert run(monkeypatch, "explain", "resnet", "--kubeconfig", str(file)) == 1
    assert capsys.readouterr().err.startswith("error: no usable kubeconfig: ")


def test_an_unknown_context_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = kubeconfig(tmp_path, "http://127.0.0.1:1")
    arguments = ("explain", "resnet", "--kubeconfig", config, "--context", "there")
    assert run(monkeypatch, *arguments) == 1
    assert "there" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "a", "-A"),
        ("explain", "--since", "1h"),
        ("explain", "a", "-o", "xml"),
        ("guess",),
        ("explain", "a", "--odd"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, *arguments) == 2


def test_usage_names_the_plugin_as_kubectl_calls_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "explain", "-h") == 0
    assert capsys.readouterr().out.startswith("Usage: kubectl inference-cost explain [OPTIONS]")


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "version") == 0
    assert "inferencecost.dev/v1alpha1" in capsys.readouterr().out


def test_help_does_not_load_the_kubernetes_client() -> None:
    code = (
        "import sys, inference_cost.cli.main;"
        "sys.exit(any(m.split('.')[0] in ('kubernetes', 'aiohttp', 'kopf') for m in sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert ended.returncode == 0
