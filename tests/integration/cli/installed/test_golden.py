"""What each command prints on a real cluster, word for word but for names, times and amounts that each run has anew."""

import re
from pathlib import Path

import pytest

from tests.integration.cli.installed.conftest import NAMESPACE, World
from tests.unit.cli.scan.test_command import expect
from tests.unit.cli.test_command import run

GOLDEN = Path(__file__).parent / "golden"
HERE = ("-n", NAMESPACE)
# How much a Prometheus knows minutes after its start is another each time; tests/integration/cli/test_scan.py has days.
NOBODY, PROMETHEUS = "http://127.0.0.1:9", "that of the cluster"
# In the order of the table: the first changes nothing, the last undoes what the one before did.
CALLS: dict[str, tuple[str, ...]] = {
    "explain": ("explain", "resnet", *HERE),
    "explain-since": ("explain", "resnet", *HERE, "--since", "1h"),
    "status": ("status", "-A"),
    "status-wide": ("status", *HERE, "-o", "wide"),
    "status-csv": ("status", *HERE, "-o", "csv"),
    "plan": ("plan", "-A"),
    "adopt": ("adopt", "bert", *HERE, "--force"),
    "pools": ("pools",),
    "pools-of-a-namespace": ("pools", *HERE, "-o", "json"),
    "reconcile": ("reconcile", *HERE),
    "savings": ("savings", "-A"),
    "scan": ("scan", *HERE, "--prometheus-url", NOBODY),
    "split": ("split", "deploy/bert", *HERE, "--pools", "gpu,other"),
    "doctor": ("doctor", "-A", "--prometheus-url", PROMETHEUS),
    "pause": ("pause", "resnet", *HERE, "--replicas", "3"),
    "resume": ("resume", "resnet", *HERE, "-o", "yaml"),
    "version": ("version",),
}
ANEW = (
    (
        re.compile(r"\b(resnet|bert|inference-cost-operator)-[0-9a-f]{8,10}-[0-9a-z]{5}\b"),
        r"\1-POD",
    ),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "PROMETHEUS"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"\r\n"), "\n"),
    (re.compile(r"\d+\.\d{4}\b"), "N.NNNN"),
)


def plain(text: str) -> str:
    for pattern, replacement in ANEW:
        text = pattern.sub(replacement, text)
    return text


@pytest.mark.parametrize("name", CALLS)
def test_what_is_printed(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call = [world.prometheus if one == PROMETHEUS else one for one in CALLS[name]]
    reached = () if name == "version" else ("--kubeconfig", str(world.cluster.kubeconfig))
    code = run(monkeypatch, *call, *reached)
    printed = capsys.readouterr()
    expect(f"{name}.txt", plain(f"exit code {code}\n{printed.err}{printed.out}"), GOLDEN)
