"""The measured share of requests within the objective."""

from dataclasses import replace
from math import inf

import pytest

from inference_cost.decide.attainment import attained, measure, objective_met, remember
from inference_cost.decide.traffic import Traffic, traffic
from inference_cost.model.plan import Attainment
from inference_cost.model.policy import QueueTimeObjective
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import GatewaySignals, LatencyHistogram, Signals
from tests.unit.decide.worlds import NOON, OBJECTIVE, gateway, signals, workload


def seen(front: GatewaySignals | Missing) -> tuple[Signals, Traffic]:
    read = signals(100.0, 2, gateway=front)
    summed = traffic(read, workload(2).pods, NOON, 60.0)
    assert isinstance(summed, Traffic)
    return read, summed


def front(
    cumulative: tuple[float, ...],
    bounds: tuple[float, ...] = (0.1, 0.3, 1.0, inf),
    **more: float,
) -> GatewaySignals:
    fields = {"seconds": 60.0, "requests": 1000.0, "responses": 1000.0, "errors": 0.0} | more
    return GatewaySignals(
        latency=LatencyHistogram(bounds_seconds=bounds, cumulative=cumulative), **fields
    )


MEASURED = {
    "the bound at the threshold": (front((500, 980, 1000, 1000)), (980.0, 1000.0)),
    "a threshold between bounds: the lower one": (
        front((500, 980, 1000, 1000), bounds=(0.1, 0.25, 1.0, inf)),
        (980.0, 1000.0),
    ),
    "all bounds above: none": (front((500.0, 1000.0), bounds=(1.0, inf)), (0.0, 1000.0)),
    "requests under way are not late yet": (
        front((500, 980, 980, 980), requests=1200.0, responses=980.0),
        (980.0, 980.0),
    ),
    "shed requests are late": (
        front((500, 900, 900, 900), errors=100.0),
        (900.0, 1000.0),
    ),
    "quick errors inside the histogram are late too": (
        front((500, 1000, 1000, 1000), errors=100.0),
        (900.0, 1000.0),
    ),
}


@pytest.mark.parametrize("sentence", MEASURED)
def test_measures(sentence: str) -> None:
    read, summed = seen(MEASURED[sentence][0])
    assert measure(OBJECTIVE, read, summed) == MEASURED[sentence][1]


NOT_MEASURED: dict[str, tuple[GatewaySignals | Missing, MissingReason]] = {
    "no gateway": (Missing(reason=MissingReason.NOT_CONFIGURED), MissingReason.NOT_CONFIGURED),
    "a gateway that fails": (
        Missing(reason=MissingReason.QUERY_FAILED, detail="the query failed"),
        MissingReason.QUERY_FAILED,
    ),
    "counters that are not numbers": (
        front((1, 2, 3, 4), requests=float("nan")),
        MissingReason.NOT_FINITE,
    ),
    "a histogram that falls": (front((500, 400, 1000, 1000)), MissingReason.NOT_FINITE),
    "no buckets": (front((), bounds=()), MissingReason.EMPTY_RESULT),
    "no histogram": (
        replace(front((1, 2, 3, 4)), latency=Missing(reason=MissingReason.NOT_EXPORTED)),
        MissingReason.NOT_EXPORTED,
    ),
}


@pytest.mark.parametrize("sentence", NOT_MEASURED)
def test_without_a_measurement_there_is_no_verdict(sentence: str) -> None:
    source, reason = NOT_MEASURED[sentence]
    read, summed = seen(source)
    measured = measure(OBJECTIVE, read, summed)
    assert isinstance(measured, Missing)
    assert measured.reason is reason
    assert attained((), OBJECTIVE, measured, read) == measured


def test_the_detail_names_the_gateway_preset() -> None:
    read, summed = seen(Missing(reason=MissingReason.NOT_CONFIGURED))
    measured = measure(OBJECTIVE, read, summed)
    assert isinstance(measured, Missing)
    assert "gateway preset" in measured.detail


def test_overlapping_windows_count_each_request_once() -> None:
    history: tuple[tuple[float, float, float], ...] = ()
    for i in range(20):
        history = remember(history, (590.0, 600.0), 60.0, NOON + 15.0 * i, 300.0)
    assert sum(one[2] for one in history) == pytest.approx(600.0 + 19 * 150.0)


def test_the_window_is_kept_and_short() -> None:
    history: tuple[tuple[float, float, float], ...] = ()
    for i in range(1000):
        history = remember(history, (9.0, 10.0), 1.0, NOON + i, 300.0)
    assert sum(one[2] for one in history) == pytest.approx(3000.0, rel=0.05)
    assert len(history) <= 61


def test_a_verdict_that_hangs_on_a_bucket_is_ambiguous_and_names_the_fix() -> None:
    read, summed = seen(front((500, 980, 1000, 1000), bounds=(0.1, 0.25, 1.0, inf)))
    measured = measure(OBJECTIVE, read, summed)
    assert not isinstance(measured, Missing)
    verdict = attained(((NOON, *measured),), OBJECTIVE, measured, read)
    assert isinstance(verdict, Missing)
    assert verdict.reason is MissingReason.AMBIGUOUS
    assert "no bound at 0.3 s" in verdict.detail


def test_a_clear_miss_is_a_verdict() -> None:
    read, summed = seen(gateway(100.0, late=0.05))
    measured = measure(OBJECTIVE, read, summed)
    assert not isinstance(measured, Missing)
    verdict = attained(((NOON, *measured),), OBJECTIVE, measured, read)
    assert isinstance(verdict, Attainment)
    assert verdict.fraction == pytest.approx(0.95)
    assert not objective_met(verdict, OBJECTIVE)


def test_no_request_is_no_verdict() -> None:
    read, _ = seen(gateway(0.0))
    verdict = attained((), OBJECTIVE, (0.0, 0.0), read)
    assert isinstance(verdict, Missing)
    assert verdict.reason is MissingReason.NO_TRAFFIC


def test_a_mean_queue_time_is_measured_at_the_server() -> None:
    objective = QueueTimeObjective(mean_seconds=0.06)
    read, summed = seen(Missing(reason=MissingReason.NOT_CONFIGURED))
    measured = measure(objective, read, summed)
    assert not isinstance(measured, Missing)
    verdict = attained(((NOON, *measured),), objective, measured, read)
    assert isinstance(verdict, Attainment)
    assert (verdict.fraction, verdict.measured_at) == (1.0, "Server")
    assert objective_met(verdict, objective)
    assert isinstance(measure(objective, read, Missing(reason=MissingReason.PARTIAL)), Missing)


def test_missing_signals_are_no_measurement() -> None:
    missing = Missing(reason=MissingReason.STALE)
    assert measure(OBJECTIVE, missing, missing) == missing
