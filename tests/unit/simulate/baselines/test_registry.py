"""Every baseline can be called as the loop calls it, from compiled code, and stays within the bounds."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from inference_cost.simulate.baselines.registry import AUTOSCALERS, SPOT, Baseline
from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.baselines.spot_seen import SpotSeen

NAMES = [
    "hpa",
    "keda",
    "kpa",
    "kpa-rps",
    "wva",
    "wva-chart",
    "wva-saturation",
    "wva-saturation-chart",
    "llmd-slo",
]
SPOT_NAMES = ["spothedge", "on-demand-only", "one-zone", "half-half"]
SECONDS = {"hpa": 15, "keda": 15, "kpa": 2, "kpa-rps": 2, "wva": 15, "wva-chart": 15}


def test_names_of_the_command_line() -> None:
    assert list(AUTOSCALERS) == NAMES
    assert list(SPOT) == SPOT_NAMES
    assert all(key == baseline.name for key, baseline in (AUTOSCALERS | SPOT).items())


@pytest.mark.parametrize(("name", "seconds"), SECONDS.items())
def test_sync_periods(name: str, seconds: float) -> None:
    assert AUTOSCALERS[name].interval_seconds == seconds


@pytest.mark.parametrize("name", NAMES + SPOT_NAMES)
def test_knobs_of_a_grid_have_labels_of_their_own(name: str) -> None:
    baseline = (AUTOSCALERS | SPOT)[name]
    labels = [baseline.label(knobs) for knobs in baseline.grid]
    assert len(set(labels)) == len(labels)
    assert baseline.label(baseline.default) in labels


@pytest.mark.parametrize("name", NAMES)
def test_compiled_and_plain_python_agree(look: Callable[..., Seen], name: str) -> None:
    """A day of noise in 200 looks, within the bounds throughout."""
    baseline = AUTOSCALERS[name]
    compiled = baseline.new_state(baseline.default, 5)
    plain = baseline.new_state(baseline.default, 5)
    random = np.random.default_rng(4)
    replicas = 5
    for tick in range(200):
        rate, ready = random.gamma(2.0, 20.0), int(random.integers(0, replicas + 1))
        seen = look(
            at=tick * baseline.interval_seconds, rate=rate, rate_6s=rate * random.uniform(0, 3),
            in_flight=rate / 10, in_flight_6s=rate / 5, waiting=rate / 20, busy=random.uniform(0, 1),
            latency_p90_seconds=random.uniform(0, 1.5), replicas=replicas, ready=ready,
            min_replicas=2, max_replicas=20,
        )  # fmt: skip
        replicas = baseline.desired(seen, baseline.default, compiled)
        assert 2 <= replicas <= 20
        assert replicas == baseline.desired.py_func(seen, baseline.default, plain)


def in_a_compiled_loop(baseline: Baseline, *arguments: Any) -> int:
    desired = baseline.desired

    @numba.njit
    def loop(arguments: Any) -> int:
        return desired(*arguments)

    return int(loop(arguments))


@pytest.mark.parametrize("name", ["hpa", "llmd-slo"])
def test_autoscalers_run_inside_compiled_code(look: Callable[..., Seen], name: str) -> None:
    baseline = AUTOSCALERS[name]
    state = baseline.new_state(baseline.default, 3)
    seen = look(replicas=3, rate=21.0, latency_p90_seconds=0.5)
    assert in_a_compiled_loop(baseline, seen, baseline.default, state) == 3


@pytest.mark.parametrize("name", SPOT_NAMES)
def test_spot_rules_run_inside_compiled_code(name: str) -> None:
    baseline = SPOT[name]
    none = np.zeros(2, dtype=np.int64)
    seen = SpotSeen(0.0, 4, none + 1, np.array([0.4, 0.5]), none, none, none, 0, 0)
    wanted, state = none.copy(), baseline.new_state(baseline.default, 2)
    on_demand = in_a_compiled_loop(baseline, seen, wanted, baseline.default, state)
    assert on_demand + int(wanted.sum()) >= 4
