"""Recordings on disk and what is computed from a server's counters."""

from pathlib import Path

import numpy as np
import pytest

from e2e.calibrate.__main__ import parser, run_of
from e2e.calibrate.recording import BatchStats, read, write
from e2e.calibrate.run import Run
from e2e.calibrate.triton import Statistics
from e2e.rig.models.sleepy import SleepyModel

STATS = "1:100:45.000 2:50:50.000 8:10:80.000"
ROW = {
    "file": "one.csv.gz",
    "max_batch": "8",
    "queue_delay_us": "2000",
    "preferred": "",
    "instances": "2",
    "max_queue_size": "",
    "fitted_a_ms": "40.5",
    "fitted_c_ms": "5.05",
    "queue_ms_mean": "10.000",
    "batch_stats": STATS,
}
SENT, LATENCY = np.array([0.5, 0.25]), np.array([60.0, 70.0])


def test_batch_stats_are_read_and_written_as_triton_counts_them() -> None:
    stats = BatchStats.parse(STATS)
    assert str(stats) == STATS
    assert stats.line() == pytest.approx((40.0, 5.0))
    # 100, 100 and 80 requests.
    assert stats.per_request(stats.mean_ms) == pytest.approx((4500 + 5000 + 6400) / 280)


def test_a_line_needs_two_sizes() -> None:
    with pytest.raises(ValueError, match="one size"):
        BatchStats.parse("1:100:45.000").line()


def test_what_is_written_is_read_in_order_of_time(tmp_path: Path) -> None:
    written = write(tmp_path, ROW, sent=SENT, latency_ms=LATENCY)
    [found] = read(tmp_path)
    assert found.name == written.name == "one"
    np.testing.assert_array_equal(found.arrivals, [0.25, 0.5])
    np.testing.assert_array_equal(found.latency_ms, [70.0, 60.0])
    assert found.service == written.service
    assert (found.service.instances, found.service.queue_delay_seconds) == (2, 0.002)
    assert not found.service.queue_policy
    assert found.overhead_ms == pytest.approx(65 - 10 - 15900 / 280)


def test_a_run_replaces_the_one_of_its_name(tmp_path: Path) -> None:
    write(tmp_path, ROW, sent=SENT, latency_ms=LATENCY)
    write(tmp_path, ROW | {"file": "two.csv.gz"}, sent=SENT, latency_ms=LATENCY)
    write(tmp_path, ROW | {"max_queue_size": "9"}, sent=SENT, latency_ms=LATENCY)
    found = {recording.name: recording.service.queue_policy for recording in read(tmp_path)}
    assert found == {"two": False, "one": True}


def test_counters_of_a_load_are_differences() -> None:
    before = Statistics(requests=3, queue_ns=5_000_000, batches={1: (1, 45_000_000), 2: (1, 50)})
    after = Statistics(
        requests=8,
        queue_ns=25_000_000,
        batches={4: (1, 60_000_000), 1: (2, 91_000_000), 2: (1, 50)},
    )
    moved = after.since(before)
    assert moved.queue_ms == pytest.approx(4.0)
    assert str(moved.batch_stats) == "1:1:46.000 4:1:60.000"


CONFIGURATIONS = {
    "nothing set": (SleepyModel(), "dynamic_batching { }"),
    "delay": (
        SleepyModel(queue_delay_microseconds=2000),
        "dynamic_batching { max_queue_delay_microseconds: 2000 }",
    ),
    "delay, preferred size and queue policy": (
        SleepyModel(queue_delay_microseconds=20, preferred_batch_size=4, max_queue_size=10),
        "max_queue_delay_microseconds: 20 preferred_batch_size: [ 4 ] default_queue_policy { max_queue_size: 10 }",
    ),
}


@pytest.mark.parametrize(("model", "text"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_model_is_configured_as_asked(model: SleepyModel, text: str) -> None:
    assert text in model.configuration()


def test_runs_of_different_configurations_have_different_names() -> None:
    models = [
        SleepyModel(),
        SleepyModel(preferred_batch_size=4),
        SleepyModel(max_queue_size=4),
        SleepyModel(queue_delay_microseconds=4),
        SleepyModel(instances=4),
        SleepyModel(max_batch_size=4),
    ]
    assert len({Run(model=model, rate=50, seconds=1).name for model in models}) == len(models)


def test_the_command_of_a_run_gives_the_run() -> None:
    run = Run(
        model=SleepyModel(queue_delay_microseconds=20, preferred_batch_size=4, max_queue_size=10),
        rate=12.5,
        seconds=3,
        seed=2,
    )
    assert run_of(parser().parse_args(run.arguments)) == run
