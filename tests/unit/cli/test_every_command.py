"""What holds for every command: kubectl's flags, exit codes, no color where nobody sees it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
import yaml

from inference_cost.cli.main import app
from tests.unit.cli.api import Api, Object, api_server
from tests.unit.cli.doctor.test_command import INSTALLED, REVIEWS, operator, serving
from tests.unit.cli.scan.clusters import hpa
from tests.unit.cli.test_command import kubeconfig, run

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
NOBODY = "http://127.0.0.1:9"
VIOLATED = {"type": "SLOMet", "status": "False", "reason": "Violated", "message": "80 %"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How a command is called on `cluster()`, and its exit code.

    `violated`: the code where an objective is; `absent`: arguments that name what is not there, None where it needs
    nothing; `colored`: on a terminal.
    """

    call: tuple[str, ...] = ()
    code: int = 0
    violated: int = 0
    absent: tuple[str, ...] | None = None
    reads_cluster: bool = True
    one_object: bool = False  # takes no -A
    colored: bool = False


PROMETHEUS = ("--prometheus-url", NOBODY)
ROWS: dict[str, Row] = {
    "explain": Row(call=("resnet",), violated=4, absent=("bert",), colored=True),
    "status": Row(violated=4, colored=True),
    "plan": Row(absent=("bert",), colored=True),
    "pause": Row(call=("resnet",), absent=("bert",), one_object=True),
    "resume": Row(call=("resnet",), absent=("bert",), one_object=True),
    "doctor": Row(call=PROMETHEUS, code=1, violated=1, colored=True),
    "adopt": Row(call=("resnet", "--force"), absent=("bert",), one_object=True),
    "backtest": Row(
        call=("-f", "no-file.yaml", "--arrivals", "no-file.csv"),
        code=3,
        violated=3,
        absent=("-f", "no-file.yaml", "--arrivals", "no-file.csv"),
        one_object=True,
    ),
    "chargeback": Row(call=PROMETHEUS, code=1, violated=1, reads_cluster=False),
    "pools": Row(),
    "scan": Row(call=PROMETHEUS, colored=True),
    "reconcile": Row(absent=("--focus", "no-file.csv")),
    "report": Row(call=PROMETHEUS, code=1, violated=1),
    "savings": Row(),
    "split": Row(
        call=("deploy/resnet", "--pools", "a,b", "--threshold-milliseconds", "100"),
        absent=("deploy/bert", "--pools", "a,b"),
        one_object=True,
    ),
    "version": Row(reads_cluster=False),
}
ASKS_PROMETHEUS_FIRST = ("report",)
READING = [name for name, row in ROWS.items() if row.reads_cluster]


def pool(name: str) -> Object:
    selector = {"matchLabels": {"karpenter.sh/nodepool": name}}
    return {
        "apiVersion": "inferencecost.dev/v1alpha1",
        "kind": "CapacityPool",
        "metadata": {"name": name},
        "spec": {"nodeSelector": selector},
    }


@contextmanager
def cluster(folder: Path, *, violated: bool = False) -> Iterator[str]:
    """A kubeconfig. One fleet under Enforce with a HorizontalPodAutoscaler, which `doctor` finds wrong."""
    objects = [*operator(), *serving(), hpa("team-a", "resnet"), pool("a"), pool("b")]
    policy = next(one for one in objects if one["kind"] == "InferenceCostPolicy")
    objective = {"latency": {"thresholdMilliseconds": 100, "target": "99.0"}}
    policy["spec"] |= {"minReplicas": 1, "maxReplicas": 8, "slo": objective}
    if violated:
        kept = [one for one in policy["status"]["conditions"] if one["type"] != "SLOMet"]
        policy["status"]["conditions"] = [*kept, VIOLATED]
        policy["status"]["slo"]["state"] = "Violated"
    with api_server(Api(objects, documents=INSTALLED, reviews=REVIEWS)) as url:
        yield kubeconfig(folder, url)


def test_the_table_has_every_command() -> None:
    assert set(ROWS) == set(COMMANDS)


