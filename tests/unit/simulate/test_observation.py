"""What the operator is shown of a simulated fleet is what its own observer would make of the same samples."""

from dataclasses import replace

import pytest

from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import LatestGap, PodSignals, Signals
from inference_cost.observe import queries as q
from inference_cost.observe.counters import PodSeries
from inference_cost.observe.records import PodRecord
from inference_cost.observe.series import Series
from inference_cost.observe.tick_series import Seen, TickSeries
from inference_cost.observe.triton_signals import Subject, build_signals
from inference_cost.simulate.observation import EPOCH, MODEL, Observer
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.new import new_world
from inference_cost.simulate.world.replicas import order
from inference_cost.simulate.world.scrapes import scrape_time, seen_scrape
from inference_cost.simulate.world.state import (
    COMPUTE_SECONDS,
    EXECUTIONS,
    LIVE,
    NOW,
    PENDING,
    QUEUE_SECONDS,
    REQUEST_SECONDS,
    REQUESTS,
    SCRAPES,
    SCRAPES_KEPT,
    World,
)
from tests.unit.simulate.worlds import rates, scenario

FAMILIES = {
    q.SUCCESS: (REQUESTS, 1.0),
    q.INFERENCES: (REQUESTS, 1.0),
    q.EXECUTIONS: (EXECUTIONS, 1.0),
    q.REQUEST_MICROSECONDS: (REQUEST_SECONDS, 1e6),
    q.QUEUE_MICROSECONDS: (QUEUE_SECONDS, 1e6),
    q.COMPUTE_MICROSECONDS[0]: (COMPUTE_SECONDS, 0.0),
    q.COMPUTE_MICROSECONDS[1]: (COMPUTE_SECONDS, 1e6),
    q.COMPUTE_MICROSECONDS[2]: (COMPUTE_SECONDS, 0.0),
    q.PENDING: (PENDING, 1.0),
}


def tick_series(world: World, observer: Observer) -> TickSeries:
    """The visible samples as Prometheus would answer with them."""
    now, window = float(world.numbers[NOW]), observer.settings.rate_window_seconds
    visible = [
        number
        for number in range(int(world.counts[SCRAPES]))
        if now - window < scrape_time(world, number) <= now - world.conditions.lag_seconds
    ]
    pods = {}
    for i in range(int(world.counts[LIVE])):
        slot = int(world.replicas.listed[i])
        replica, first = int(world.replicas.number[slot]), int(world.replicas.first_scrape[slot])
        kept = [n for n in visible if n >= first >= 0 and seen_scrape(world, replica, n)]
        if kept:
            pods["shop", f"pod-{replica}"] = _pod_series(world, slot, kept)
    return TickSeries(
        at=EPOCH + now,
        clock_offset_seconds=0.0,
        window_seconds=window,
        interval_seconds=world.conditions.scrape_seconds,
        pods=pods,
        gpus={},
        seen=Seen(),
        partial=False,
    )


def _pod_series(world: World, slot: int, numbers: list[int]) -> PodSeries:
    series = PodSeries()
    for name, (column, factor) in FAMILIES.items():
        samples = tuple(
            (
                EPOCH + scrape_time(world, n),
                float(world.scraped[n % SCRAPES_KEPT, slot, column]) * factor,
            )
            for n in numbers
        )
        series.add(Series(name=name, labels={"model": MODEL}, samples=samples))
    return series


def records(world: World) -> list[PodRecord]:
    replicas, live = world.replicas, int(world.counts[LIVE])
    return [
        PodRecord(
            namespace="shop",
            name=f"pod-{replicas.number[slot]}",
            uid=f"pod-{replicas.number[slot]}",
            labels={},
            owner_kind="ReplicaSet",
            workload="resnet",
            template_hash="template",
            node="node",
            ip="",
            phase="Running",
            gpus=1,
            cpu_millicores=0,
            memory_bytes=0,
            created_at=EPOCH + float(replicas.ordered_at[slot]),
            ready_at=EPOCH + float(replicas.ready_at[slot]) if replicas.serves[slot] else None,
            terminating=False,
            unschedulable=False,
            waiting_reason="",
            restarts=0,
        )
        for slot in replicas.listed[:live]
    ]


