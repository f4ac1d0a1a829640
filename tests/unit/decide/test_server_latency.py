"""What Triton's own histograms and summaries say of a latency objective, where no gateway is."""

from dataclasses import replace
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.attainment import objective_met
from inference_cost.decide.calibration import calibrate
from inference_cost.decide.case import case_of
from inference_cost.decide.learning import learn
from inference_cost.model.memory import Calibration
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Attainment
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import LatencyHistogram, ModelConfiguration, Signals
from tests.unit.decide.worlds import (
    CONFIGURATION,
    NOON,
    OBJECTIVE,
    gateway,
    learned,
    observation,
    plan_of,
    pod_signals,
    signals,
    snapshot,
)

Quantiles = tuple[tuple[float, float], ...]
RATE = 50.0  # of each pod: 3,000 in a window
FAST: Quantiles = ((0.5, 0.06), (0.95, 0.1), (0.99, 0.2), (0.999, 0.29))
NEAR: Quantiles = ((0.5, 0.06), (0.95, 0.1), (0.99, 0.25), (0.999, 0.4))
SLOW: Quantiles = ((0.5, 0.06), (0.95, 0.2), (0.99, 0.31), (0.999, 0.4))
SLOWER: Quantiles = ((0.5, 0.06), (0.95, 0.31), (0.99, 0.4), (0.999, 0.5))
FEW: Quantiles = ((0.5, 0.06), (0.95, 0.1), (0.999, 0.4))
DECOUPLED = replace(CONFIGURATION, decoupled=True)


def buckets(in_time: float, *bounds: float) -> LatencyHistogram:
    """3,000 requests, of which such a share is within every one of these bounds."""
    return LatencyHistogram(
        bounds_seconds=(*bounds, inf), cumulative=(*[3000.0 * in_time] * len(bounds), 3000.0)
    )


def told_by(*pods: dict[str, Any], **top: Any) -> Signals:
    seen = tuple(pod_signals(f"p{i}", RATE, **one) for i, one in enumerate(pods))
    return replace(signals(RATE * len(pods), len(pods)), pods=seen, **top)


def attained(
    seen: Signals, configuration: ModelConfiguration | Missing = CONFIGURATION
) -> Attainment | Missing:
    return plan_of(
        observation(seen=seen, replicas=len(seen.pods), configuration=configuration)
    ).attainment


@pytest.mark.parametrize(
    ("pods", "fraction", "met"),
    [
        pytest.param([{"latency": buckets(0.995, 0.3)}], 0.995, True, id="a histogram"),
        pytest.param(
            [{"latency": buckets(0.995, 0.3)}, {"latency": buckets(0.975, 0.3)}],
            0.985,
            False,
            id="histograms add up",
        ),
        pytest.param(
            [{"latency": buckets(0.995, 0.3)}, {"latency": buckets(0.995, 0.1, 0.3)}],
            0.995,
            True,
            id="of unlike bounds too",
        ),
        pytest.param([{"quantiles": NEAR}], 0.99, True, id="the target's quantile is in time"),
        pytest.param([{"quantiles": SLOW}], 0.95, False, id="the target's quantile is late"),
        pytest.param(
            [{"quantiles": FAST}, {"quantiles": NEAR}], 0.9945, True, id="each pod for its share"
        ),
        pytest.param(
            [{"quantiles": FAST}, {"latency": buckets(0.995, 0.3)}], 0.997, True, id="one of each"
        ),
        pytest.param([{"quantiles": SLOWER}, {"quantiles": SLOWER}], 0.5, False, id="all are late"),
        pytest.param(
            [{"quantiles": NEAR, "failures": 30.0}], 0.98, False, id="failures are late, too"
        ),
    ],
)
def test_what_is_measured_at_the_server(
    pods: list[dict[str, Any]], fraction: float, met: bool
) -> None:
    found = attained(told_by(*pods))
    assert isinstance(found, Attainment)
    assert found.fraction == pytest.approx(fraction, abs=2e-3)
    assert found.measured_at == "Server"
    assert objective_met(found, OBJECTIVE) is met


NO_BOUND = {"latency": buckets(0.5, 0.1)}


