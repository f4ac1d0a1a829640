"""The HPA that runs beside a policy is the one of the simulator."""

from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.account.savings.hpa import Bounds, Hpa, new_hpa, synced
from inference_cost.simulate.baselines import hpa as simulated
from inference_cost.simulate.baselines.seen import Seen

TARGET = 0.7 * 100.0
START_UP = 50.0


def look(at: float, rate: float, hpa: Hpa, bounds: Bounds) -> Seen:
    return Seen(
        at=at,
        rate=rate,
        rate_6s=rate,
        in_flight=0.0,
        in_flight_6s=0.0,
        waiting=0.0,
        busy=0.0,
        latency_p90_seconds=0.0,
        ready=hpa.ready(at),
        replicas=hpa.replicas,
        load_per_replica=100.0,
        in_flight_per_replica=1.0,
        threshold_seconds=0.1,
        min_replicas=bounds.low,
        max_replicas=bounds.high,
    )


@settings(max_examples=60, deadline=None)
@given(
    rates=st.lists(st.floats(0, 5000), min_size=1, max_size=60),
    first=st.integers(1, 40),
    bounds=st.tuples(st.integers(1, 5), st.integers(5, 40)),
)
def test_it_decides_as_the_simulator_does(
    rates: list[float], first: int, bounds: tuple[int, int]
) -> None:
    within = Bounds(low=bounds[0], high=bounds[1])
    hpa, state = new_hpa(first, 0.0), simulated.new_state(simulated.DEFAULT, first)
    state.recommended.at[0] = 0.0
    for step, rate in enumerate(rates, start=1):
        at = 15.0 * step
        expected = simulated.desired(look(at, rate, hpa, within), simulated.DEFAULT, state)
        hpa = synced(
            hpa,
            at=at,
            rate=rate,
            target=TARGET,
            start_up=START_UP,
            bounds=within,
        )
        assert hpa.replicas == expected


def test_between_syncs_nothing_is_decided_and_zero_stays_zero() -> None:
    bounds = Bounds(low=1, high=9)
    early = synced(
        new_hpa(1, 0.0), at=14.0, rate=900, target=TARGET, start_up=START_UP, bounds=bounds
    )
    assert early.replicas == 1
    off = synced(
        new_hpa(0, 0.0), at=15.0, rate=900, target=TARGET, start_up=START_UP, bounds=bounds
    )
    assert off.replicas == 0
