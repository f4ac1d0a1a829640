"""The command with the real simulator on an hour of traffic: the same in all forms, by any number of processes."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inference_cost.cli.backtest.progress import Report
from inference_cost.cli.backtest.result_model import Document, FleetDocument
from inference_cost.cli.backtest.schema import FILE
from tests.unit.cli.backtest.runs import ON_DEMAND, SPOT, objects_file, policy, run
from tests.unit.cli.backtest.schema_check import faults

PROFILE = "fixedMilliseconds=12,perItemMilliseconds=30,maxBatch=16"
HOUR = range(0, 3600, 10)
ONE_SECOND = policy().replace("thresholdMilliseconds: 100", "thresholdMilliseconds: 1000")
COMMAND = "import sys; from inference_cost.cli.main import main; sys.argv[0] = 'backtest'; main()"


def counts(second: int) -> int:
    """40 to 120 requests/s, with a jump."""
    return 400 + second // 9 + (400 if 1800 <= second < 2400 else 0)


def one_policy(folder: Path, *objects: str) -> tuple[str, ...]:
    rows = "".join(f"{at},{counts(at)}\n" for at in HOUR)
    (folder / "hour.csv").write_text(f"t_s,count\n{rows}")
    file = objects_file(folder, ONE_SECOND, ON_DEMAND, *objects)
    return ("-f", file, "--arrivals", str(folder / "hour.csv"), "--profile", PROFILE)


def two_policies(folder: Path) -> tuple[str, ...]:
    """The second has three times the traffic, from ten minutes later on."""
    rows = "".join(
        f"{name},{at + 600 * more},{counts(at) * (1 + 2 * more)}\n"
        for name, more in (("resnet", 0), ("bert", 1))
        for at in HOUR
    )
    (folder / "fleet.csv").write_text(f"policy,t_s,count\n{rows}")
    file = objects_file(folder, ONE_SECOND, ONE_SECOND.replace("resnet", "bert"), ON_DEMAND)
    return ("-f", file, "--arrivals", str(folder / "fleet.csv"), "--profile", PROFILE)


def printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> str:
    assert run(monkeypatch, *arguments, "--no-timings", "--seed", "3") == 0
    found = capsys.readouterr()
    assert found.err == ""
    return found.out


def parsed(text: str) -> dict[str, Any]:
    """Checked against the schema that is published."""
    schema = json.loads(FILE.read_text(encoding="utf-8"))
    found: dict[str, Any] = json.loads(text)
    assert faults(found, schema, schema) == []
    model = FleetDocument if "results" in found else Document
    again = model.model_validate_json(text).model_dump(mode="json", by_alias=True)
    assert {key: value for key, value in again.items() if key != "timings"} == found
    return found


@pytest.mark.parametrize("form", ["table", "json", "csv", "html"])
def test_one_policy_in_one_and_in_two_processes(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = (*one_policy(tmp_path), "--against", "hpa,static,static99", "--bound", "-o", form)
    text = printed(monkeypatch, capsys, *given, "--jobs", "1")
    assert text == printed(monkeypatch, capsys, *given, "--jobs", "2")
    if form == "json":
        found = parsed(text)
        assert [one["name"] for one in found["policies"]] == ["resnet", "hpa", "static", "static99"]
        cheapest = float(found["bound"]["costDollars"])
        assert all(float(one["costDollars"]) > cheapest > 0 for one in found["policies"])
        assert found["notes"] == []


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_fleet_in_one_and_in_two_processes(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = (*two_policies(tmp_path), "--against", "hpa,static,static99", "--bound", "-o", form)
    text = printed(monkeypatch, capsys, *given, "--jobs", "1")
    assert text == printed(monkeypatch, capsys, *given, "--jobs", "2")
    if form == "html":
        assert text.count("<figure>") == 4
        assert "Static peak" in text
        return
    found = parsed(text)
    knobs = [[one["knob"] for one in result["policies"]] for result in found["results"]]
    assert knobs[0][2] != knobs[1][2]
    totals = {one["name"]: float(one["costDollars"]) for one in found["totals"]["policies"]}
    assert list(totals) == ["ours", "hpa", "static", "static99"]
    parts = [result["policies"][2]["costDollars"] for result in found["results"]]
    assert totals["static"] == pytest.approx(sum(map(float, parts)), abs=1e-3)
    assert found["summary"].startswith("Over 60 minutes this fleet of 2")  # 70 less 10


def test_with_spot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "zones.csv").write_text("t_s,z-a,z-b\n0,1,1\n1500,0,1\n2500,1,1\n")
    given = (
        *one_policy(tmp_path, SPOT), "--spot-availability", str(tmp_path / "zones.csv"), "--bound",
        "--against", "hpa,spothedge,on-demand-only",
    )  # fmt: skip
    found = parsed(printed(monkeypatch, capsys, *given, "-o", "json"))
    ratios = {one["name"]: one["ratioBound"] for one in found["policies"]}
    assert ratios == {
        "resnet": "bound",
        "hpa": "bound",
        "spothedge": "spotBound",
        "on-demand-only": "spotBound",
    }
    assert float(found["spotBound"]["costDollars"]) < float(found["bound"]["costDollars"])
    assert "the cheapest possible with spot" in found["summary"]
    assert found["inputs"]["parameters"]["noticeSeconds"] == 120


def test_request_by_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = (*one_policy(tmp_path), "--against", "static", "--bound", "--fidelity", "request")
    found = parsed(printed(monkeypatch, capsys, *given, "-o", "json"))
    assert found["policies"][0]["requests"] == pytest.approx(
        sum(map(counts, HOUR)) - sum(map(counts, range(0, 600, 10))), rel=0.01
    )
    (note,) = found["notes"]
    assert note.startswith("the bound is that of steps of 10 s")


@pytest.mark.parametrize("seconds", [1.0, 2.0, 4.0])
def test_ctrl_c_while_the_processes_of_a_fleet_start(seconds: float, tmp_path: Path) -> None:
    """It goes to all of them; this one alone answers, in one line."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "backtest", *two_policies(tmp_path), "--jobs", "2"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    _wait_for_children(process.pid)
    time.sleep(0.1 * seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert told == "error: interrupted; nothing was written\n"
    assert process.returncode == 130


def _wait_for_children(parent: int) -> None:
    """Until both workers are there (beside the one that tracks resources)."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        told = [_status(one) for one in Path("/proc").glob("[0-9]*/status")]
        if sum(bool(re.search(rf"^PPid:\t{parent}$", text, re.MULTILINE)) for text in told) >= 3:
            return
        time.sleep(0.01)
    raise AssertionError("no process started")


def _status(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_bar_moves_while_the_policy_decides(
    jobs: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In another process by an estimate."""
    monkeypatch.setattr("inference_cost.simulate.backtest.TELL_SECONDS", 0.01)
    told: list[tuple[float, str]] = []

    @contextmanager
    def bar() -> Iterator[Report]:
        yield lambda share, what: told.append((share, what))

    monkeypatch.setattr("inference_cost.cli.backtest.run.progress_bar", bar)
    given = one_policy(tmp_path)
    assert run(monkeypatch, *given, "--against", "hpa", "--bound", "--jobs", str(jobs)) == 0
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert sum(what == "the policy's own decisions" for _, what in told) > 5
    assert {what for _, what in told} == {
        "the policy's own decisions",
        "the cheapest possible",
        "against HPA",
    }


def test_the_first_command_of_the_documentation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A short objective that is met: nothing needs a note."""
    block = Path("docs/backtest.md").read_text(encoding="utf-8").split("```")[1]
    given = shlex.split(block.partition("kubectl-inference_cost backtest")[2].replace("\\\n", ""))
    found = parsed(printed(monkeypatch, capsys, *given, "--against", "none", "-o", "json"))
    assert found["notes"] == []
    assert found["inputs"]["stretch"] == 1
    assert found["policies"][0]["meetsObjective"]