@pytest.mark.parametrize(
    ("seen", "configuration", "reason"),
    [
        pytest.param(
            told_by({}, {}), CONFIGURATION, MissingReason.NOT_CONFIGURED, id="nothing is told"
        ),
        pytest.param(
            told_by({"quantiles": FAST}, {}),
            CONFIGURATION,
            MissingReason.NOT_CONFIGURED,
            id="half of the requests are not told of",
        ),
        pytest.param(
            told_by({"quantiles": FAST}), DECOUPLED, MissingReason.NOT_CONFIGURED, id="decoupled"
        ),
        pytest.param(
            told_by({"quantiles": FAST}),
            Missing(reason=MissingReason.SOURCE_UNREACHABLE),
            MissingReason.NOT_CONFIGURED,
            id="perhaps decoupled",
        ),
        pytest.param(
            told_by({"quantiles": FAST}, gateway=Missing(reason=MissingReason.EMPTY_RESULT)),
            CONFIGURATION,
            MissingReason.EMPTY_RESULT,
            id="a gateway is configured and says nothing",
        ),
        pytest.param(
            told_by({"quantiles": FEW}), CONFIGURATION, MissingReason.AMBIGUOUS, id="too few"
        ),
        pytest.param(
            told_by({"quantiles": FAST}, {"quantiles": SLOW}, {"quantiles": NEAR}),
            CONFIGURATION,
            MissingReason.AMBIGUOUS,
            id="one pod is late, and by how much is not told",
        ),
        pytest.param(
            told_by(NO_BOUND), CONFIGURATION, MissingReason.AMBIGUOUS, id="no bound is near"
        ),
    ],
)
def test_what_is_not_known_is_not_said(
    seen: Signals, configuration: ModelConfiguration | Missing, reason: MissingReason
) -> None:
    found = attained(seen, configuration)
    assert isinstance(found, Missing)
    assert found.reason is reason


def test_a_gateway_is_preferred() -> None:
    found = attained(told_by({"quantiles": SLOW}, gateway=gateway(RATE, late=0.001)))
    assert isinstance(found, Attainment)
    assert (found.measured_at, round(found.fraction, 4)) == ("Gateway", 0.999)


def test_the_demand_is_still_that_of_the_counters() -> None:
    with_it, without = (
        plan_of(observation(seen=told_by(one, one), replicas=2)).demand
        for one in ({"quantiles": NEAR}, {})
    )
    assert with_it == without


def compared(late: float, windows: int = 40) -> Calibration:
    """A histogram of two pods at 80 requests/s that says so."""
    state = Calibration()
    histogram = LatencyHistogram(
        bounds_seconds=(0.3, inf), cumulative=(4800.0 * (1 - late), 4800.0)
    )
    for i in range(1, windows + 1):
        at = NOON + 60.0 * i
        seen = signals(160.0, 2, sampled_at=at, latency=histogram)
        shot = replace(snapshot(), at=at)
        case = case_of(observation(seen=seen), learned(needs=1, calibration=state), shot)
        assert not isinstance(case.traffic, Missing)
        state, _ = calibrate(case, case.traffic, learn(case, case.traffic).can)
    return state


def test_the_model_is_compared_with_it() -> None:
    assert compared(late=0.04).factor > 1.05
    assert compared(late=0.001).factor == 1.0


@given(
    st.lists(
        st.lists(st.floats(0.001, 10.0), min_size=4, max_size=4).map(sorted), min_size=1, max_size=5
    )
)
def test_whatever_is_told_the_share_is_one(values: list[list[float]]) -> None:
    shares = (0.5, 0.95, 0.99, 0.999)
    pods = [{"quantiles": tuple(zip(shares, one, strict=True))} for one in values]
    seen: PolicyObservation = observation(seen=told_by(*pods), replicas=len(pods))
    case = case_of(seen, learned(needs=1), snapshot())
    assert not isinstance(case.traffic, Missing)
    lesson = learn(case, case.traffic)
    assert not isinstance(lesson.measured, Missing)
    in_time, requests = lesson.measured
    assert 0 <= in_time <= requests == pytest.approx(3000.0 * len(pods))
    if all(one[2] <= OBJECTIVE.threshold_seconds for one in values):
        assert in_time >= 0.99 * requests - 1e-6