def both(world: World, observer: Observer) -> tuple[Signals | Missing, Signals | Missing]:
    subject = Subject(
        namespace="shop", pods=records(world), models=(), now=EPOCH + float(world.numbers[NOW])
    )
    real = build_signals(
        tick_series(world, observer), subject, Missing(reason=MissingReason.NOT_CONFIGURED)
    )
    return observer.snapshot(world).observations[0].signals, real


def assert_alike(simulated: Signals | Missing, real: Signals | Missing) -> None:
    if isinstance(real, Missing) or isinstance(simulated, Missing):
        assert isinstance(real, Missing)
        assert isinstance(simulated, Missing)
        assert simulated.reason is real.reason
        return
    assert (simulated.partial, simulated.silent_pods) == (real.partial, real.silent_pods)
    assert simulated.sampled_at == pytest.approx(real.sampled_at)
    assert [pod.pod for pod in simulated.pods] == [pod.pod for pod in real.pods]
    for one, other in zip(simulated.pods, real.pods, strict=True):
        assert_windows_alike(one, other)


def assert_windows_alike(one: PodSignals, other: PodSignals) -> None:
    (mine,), (real,) = one.models, other.models
    for name in ("seconds", "requests", "inferences", "executions", "failures"):
        assert getattr(mine, name) == pytest.approx(getattr(real, name)), name
    for name in ("request_seconds", "queue_seconds", "compute_seconds"):
        assert getattr(mine, name) == pytest.approx(getattr(real, name)), name
    assert mine.pending == real.pending
    assert mine.pending_change == real.pending_change
    assert isinstance(mine.latest, LatestGap)
    assert isinstance(real.latest, LatestGap)
    for name in ("at", "seconds", "requests", "pending_change"):
        assert getattr(mine.latest, name) == pytest.approx(getattr(real.latest, name)), name


CONDITIONS = {
    "a lag of ten seconds": {},
    "no lag": {"metric_lag_seconds": 0.0},
    "a lag longer than a scrape": {"metric_lag_seconds": 40.0},
    "a lag longer than three scrapes": {"metric_lag_seconds": 60.0},
    "every fifth scrape is missing": {"missing_fraction": 0.2, "seed": 5},
    "most scrapes are missing": {"missing_fraction": 0.7, "seed": 5},
    "slow scrapes": {"scrape_seconds": 30.0},
}


@pytest.mark.parametrize("more", CONDITIONS.values(), ids=CONDITIONS.keys())
def test_as_the_observer_of_the_operator(more: dict[str, float]) -> None:
    """At every tick through starts, an overload and removals."""
    case = replace(scenario(rates(150.0, 450.0, 80.0)), **more)
    world, observer = new_world(case, replicas=2), Observer(case)
    kinds = set()
    for tick, desired in enumerate(
        (2, 2, 2, 3, 3, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 4, 4, 2) * 5
    ):
        assert advance(world, 15.0)
        simulated, real = both(world, observer)
        assert_alike(simulated, real)
        kinds.add(type(real).__name__)
        if tick > 3:
            order(world, desired)
    assert "Signals" in kinds


def test_pods_of_equal_counters_share_a_window_and_new_ones_have_their_own() -> None:
    world, observer = new_world(scenario(), replicas=3), Observer(scenario())
    advance(world, 300.0)
    order(world, 4)
    advance(world, 525.0)
    signals = observer.snapshot(world).observations[0].signals
    assert isinstance(signals, Signals)
    windows = {id(pod.models[0]) for pod in signals.pods}
    assert (len(signals.pods), len(windows)) == (4, 2)


def test_requests_do_not_get_lost_between_the_world_and_the_windows() -> None:
    world, observer = new_world(scenario(rates(120.0)), replicas=3), Observer(scenario())
    advance(world, 300.0)
    signals = observer.snapshot(world).observations[0].signals
    assert isinstance(signals, Signals)
    rate = sum(pod.models[0].requests / pod.models[0].seconds for pod in signals.pods)
    assert rate == pytest.approx(120.0)
