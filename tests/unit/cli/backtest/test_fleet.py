"""Many policies over processes and over a Dask cluster: the same answers in the same order, and tidy ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from inference_cost.cli.backtest import fleet
from inference_cost.cli.backtest.fleet import Question, compare_fleet
from inference_cost.cli.backtest.objects import read_objects
from inference_cost.cli.failure import CommandError
from inference_cost.simulate.outcome import Comparison
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.service import Service
from inference_cost.simulate.traffic import Traffic
from tests.unit.cli.backtest.runs import objects_file, policy

NAMES = ("resnet", "bert", "whisper")
CONSTANT = Question(against=("static",), tuned=False, bound=False)


def scenarios(folder: Path) -> list[Scenario]:
    """Twenty minutes of three policies, each with its own load."""
    objects = read_objects(
        [objects_file(folder, *(policy(name) for name in NAMES))], namespace="default"
    )
    service = Service(fixed_seconds=0.0016, per_item_seconds=0.0038, max_batch=16)
    return [
        Scenario(
            policy=one,
            traffic=Traffic(width_seconds=10.0, counts=np.full(120, 1000.0 * (i + 1))),
            service=service,
            price_per_hour=Decimal(1),
            price_source="assumed",
        )
        for i, one in enumerate(objects.policies)
    ]


def told(comparisons: list[Comparison]) -> list[tuple[str, float, float]]:
    return [
        (one.name, round(one.cost_dollars, 9), round(one.late, 6))
        for comparison in comparisons
        for one in comparison.outcomes
    ]


def here(given: list[Scenario], *, jobs: int = 1, scheduler: str = "") -> list[Comparison]:
    shares: list[float] = []
    found = compare_fleet(
        given,
        CONSTANT,
        jobs=jobs,
        scheduler=scheduler,
        report=lambda share, _: shares.append(share),
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    return found


def test_the_bar_moves_before_the_first_policy_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "TELL_SECONDS", 0.01)
    told: list[str] = []
    compare_fleet(
        scenarios(tmp_path),
        CONSTANT,
        jobs=2,
        scheduler="",
        report=lambda _, what: told.append(what),
    )
    assert told[0] == "3 policies to go"
    assert told[-1] in NAMES


def test_two_processes_answer_as_one_does(tmp_path: Path) -> None:
    given = scenarios(tmp_path)
    alone = told(here(given))
    assert [name for name, _, _ in alone][::2] == list(NAMES)
    assert told(here(given, jobs=2)) == alone


@contextmanager
def dask_cluster() -> Iterator[str]:
    """Two worker processes on the loopback interface, without a dashboard."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.filterwarnings("ignore")  # of Dask, about itself
def test_two_dask_workers_answer_as_one_process_does(tmp_path: Path) -> None:
    given = scenarios(tmp_path)
    with dask_cluster() as address:
        spread = here(given, scheduler=address)
        refused = replace(given[1], exclude_first_seconds=1e6)
        with pytest.raises(CommandError, match="policy team-a/bert: --exclude-first-seconds"):
            here([given[0], refused], scheduler=address)
    assert told(spread) == told(here(given))


@pytest.mark.filterwarnings("ignore")
def test_no_scheduler_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(fleet, "CONNECT_SECONDS", 0.5)
    with pytest.raises(CommandError, match=r"--scheduler tcp://127\.0\.0\.1:9: cannot be reached"):
        here(scenarios(tmp_path), scheduler="tcp://127.0.0.1:9")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_policy_that_cannot_be_run_is_named(jobs: int, tmp_path: Path) -> None:
    given = scenarios(tmp_path)
    given[1] = replace(given[1], exclude_first_seconds=1e6)
    with pytest.raises(CommandError, match="policy team-a/bert: --exclude-first-seconds"):
        here(given, jobs=jobs)


def test_without_dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(CommandError, match=r"install inference-cost-operator\[backtest,dask\]"):
        here(scenarios(tmp_path), scheduler="tcp://127.0.0.1:9")
