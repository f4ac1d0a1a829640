"""Nothing is compiled while decisions wait."""

from typing import Any

import numpy as np
import pytest

from inference_cost.decide.backfill import Taught, conditions, teach
from inference_cost.decide.compile_ahead import compile_ahead
from inference_cost.decide.headroom.compiled import COMPILES
from inference_cost.decide.headroom.history import relive
from inference_cost.decide.headroom.lateness import (
    between_figures,
    blended,
    late_curve,
    most_in_time,
    time_curve,
)
from inference_cost.decide.headroom.sizing import size
from inference_cost.decide.replica.service_time import idle_after_batch
from inference_cost.model.policy import QueueTimeObjective, Routing
from inference_cost.model.reading import Missing, MissingReason, Sample
from tests.unit.decide.worlds import (
    NOON,
    gateway,
    observation,
    plan_of,
    policy,
    signals,
    snapshot,
    watched,
)

KERNELS: list[Any] = [
    between_figures,
    blended,
    idle_after_batch,
    late_curve,
    most_in_time,
    size,
    time_curve,
]


@pytest.mark.skipif(not COMPILES, reason="without Numba nothing is compiled")
def test_every_kind_of_policy_finds_the_machine_code_ready() -> None:
    compile_ahead()
    known = [list(one.signatures) for one in KERNELS]
    none = Missing(reason=MissingReason.NOT_EXPORTED)
    kinds = [
        observation(100.0, 2),
        observation(seen=signals(100.0, 2, gateway=gateway(100.0))),
        observation(seen=signals(100.0, 2, pending=none, pending_change=none)),
        observation(seen=signals(100.0, 2, pending=Sample(value=900, at=NOON))),
        observation(100.0, 2, configuration=Missing(reason=MissingReason.UNAUTHORIZED)),
        observation(100.0, 2, of=policy(routing=Routing.LEAST_REQUEST)),
        observation(100.0, 2, of=policy(objective=QueueTimeObjective(mean_seconds=1))),
        observation(100.0, 2, of=policy(lowest=0, highest=1)),
    ]
    for kind in kinds:
        plan_of(kind, watched([100.0] * 3))
    assert [list(one.signatures) for one in KERNELS] == known
    assert list(map(len, known)) == [1] * len(KERNELS)


@pytest.mark.skipif(not COMPILES, reason="without Numba nothing is compiled")
def test_a_past_finds_the_machine_code_ready() -> None:
    compile_ahead()
    given = conditions(observation(), watched([100.0] * 3), snapshot())
    assert given is not None
    taught = teach(Taught(), given, NOON + 15.0 * np.arange(10), np.full(10, 100.0))
    teach(taught, given, NOON + 15.0 * np.arange(10, 20), np.full(10, 100.0))
    assert len(relive.signatures) == 1  # type: ignore[attr-defined]
