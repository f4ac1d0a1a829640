"""Looks at a demand, and replicas that serve it."""

from math import nan
from typing import Any

import numpy as np

from inference_cost.decide.headroom.learned import Learned, new_vector, views
from inference_cost.decide.headroom.regression import Look
from inference_cost.decide.headroom.shadow import Serving

TICK = 15.0
START_UP = 180.0
MIDNIGHT = 1_704_067_200.0
LOADS = 41


def look(rate: float, **changes: Any) -> Look:
    usual = Look(
        at=MIDNIGHT,
        tick=TICK,
        seconds=TICK,
        rate=rate,
        latest=rate,
        window=60.0,
        start_up=START_UP,
        lead=235.0,
        waiting=nan,
    )
    return usual._replace(**changes)


def serving(**changes: Any) -> Serving:
    """Ten requests/s within the objective; nearly all in time up to there, half at capacity."""
    loads = np.linspace(0.0, 1.0, LOADS)
    usual = Serving(
        capacity=12.0,
        load=10.0,
        goodput=10.5,
        wait_allowed=1.0,
        longest_wait=30.0,
        threshold=2.0,
        late=0.5 * loads**20,
        gains=np.ones(1),
        lowest=1,
        highest=1000,
        ready=10,
    )
    return usual._replace(**changes)


def nothing_learned() -> Learned:
    return views(new_vector())
