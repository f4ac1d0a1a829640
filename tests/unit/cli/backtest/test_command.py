"""Around the run: names of baselines, the extra that is missing, the bar, the schema, the memory that is used."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from inference_cost.cli.backtest import command
from inference_cost.cli.backtest.options import (
    AUTOSCALERS,
    DEFAULT_AGAINST,
    SPOT_RULES,
    parse_against,
)
from inference_cost.cli.backtest.schema import FILE, main, schema_text
from tests.unit.cli.backtest.runs import (
    PROFILE,
    arrivals_file,
    objects_file,
    run,
    without_simulator,
)
from tests.unit.cli.backtest.schema_check import faults

LARGEST_MEBIBYTES = 300


def test_the_names_offered_are_those_that_the_simulator_knows() -> None:
    from inference_cost.simulate.backtest import KNOWN  # noqa: PLC0415 - slow to import

    assert {*AUTOSCALERS, *SPOT_RULES} == set(KNOWN)


def test_names_of_baselines() -> None:
    assert parse_against([" hpa, keda", "hpa,,kpa "]) == ("hpa", "keda", "kpa")
    assert parse_against(["none"]) == ()
    assert len(parse_against([DEFAULT_AGAINST])) == 7


def test_where_a_run_cannot_compile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "numba" else name)
    arguments = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path))
    assert run(monkeypatch, *arguments) == 1
    assert capsys.readouterr().err == "error: backtest needs numba: pip install numba\n"


def test_help_does_not_load_what_a_run_needs() -> None:
    code = (
        "import sys, inference_cost.cli.main;"
        "sys.exit(any(m.split('.')[0] in ('numpy', 'numba', 'distributed', 'yaml') for m in sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert ended.returncode == 0


def test_the_schema_is_up_to_date(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text()
    assert main(["--check"]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["--check"]) == 1


def test_the_bar_is_on_stderr_of_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_simulator(monkeypatch)
    here, there = pty.openpty()
    arguments = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path))
    with os.fdopen(there, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert run(monkeypatch, *arguments, "--profile", PROFILE) == 0
        terminal.flush()
        shown = os.read(here, 1 << 16).decode()
    os.close(here)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "100 %" in plain
    assert "left" in plain
    assert "left" not in capsys.readouterr().out


# The peak of its own memory: what getrusage tells includes that of the process it was forked from.
READ = """
import re, sys
from pathlib import Path
from inference_cost.cli.backtest.arrivals import read_arrivals
found = read_arrivals(sys.argv[1]).traffic[""]
found.rebinned(10.0)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(round(found.requests), int(peak[1]) // 1024)
"""


def _read_in_its_own_process(file: Path) -> tuple[int, int]:
    """Requests that were read, and the peak of memory in MiB."""
    ended = subprocess.run(
        [sys.executable, "-c", READ, str(file)],
        check=True,
        timeout=200,
        capture_output=True,
        text=True,
    )
    read, mebibytes = map(int, ended.stdout.split())
    return read, mebibytes


def test_two_requests_far_apart_need_little_memory(tmp_path: Path) -> None:
    """Just below 400 days."""
    file = tmp_path / "apart.csv"
    file.write_text("t_s\n0\n34000000\n")
    read, mebibytes = _read_in_its_own_process(file)
    assert read == 2
    assert mebibytes < LARGEST_MEBIBYTES


def test_a_large_file_needs_little_memory(tmp_path: Path) -> None:
    """As lists of rows these six million requests would take gigabytes."""
    file, minutes, requests = tmp_path / "large.csv", 60, 100_000
    with file.open("w") as out:
        out.write("t_s\n")
        for minute in range(minutes):
            out.write("".join(f"{60 * minute + 60 * i / requests:.4f}\n" for i in range(requests)))
    read, mebibytes = _read_in_its_own_process(file)
    assert read == minutes * requests
    assert mebibytes < LARGEST_MEBIBYTES


def test_what_may_be_added_is_not_refused() -> None:
    """Within a version fields may be added; which version it is must be told."""
    schema = json.loads(schema_text())
    for name, one in schema["$defs"].items():
        assert "additionalProperties" not in one, name
        assert ("schemaVersion" in one.get("required", ())) is name.endswith("Document")


def test_the_check_of_documents_finds_faults() -> None:
    schema = json.loads(schema_text())
    hours = schema["$defs"]["Hours"]
    good = {"onDemand": 1.5, "spot": 0, "warm": 0}
    assert faults(good, hours, schema) == []
    for bad in (
        {"onDemand": 1.5, "spot": 0},
        good | {"spot": -1},
        good | {"spot": True},
        good | {"a": 1},
    ):
        assert len(faults(bad, hours, schema)) == 1
