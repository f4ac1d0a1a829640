"""How busy pods are and how long a batch takes, from counters of the past."""

from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.cli.scan.learned import (
    busy_fraction,
    learn_service,
    replicas_by_window,
    serving_models,
)
from inference_cost.cli.scan.signals import Counted, filled, longest_stretch
from tests.unit.cli.scan.traffic import counted, signals


def test_busy_is_the_time_of_executions_in_that_of_pods() -> None:
    """40 requests/s of 30 ms each on four pods: 1.2 seconds of work a second."""
    assert busy_fraction(signals(lambda _: 40.0, lambda _: 4)) == pytest.approx(0.3)


def test_a_batch_is_work_once_although_triton_adds_its_time_for_each_request() -> None:
    found = busy_fraction(signals(lambda _: 40.0, lambda _: 4, batch=8, seconds=0.1))
    assert found == pytest.approx(40 / 8 * 0.1 / 4)


def test_several_instances_at_once_do_not_make_a_pod_more_than_busy() -> None:
    assert busy_fraction(signals(lambda _: 100.0, lambda _: 1)) == 1.0


def test_models_of_one_pod_are_added_up() -> None:
    rates = np.full(72, 10.0)
    both = {"a": counted(rates, 1, 0.02), "b": counted(rates, 1, 0.03)}
    assert busy_fraction(signals(lambda _: 20.0, lambda _: 1, counted=both)) == pytest.approx(0.5)


def test_busy_follows_the_replicas_that_there_were() -> None:
    """Half of the time one pod, half of it three."""
    found = signals(lambda _: 10.0, lambda t: 1 if t < 3 * 3600 else 3)
    assert busy_fraction(found) == pytest.approx(0.3 / 2)
    assert replicas_by_window(found)[[0, -1]].tolist() == [1.0, 3.0]


def test_windows_without_data_are_no_work() -> None:
    rates = np.full(72, 10.0)
    rates[10:20] = nan
    found = busy_fraction(
        signals(lambda _: 10.0, lambda _: 1, counted={"a": counted(rates, 1, 0.03)})
    )
    assert found == pytest.approx(0.3 * 62 / 72)


@settings(deadline=None)
@given(
    alpha=st.floats(0.002, 0.05),
    beta=st.floats(0.001, 0.05),
    rates=st.lists(st.floats(5.0, 40.0), min_size=20, max_size=60),
)
def test_the_time_of_a_lone_request_is_found(alpha: float, beta: float, rates: list[float]) -> None:
    found = learn_service(counted(np.array(rates), 1, alpha + beta), np.full(len(rates), 9.0))
    assert found is not None
    assert found.service.seconds(1.0) == pytest.approx(alpha + beta, rel=0.05)
    assert found.service.max_batch == 1


def test_busy_instances_show_both_ends_of_the_line() -> None:
    """Batches of 8 at 20 + 10 × 8 ms without idling, and lone requests of 30 ms."""
    full = counted(np.full(60, 80.0), 8, 0.1)
    lone = counted(np.full(60, 3.0), 1, 0.03)
    together = Counted(
        requests=np.concatenate((full.requests, lone.requests)),
        inferences=np.concatenate((full.inferences, lone.inferences)),
        executions=np.concatenate((full.executions, lone.executions)),
        compute_seconds=np.concatenate((full.compute_seconds, lone.compute_seconds)),
    )
    found = learn_service(together, np.ones(120))
    assert found is not None
    assert (found.service.max_batch, found.service.instances) == (8, 1)
    assert found.service.seconds(8) == pytest.approx(0.1, rel=0.05)
    assert found.service.seconds(1) == pytest.approx(0.03, rel=0.15)


def test_clients_that_send_batches_of_their_own_count_by_request() -> None:
    found = learn_service(counted(np.full(40, 5.0), 1, 0.08, items=8.0), np.ones(40))
    assert found is not None
    assert found.service.max_batch == 1
    assert found.service.seconds(1) == pytest.approx(0.08, rel=0.05)


def test_more_executions_at_once_than_pods_are_instances() -> None:
    found = learn_service(counted(np.full(40, 60.0), 1, 0.03), np.ones(40))
    assert found is not None
    assert found.service.instances == 2


NOTHING = {
    "no executions": counted(np.zeros(10), 1, 0.03),
    "too few": counted(np.full(10, 0.01), 1, 0.03),
    "nothing known": counted(np.full(10, nan), 1, 0.03),
}


@pytest.mark.parametrize("sentence", NOTHING)
def test_nothing_is_learned_from_nothing(sentence: str) -> None:
    assert learn_service(NOTHING[sentence], np.ones(10)) is None


def test_a_model_that_hardly_anybody_asks_is_not_what_the_pods_are_for() -> None:
    rates = np.full(72, 10.0)
    models = {"main": counted(rates, 1, 0.02), "warm": counted(rates / 500, 1, 0.02)}
    assert serving_models(signals(lambda _: 10.0, lambda _: 1, counted=models)) == ["main"]


STRETCHES: dict[str, tuple[list[float], tuple[int, int] | None]] = {
    "nothing": ([nan] * 5, None),
    "a start within the time": ([nan, nan, 1, 1, 1], (2, 5)),
    "a short gap": ([1, 1, nan, 1, 1], (0, 5)),
    "a long gap: the longer side": ([1] * 4 + [nan] * 25 + [1] * 6, (29, 35)),
    "a hole at the end": ([1, 1, 1, nan], (0, 3)),
}


@pytest.mark.parametrize("sentence", STRETCHES)
def test_the_longest_stretch_with_data(sentence: str) -> None:
    values, expected = STRETCHES[sentence]
    assert longest_stretch(np.array(values), 30.0) == expected


def test_a_gap_has_the_replicas_before_it() -> None:
    assert filled(np.array([2.0, nan, nan, 3.0, nan])).tolist() == [2, 2, 2, 3, 3]
