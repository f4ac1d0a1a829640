"""Short points recorded here and now beside their simulation, as `make calibrate` does with long ones.

Tolerances: some 1000 requests of one run on a machine that may be busy with other tests. What is compared got the same
requests at the same instants, so sampling hardly matters; late threads do, and p99 rests on ten requests. The closed
recordings (tests/unit/simulate/test_against_recorded_triton.py) hold the narrow tolerances.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from e2e.calibrate.__main__ import parser, report, run_of
from e2e.calibrate.recording import Recording, figures, read
from e2e.calibrate.run import record


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    arguments: Sequence[str]
    mean: float  # relative tolerances
    p50: float
    p99: float


POINTS = {
    "no queue delay": Point(arguments=["--rate=70", "--seconds=15"], mean=0.08, p50=0.08, p99=0.20),
    # Which thread runs first is a race, and a busy machine decides it otherwise.
    "queue delay": Point(
        arguments=["--rate=60", "--seconds=15", "--queue-delay-microseconds=2000"],
        mean=0.18,
        p50=0.20,
        p99=0.20,
    ),
}


async def recorded(arguments: Sequence[str], folder: Path) -> Recording:
    options = parser().parse_args(arguments)
    recording, _ = await record(run_of(options), work=folder / "work", out=folder / "out")
    return recording


def errors(recording: Recording) -> np.ndarray:
    simulated = figures(recording.at_the_client(recording.simulate()))
    return np.array(simulated) / np.array(figures(recording.latency_ms)) - 1


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
async def test_a_real_triton_is_as_simulated(point: Point, tmp_path: Path) -> None:
    recording = await recorded(point.arguments, tmp_path)
    tolerances = np.array([point.mean, point.p50, point.p99])
    assert (np.abs(errors(recording)) <= tolerances).all(), report(recording)
    executions = (1 / recording.simulate().batch).sum()
    assert executions == pytest.approx(recording.batches.executions.sum(), rel=0.1)
    if recording.service.queue_delay_seconds:
        # Not an accident of the wide tolerances: greedy batching is further off.
        service = replace(recording.service, queue_delay_seconds=0.0)
        greedy = errors(replace(recording, service=service))
        assert abs(errors(recording)[0]) < abs(greedy[0])


async def test_a_recording_says_what_it_ran_on(tmp_path: Path) -> None:
    recording = await recorded(["--rate=40", "--seconds=2"], tmp_path)
    index = (tmp_path / "out" / "index.csv").read_text()
    assert "2.51.0" in index
    assert f",{os.cpu_count()}," in index
    assert "python -m e2e.calibrate --alpha-milliseconds=40" in index
    [again] = read(tmp_path / "out")
    assert again.service == recording.service
    assert recording.arrivals.size == again.arrivals.size > 40
    # The model sleeps 40 + 5 * b ms, plus what the backend needs.
    assert 40 <= again.service.fixed_seconds * 1000 < 60
