"""Signals of a workload as Prometheus would have told them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from inference_cost.cli.backtest.history import Period
from inference_cost.cli.scan.signals import WINDOW_SECONDS, Counted, Floats, Signals
from inference_cost.simulate.traffic import Traffic

STEP_SECONDS = 30.0
START = 1_769_860_800.0
Rate = Callable[[float], float]


def counted(rates: Floats, batch: float, seconds: float, items: float = 1.0) -> Counted:
    """Windows in which requests were served in batches of so many, each of which took so long."""
    requests = rates * WINDOW_SECONDS
    executions = requests / batch
    return Counted(
        requests=requests,
        inferences=requests * items,
        executions=executions,
        compute_seconds=requests * seconds,
    )


def signals(
    rate: Rate,
    replicas: Rate,
    *,
    hours: float = 6.0,
    batch: float = 1.0,
    seconds: float = 0.03,
    **changes: Any,
) -> Signals:
    """`rate` and `replicas` of the seconds from the start. One model, unless `changes` say otherwise."""
    span = hours * 3600
    steps = np.arange(int(span / STEP_SECONDS)) * STEP_SECONDS
    windows = np.arange(int(span / WINDOW_SECONDS)) * WINDOW_SECONDS
    rates = np.array([rate(t) for t in windows])
    given: dict[str, Any] = {
        "period": Period(start=START, end=START + span),
        "step_seconds": STEP_SECONDS,
        "scrape_seconds": 15.0,
        "traffic": Traffic(
            width_seconds=STEP_SECONDS, counts=np.array([rate(t) * STEP_SECONDS for t in steps])
        ),
        "replicas": np.array([float(replicas(t)) for t in steps]),
        "counted": {"resnet": counted(rates, batch, seconds)},
        "duplicated": (),
        "histogram": True,
        "language_models": False,
        "left_out_seconds": 0.0,
    }
    return Signals(**(given | changes))