@pytest.mark.parametrize("name", READING)
def test_flags_of_kubectl(name: str) -> None:
    """-A is of what lists: kubectl refuses a name with it."""
    options = {option for one in COMMANDS[name].params for option in one.opts}
    wanted = {"-n", "--namespace", "--context", "--kubeconfig", "-o", "--output"}
    wanted |= set() if ROWS[name].one_object else {"-A", "--all-namespaces"}
    assert wanted <= options


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("violated", [False, True])
def test_exit_code_and_no_color_in_a_pipe(
    name: str,
    violated: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    row = ROWS[name]
    with cluster(tmp_path, violated=violated) as config:
        reached = ("--kubeconfig", config) if row.reads_cluster else ()
        code = run(monkeypatch, name, *row.call, *reached)
    told = capsys.readouterr()
    assert code == (row.violated if violated else row.code), told
    assert "\033" not in told.out + told.err
    if told.err and code:
        assert (told.err.startswith("error: "), told.err.count("\n")) == (True, 1)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.colored])
def test_color_on_a_terminal_unless_it_is_not_wanted(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with cluster(tmp_path) as config:
        arguments = (name, *ROWS[name].call, "--kubeconfig", config)
        for wanted in (True, False):
            monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
            monkeypatch.setenv("NO_COLOR", "" if wanted else "1")
            run(monkeypatch, *arguments)
            assert ("\033" in capsys.readouterr().out) is wanted


@pytest.mark.parametrize("name", ROWS)
def test_wrong_usage(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, name, *ROWS[name].call, "--no-such-option") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "\033" not in told.err


@pytest.mark.parametrize("name", ROWS)
def test_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, name, "-h") == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"Usage: kubectl inference-cost {name} ")
    assert "\033" not in told.out


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.absent is not None])
def test_what_is_not_there(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with cluster(tmp_path) as config:
        assert run(monkeypatch, name, *ROWS[name].absent or (), "--kubeconfig", config) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert (told.err.startswith("error: "), told.err.count("\n")) == (True, 1)


@pytest.mark.parametrize("name", ["explain", "status", "plan", "savings"])
def test_without_the_custom_resources(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with api_server(Api(absent=frozenset({"inferencecostpolicies"}))) as url:
        assert run(monkeypatch, name, "--kubeconfig", kubeconfig(tmp_path, url)) == 3


def files_of_a_backtest(folder: Path) -> tuple[str, ...]:
    """Without a profile, which it then asks the cluster for."""
    policy = next(one for one in serving() if one["kind"] == "InferenceCostPolicy")
    spec = policy["spec"] | {"minReplicas": 1, "maxReplicas": 8}
    spec |= {"slo": {"latency": {"thresholdMilliseconds": 100, "target": "99.0"}}}
    del policy["status"]
    (folder / "policy.yaml").write_text(yaml.safe_dump(policy | {"spec": spec}))
    (folder / "arrivals.csv").write_text("t_s,count\n" + "".join(f"{t},5\n" for t in range(900)))
    return ("-f", str(folder / "policy.yaml"), "--arrivals", str(folder / "arrivals.csv"))


@pytest.mark.parametrize("name", READING)
def test_no_kubeconfig(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call = files_of_a_backtest(tmp_path) if name == "backtest" else ROWS[name].call
    assert run(monkeypatch, name, *call, "--kubeconfig", str(tmp_path / "none")) == 1
    told = capsys.readouterr()
    assert told.err.startswith("error: ")
    assert "no usable kubeconfig: " in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("name", READING)
def test_an_api_server_that_does_not_answer(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call = files_of_a_backtest(tmp_path) if name == "backtest" else ROWS[name].call
    assert run(monkeypatch, name, *call, "--kubeconfig", kubeconfig(tmp_path, NOBODY)) == 1
    told = capsys.readouterr()
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    if name not in ASKS_PROMETHEUS_FIRST:
        assert f"cannot reach the API server {NOBODY}: " in told.err
        assert "Connection refused" in told.err
        assert "HTTPConnectionPool" not in told.err


@pytest.mark.parametrize("name", READING)
def test_ctrl_c(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kubernetes.config.load_kube_config", interrupted)
    call = files_of_a_backtest(tmp_path) if name == "backtest" else ROWS[name].call
    assert run(monkeypatch, name, *call, "--kubeconfig", "any") == 130
