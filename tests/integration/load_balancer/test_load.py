"""The load generator against real servers: open loop, honest latencies, honest failures."""

import asyncio
import csv
import io
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from e2e.rig.load import (
    HEADER,
    LoadSettings,
    Progress,
    generate,
    last_progress,
    read_arrivals,
    write_arrivals,
)
from tests.integration.load_balancer.fakes import StartTriton

Address = tuple[str, int]


def settings(
    address: Address, timeout_seconds: float = 1.0, measured_from_seconds: float = 60.0
) -> LoadSettings:
    host, port = address
    return LoadSettings(
        url=f"http://{host}:{port}",
        model="sleepy",
        timeout_seconds=timeout_seconds,
        measured_from_seconds=measured_from_seconds,
    )


async def load(given: LoadSettings, arrivals: list[float]) -> tuple[Progress, list[list[str]]]:
    out = io.StringIO()
    progress = await generate(given, arrivals, out)
    header, *rows = csv.reader(io.StringIO(out.getvalue()))
    assert tuple(header) == HEADER
    return progress, sorted(rows, key=lambda row: float(row[0]))


async def test_each_request_goes_out_at_its_time_however_slow_the_answers(
    start_triton: StartTriton,
) -> None:
    triton = await start_triton("a", seconds=0.3)
    arrivals = [i * 0.01 for i in range(30)]
    progress, rows = await load(settings(triton.address), arrivals)
    assert [float(t) for t, _, _ in rows] == pytest.approx(arrivals, abs=1e-6)
    # Were it to wait for answers, the last would come after 9 s.
    assert progress.t_s < 1.0
    assert all(300 <= float(latency) < 450 for _, latency, _ in rows)
    assert {ok for _, _, ok in rows} == {"1"}


async def test_the_request_is_an_inference_of_the_model(start_triton: StartTriton) -> None:
    triton = await start_triton("a")
    await load(settings(triton.address), [0.0])
    [(method, path, body, headers)] = triton.requests
    assert (method, path) == ("POST", "/v2/models/sleepy/infer")
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body)["inputs"][0] == {
        "name": "INPUT0",
        "shape": [1, 1],
        "datatype": "FP32",
        "data": [1.0],
    }


async def test_a_timeout_is_a_failure_with_the_time_it_took(start_triton: StartTriton) -> None:
    triton = await start_triton("a", seconds=5)
    progress, rows = await load(settings(triton.address, timeout_seconds=0.2), [0.0])
    [(_, latency, ok)] = rows
    assert ok == "0"
    assert 195 <= float(latency) < 400
    assert (progress.ok, progress.failed, progress.late) == (0, 1, 1)


async def test_an_error_answer_and_a_refused_connection_are_failures(
    start_triton: StartTriton, refusing_address: Address
) -> None:
    triton = await start_triton("a", status=503)
    for address in (triton.address, refusing_address):
        _, rows = await load(settings(address), [0.0, 0.01])
        assert [ok for _, _, ok in rows] == ["0", "0"]


async def test_an_answer_beyond_the_objective_is_late_but_ok(start_triton: StartTriton) -> None:
    triton = await start_triton("a", seconds=0.31)
    progress, _ = await load(settings(triton.address), [0.0])
    assert (progress.ok, progress.late, progress.failed) == (1, 1, 0)
    assert progress.p50Milliseconds == progress.p99Milliseconds >= 310


async def test_what_is_sent_in_the_first_part_is_not_measured(start_triton: StartTriton) -> None:
    triton = await start_triton("a", status=500)
    progress, rows = await load(settings(triton.address, measured_from_seconds=0.1), [0.0, 0.1])
    assert len(rows) == 2
    assert (progress.late, progress.measured, progress.measuredLate) == (2, 1, 1)


async def test_as_a_program_it_reports_each_second_and_writes_the_file(
    start_triton: StartTriton, tmp_path: Path
) -> None:
    triton = await start_triton("a", seconds=0.05)
    arrivals, out, log = (tmp_path / name for name in ("arrivals.txt", "requests.csv", "log"))
    write_arrivals(arrivals, [i * 0.02 for i in range(75)])
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "e2e.rig.load"),
            *("--url", "http://{}:{}".format(*triton.address), "--model", "sleepy"),
            *("--arrivals", str(arrivals), "--out", str(out)),
            cwd=Path(__file__).parents[3],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        assert await process.wait() == 0, log.read_text()
    started, *lines = map(json.loads, log.read_text().splitlines())
    assert started["startedAt"] > 0
    assert [line["sent"] for line in lines] == [pytest.approx(50, abs=2), 75]
    assert lines[0]["ratePerSecond"] == pytest.approx(50, abs=3)
    last = last_progress(log)
    assert last is not None
    assert (last.sent, last.ok, last.inFlight) == (75, 75, 0)
    assert all(a["sent"] <= b["sent"] for a, b in pairwise(lines))
    assert len(out.read_text().splitlines()) == 76


def test_arrivals_survive_the_file(tmp_path: Path) -> None:
    write_arrivals(tmp_path / "a", [0.0, 0.25, 239.999999])
    assert read_arrivals(tmp_path / "a") == [0.0, 0.25, 239.999999]


def test_there_is_no_progress_before_the_first_second(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_progress(log) is None
    log.write_text('{"startedAt": 1.0}\n')
    assert last_progress(log) is None
