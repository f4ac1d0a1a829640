"""Observed against predicted: what teaches, what follows, and what must not count against the model."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.decide.calibration import (
    GATEWAY_LIMIT,
    QUEUE_LIMIT,
    RELIEF_LIMIT,
    WRONG_SECONDS,
    calibrate,
    inaccurate,
)
from inference_cost.decide.case import case_of
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.replica.profile import Capability, capability
from inference_cost.decide.serving import late_by_load, likeliest, queue_by_load
from inference_cost.decide.size import predict
from inference_cost.decide.stretch import STRETCHES
from inference_cost.model.memory import Calibration, Compared, PolicyMemory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Demand, LimitedBy, Prediction, Profile
from inference_cost.model.policy import Objective, QueueTimeObjective
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import ModelConfiguration
from tests.unit.decide.worlds import (
    CONFIGURATION,
    ESTIMATE,
    NOON,
    OBJECTIVE,
    gateway,
    learned,
    observation,
    plan_of,
    pod,
    pod_signals,
    policy,
    signals,
    snapshot,
    watched,
    workload,
)

ABSENT = Missing(reason=MissingReason.NOT_CONFIGURED)


def able(
    objective: Objective = OBJECTIVE, configuration: ModelConfiguration = CONFIGURATION
) -> Capability:
    return capability(
        ESTIMATE,
        configuration,
        objective,
        outside="",
        concurrency=1.0,
        inferences_per_request=1.0,
    )


CAN = able()
assert isinstance(CAN.profile, Profile)
PROFILE = CAN.profile
assert CAN.replica is not None
REPLICA = likeliest(PROFILE, CAN.replica)
LOADS = np.linspace(0.0, 1.0, 41)


def late_at(rate: float) -> float:
    """Share of late requests that the model predicts at so many requests/s on a replica."""
    return float(np.interp(rate / 100.0, LOADS, late_by_load(REPLICA, 0.3)))


def queue_at(rate: float) -> float:
    return float(np.interp(rate / 100.0, LOADS, queue_by_load(REPLICA)))


@dataclass(frozen=True, kw_only=True)
class World:
    """Two pods at `rate` requests/s each, with so many late and so long in the queue."""

    rate: float = 80.0
    late: float | None = None
    queue_seconds: float | None = None
    windows: int = 40
    world: tuple[tuple[str, Any], ...] = ()

    def seen(self, at: float) -> PolicyObservation:
        queue = queue_at(self.rate) if self.queue_seconds is None else self.queue_seconds
        front = ABSENT if self.late is None else gateway(2 * self.rate, late=self.late)
        more = dict(self.world)
        running = more.pop("running", None)
        of, shown = more.pop("of", None), more.pop("configuration", CONFIGURATION)
        seen = signals(
            2 * self.rate,
            2,
            gateway=more.pop("gateway", front),
            sampled_at=at,
            queue_seconds=queue * self.rate * 60.0,
            **more,
        )
        return observation(seen=seen, replicas=2, running=running, of=of, configuration=shown)

    def run(
        self, before: Calibration | None = None, can: Capability = CAN
    ) -> tuple[Calibration, Capability]:
        """After one look at each window."""
        state, corrected = before or Calibration(), can
        for i in range(1, self.windows + 1):
            at = NOON + 60.0 * i
            state, corrected = look(self.seen(at), state, at, can)
        return state, corrected


def look(
    seen: PolicyObservation, state: Calibration, at: float, can: Capability = CAN
) -> tuple[Calibration, Capability]:
    case = case_of(seen, learned(needs=1, calibration=state), replace(snapshot(), at=at))
    assert not isinstance(case.traffic, Missing)
    return calibrate(case, case.traffic, can)


@pytest.mark.parametrize(
    ("world", "lowest", "highest"),
    [
        pytest.param(World(late=late_at(80.0)), 1.0, 1.0, id="an exact model is left as it is"),
        pytest.param(World(late=0.04), 1.05, GATEWAY_LIMIT, id="more are late than predicted"),
        pytest.param(
            World(rate=50.0, late=0.4), GATEWAY_LIMIT, GATEWAY_LIMIT, id="never more than the limit"
        ),
        pytest.param(World(late=0.04, windows=8), 1.0, 1.0, id="a few windows prove nothing"),
        pytest.param(World(rate=30.0, late=0.04), 1.0, 1.0, id="little load proves nothing"),
        pytest.param(World(rate=60.0, late=0.005), 1.0, 1.0, id="late, and within the objective"),
        pytest.param(
            World(rate=86.0, late=0.0), RELIEF_LIMIT, 0.98, id="a gateway shows that more would do"
        ),
        pytest.param(World(rate=60.0, late=0.0), 1.0, 1.0, id="too little load to show more"),
        pytest.param(World(), 1.0, 1.0, id="without a gateway an exact model is left as it is"),
        pytest.param(
            World(queue_seconds=1.5 * queue_at(80.0)), 1.03, QUEUE_LIMIT, id="longer queues"
        ),
        pytest.param(World(queue_seconds=1.0), QUEUE_LIMIT, QUEUE_LIMIT, id="endless queues"),
        pytest.param(World(queue_seconds=0.0), 1.0, 1.0, id="a short queue alone relieves nothing"),
        pytest.param(
            World(queue_seconds=1.0, late=0.001), 1.0, 1.0, id="a gateway knows better than a queue"
        ),
    ],
)
def test_what_is_observed_says_how_far_the_model_is_trusted(
    world: World, lowest: float, highest: float
) -> None:
    assert lowest <= world.run()[0].factor <= highest + 1e-9


WRONG = {"late": 0.5, "queue_seconds": 1.0}


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(World(rate=95.0, **WRONG), id="overload"),
        pytest.param(World(**WRONG, world=(("failures", 1.0),)), id="failures"),
        pytest.param(World(**WRONG, world=(("partial", True),)), id="partial metrics"),
        pytest.param(
            World(**WRONG, world=(("running", workload(2, rolling_out=True)),)), id="a rollout"
        ),
        pytest.param(
            World(**WRONG, world=(("gateway", gateway(160.0, late=0.5, errors=5.0)),)), id="errors"
        ),
        pytest.param(World(**WRONG, world=(("running", workload(3)),)), id="a pod that is silent"),
    ],
)
def test_what_is_no_fault_of_the_model_teaches_nothing(world: World) -> None:
    state, can = world.run()
    assert (state.factor, state.estimate, state.wrong_seconds) == (1.0, 0.0, 0.0)
    assert can.stretch == 1.0


@pytest.mark.parametrize(
    ("rate", "late", "lowest", "highest"),
    [
        pytest.param(80.0, late_at(80.0), 1.0, 1.0, id="an exact model is left as it is"),
        pytest.param(80.0, 0.04, 1.05, GATEWAY_LIMIT, id="more are late than predicted"),
        pytest.param(86.0, 0.0, RELIEF_LIMIT, 0.98, id="none is late"),
    ],
)
def test_a_few_errors_hide_nothing_and_are_not_late(
    rate: float, late: float, lowest: float, highest: float
) -> None:
    """0.95 % of the requests: below what matters anywhere else."""
    front = gateway(2 * rate, late=late, errors=0.0095 * 2 * rate)
    state, _ = World(rate=rate, late=late, world=(("gateway", front),)).run()
    assert state.late.windows >= 10.0
    assert lowest <= state.factor <= highest + 1e-9


def test_pods_that_have_just_started_teach_nothing() -> None:
    at = NOON + 60.0
    young = workload(2, (pod("p0"), replace(pod("p1"), ready_at=at - 61.0)))
    seen = replace(World(**WRONG).seen(at), workloads=(young,))
    state, _ = look(seen, Calibration(), at)
    assert (state.disturbed_at, state.late.windows) == (at, 0.0)


def test_the_loads_of_each_pod_explain_what_their_mean_does_not() -> None:
    """One pod at 86 and one at 40 requests/s are late as these loads are."""
    share = (86 * late_at(86.0) + 40 * late_at(40.0)) / 126
    waited = 60 * (86 * queue_at(86.0) + 40 * queue_at(40.0))
    state = Calibration()
    for i in range(1, 41):
        at = NOON + 60.0 * i
        pods = (
            pod_signals("p0", 86.0, queue_seconds=waited),
            pod_signals("p1", 40.0, queue_seconds=0.0),
        )
        seen = replace(signals(126.0, 2, sampled_at=at, gateway=gateway(126.0, share)), pods=pods)
        state, _ = look(observation(seen=seen), state, at)
    assert state.late.windows > 10
    assert state.estimate == pytest.approx(1.0, abs=0.03)
    assert state.factor == 1.0


def test_a_correction_lowers_what_a_replica_carries_and_is_told() -> None:
    before, after = CAN, World(late=0.04).run()[1]
    assert isinstance(before.profile, Profile)
    assert isinstance(after.profile, Profile)
    assert after.profile.load_per_replica == pytest.approx(
        before.profile.load_per_replica / after.stretch
    )
    assert after.profile.calibration is not None
    assert after.profile.calibration > 1.05
    demand = Demand(now=160.0, forecast=2 * after.profile.load_per_replica, backlog=0.0)
    predicted = predict(after, OBJECTIVE, demand, 2)
    assert isinstance(predicted, Prediction)
    assert predicted.seconds == pytest.approx(OBJECTIVE.threshold_seconds, rel=0.01)


def test_a_model_that_stays_wrong_forbids_removals_after_ten_minutes() -> None:
    state, _ = World(rate=50.0, late=0.4, windows=19).run()
    assert inaccurate(state, state.compared_at) is None
    state, _ = World(rate=50.0, late=0.4, windows=30).run()
    verdict = inaccurate(state, state.compared_at)
    assert verdict is not None
    assert verdict.limited_by is LimitedBy.MODEL_INACCURATE
    assert inaccurate(state, state.compared_at + WRONG_SECONDS + 1.0) is None


def test_a_model_that_is_right_again_allows_them_and_is_trusted_slowly() -> None:
    wrong, _ = World(rate=50.0, late=0.4).run()
    later = replace(World(late=0.0, rate=50.0), windows=240)
    memory = replace(wrong, compared_at=0.0, disturbed_at=0.0)
    right, _ = later.run(memory)
    assert inaccurate(right, right.compared_at) is None
    assert 1.0 < right.factor < wrong.factor


def test_a_new_template_begins_as_cautious_as_the_old_one() -> None:
    old = replace(World(rate=50.0, late=0.4).run()[0], template_hash="v0", compared_at=0.0)
    state, can = replace(World(late=0.001, rate=50.0), windows=1).run(old)
    assert state.template_hash == "v1"
    assert state.factor == old.factor
    assert can.stretch > 1.3
    relieved, _ = replace(World(rate=50.0), windows=1).run(replace(old, factor=0.9))
    assert relieved.factor == 1.0


def test_with_a_queue_delay_waiting_says_nothing() -> None:
    delayed = replace(CONFIGURATION, queue_delay_seconds=0.01)
    can = able(configuration=delayed)
    state, _ = World(rate=50.0, queue_seconds=1.0, world=(("configuration", delayed),)).run(can=can)
    assert state.queue.windows == 0.0


def test_a_mean_queue_time_as_objective_is_calibrated_by_the_queue() -> None:
    aimed = policy(objective=QueueTimeObjective(mean_seconds=0.05))
    state, _ = World(rate=70.0, queue_seconds=0.2, late=0.5, world=(("of", aimed),)).run(
        can=able(aimed.objective)
    )
    assert state.late.windows == 0.0
    assert state.factor > 1.05


def test_an_objective_between_two_bounds_is_compared_at_the_upper_one() -> None:
    aimed = policy(objective=replace(OBJECTIVE, threshold_seconds=0.25))
    state, _ = World(rate=70.0, late=0.0, world=(("of", aimed),)).run(can=able(aimed.objective))
    assert state.bound_seconds == 0.3
    assert state.doubtful > 0
    assert state.factor == 1.0


def wrong_memory(measure: str) -> PolicyMemory:
    few = tuple(10.0 for _ in STRETCHES)
    compared = Compared(windows=20.0, requests=10_000.0, observed=300.0, predicted=few)
    state = Calibration(template_hash="v1", wrong_seconds=900.0, compared_at=NOON - 60.0)
    return watched([60.0] * 40, 3, calibration=replace(state, **{measure: compared}))


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        ("late", "3 % of the requests are late where the model says 0.1 %"),
        ("queue", "Requests wait 30 ms in Triton's queue where the model says 1.0 ms"),
    ],
)
def test_the_plan_and_its_words_say_that_the_model_is_wrong(measure: str, told: str) -> None:
    seen, memory = observation(rate=60.0, replicas=3), wrong_memory(measure)
    plan = plan_of(seen, memory)
    assert (plan.desired, plan.limited_by) == (3, LimitedBy.MODEL_INACCURATE)
    assert told in explain(plan, seen).limited
    right = plan_of(seen, replace(memory, calibration=Calibration()))
    assert right.desired < 3


def test_a_correction_is_told_beside_the_decision() -> None:
    corrected = Calibration(template_hash="v1", factor=1.3, estimate=1.3)
    seen = observation(rate=60.0)
    plan = plan_of(seen, learned(needs=1, calibration=corrected))
    assert "of a load 24 % higher" in explain(plan, seen).findings
    relieved = plan_of(seen, learned(needs=1, calibration=replace(corrected, factor=0.9)))
    assert "of a load 10 % lower" in explain(relieved, seen).findings


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(min_value=45.0, max_value=84.0), min_size=5, max_size=20),
    st.integers(min_value=0, max_value=2**16),
)
def test_an_exact_model_is_never_corrected_by_more_than_three_percent(
    rates: list[float], seed: int
) -> None:
    draw = Random(seed)  # noqa: S311 - chance of a simulation
    state = Calibration()
    for i in range(1, 121):
        at, rate = NOON + 60.0 * i, rates[i % len(rates)]
        mean = 120.0 * rate * late_at(rate)
        late = max(mean + draw.gauss(0.0, 2.0) * mean**0.5, 0.0)
        queue = queue_at(rate) * draw.uniform(0.9, 1.1)
        world = World(rate=rate, late=late / (120.0 * rate), queue_seconds=queue)
        state, _ = look(world.seen(at), state, at)
        assert 0.97 <= state.factor <= 1.03
