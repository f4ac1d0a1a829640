"""Each development trace is prepared as `docs/benchmarks.md` says, and what may not be shipped is not."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmarks.traces.catalog import (
    LOAD_TIMES,
    QUICK_TRACES,
    TRACES,
    Trace,
    load_seconds,
    nasa,
    servegen_redrawn,
)
from benchmarks.traces.columns import SHIPPED, Columns, read_columns
from inference_cost.simulate.traffic import Traffic

NAMED = {trace.name: trace for trace in TRACES + QUICK_TRACES}
NOT_SHIPPED = {"nasa", "gentd26"}


def prepared(name: str, columns: Columns, seed: int = 1, factor: float = 1.0) -> Traffic:
    return NAMED[name].prepare(lambda _: columns, seed=seed, factor=factor)


@pytest.mark.parametrize(
    ("name", "days", "mean_rate"),
    [
        ("mlarge", 14.0, 195.8),
        ("deepseek-r1", 1.0, 15.98),
        ("azure-code", 3440 / 86400, 2.564),
        ("nab-amzn", 21.0, 9.10),
        ("mlarge-day", 1.0, 175.4),
        ("nab-amzn-week", 7.0, 9.08),
    ],
)
def test_shipped_traces_have_their_length_and_rate(
    name: str, days: float, mean_rate: float
) -> None:
    traffic = NAMED[name].load(None)
    assert traffic.seconds / 86400 == pytest.approx(days)
    assert traffic.mean_rate == pytest.approx(mean_rate, rel=0.001)


@pytest.mark.parametrize("name", ["mlarge", "nab-amzn", "azure-code"])
def test_a_factor_multiplies_the_rate(name: str) -> None:
    whole = NAMED[name].load(None, factor=3.0).mean_rate / NAMED[name].load(None).mean_rate
    assert whole == pytest.approx(3.0, rel=0.01)


def test_a_factor_does_not_multiply_the_noise_of_redrawn_traces() -> None:
    flat = {"rate_rps": np.full(300, 20.0), "idc": np.full(300, 2.0)}
    counts = servegen_redrawn(flat, seed=3, factor=3.0)
    assert counts.var() / counts.mean() == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("stem", ["servegen_mlarge", "servegen_deepseekr1"])
def test_redrawing_servegen_at_the_recorded_seed_gives_the_recorded_counts(stem: str) -> None:
    trace = NAMED["mlarge" if stem == "servegen_mlarge" else "deepseek-r1"]
    redrawn = servegen_redrawn(read_columns(SHIPPED / f"{stem}_10min.csv.gz"), trace.seed)
    recorded = read_columns(SHIPPED / f"{stem}_10s.csv.gz")["count"]
    # The rates in the file are rounded to six digits, so a few counts differ.
    assert (redrawn == recorded).mean() > 0.97
    assert redrawn.sum() == pytest.approx(recorded.sum(), rel=0.001)


@pytest.mark.parametrize(
    "trace",
    [t for t in TRACES if t.drawn and t.name not in NOT_SHIPPED],
    ids=lambda trace: trace.name,
)
def test_drawn_traces_differ_by_seed_and_keep_the_level(trace: Trace) -> None:
    usual, other = trace.load(None), trace.load(None, seed=9)
    assert (usual.counts != other.counts).any()
    assert other.requests == pytest.approx(usual.requests, rel=0.02)


def test_nasa_is_smoothed_before_it_is_scaled() -> None:
    sparse = np.random.default_rng(5).poisson(9.0, 14 * 8640).astype(float)
    traffic = prepared("nasa", {"count": np.concatenate((sparse, np.full(500, 1e6)))})
    assert len(traffic.counts) == 14 * 8640  # the first 14 days
    assert traffic.counts.mean() == pytest.approx(450.0, rel=0.01)
    # Scaled as it is, the variance would be 50² × 9; smoothed over 18 bins an 18th of it is left, plus the draw.
    assert traffic.counts.var() == pytest.approx(50**2 * 9 / 18 + 2 * 450, rel=0.1)


def test_gentd26_fills_its_gaps_before_it_is_scaled() -> None:
    gap = np.arange(1000) % 3 == 1
    traffic = prepared(
        "gentd26", {"rate_scaled": np.where(gap, 0.0, 2.0), "gap": gap.astype(float)}
    )
    assert traffic.seconds == 60_000.0
    assert traffic.mean_rate == pytest.approx(100.0, rel=0.01)


def test_every_request_of_azure_keeps_its_time() -> None:
    times = NAMED["azure-code"].load(None).times
    assert times is not None
    assert len(times) == 8819
    assert times[0] == 0.98


def test_traces_that_may_not_be_passed_on_are_not_shipped() -> None:
    missing = {trace.name for trace in TRACES if trace.missing(None)}
    assert missing == NOT_SHIPPED
    assert load_seconds(None) is None
    for name in NOT_SHIPPED:
        with pytest.raises(FileNotFoundError, match="--data"):
            NAMED[name].load(None)


def test_a_folder_is_searched_below_too(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    with gzip.open(tmp_path / "deep" / LOAD_TIMES, "wt") as file:
        file.write("t_s,load_ms\n1,2500\n7,60000\n")
    assert load_seconds(tmp_path) == (2.5, 60.0)


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.gz")), ids=lambda file: file.name)
def test_shipped_files_are_small_and_attributed(file: Path) -> None:
    assert file.stat().st_size < 600_000
    notice = Path("NOTICE").read_text()
    assert f"benchmarks/data/{file.name}" in notice
    stem = file.name.split("_")[0]
    assert f"`{stem}_*`" in (SHIPPED / "README.md").read_text()


def test_nasa_reads_the_file_named_in_the_folder() -> None:
    asked = []

    def read(name: str) -> Columns:
        asked.append(name)
        return {"count": np.ones(14 * 8640)}

    nasa(read, seed=1, factor=1.0)
    assert asked == list(NAMED["nasa"].files)
