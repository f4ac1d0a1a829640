"""The rules give what the real controllers gave, sync by sync.

The recordings (tests/fixtures/autoscalers, `make calibrate-baselines`) are of the HPA controller of
Kubernetes and of KEDA, run faster than by default; time is stretched back here. `given` replays each
sync with what the real one found; `alone` lets the rule live with its own replicas from the first
sync on.
"""

import csv
import gzip
from collections.abc import Callable, Iterator
from math import nan
from pathlib import Path
from typing import NamedTuple

import pytest

from inference_cost.simulate.baselines import hpa, keda
from inference_cost.simulate.baselines.hpa_behavior import (
    DOWN_BY_DEFAULT,
    MAX,
    MIN,
    UP_BY_DEFAULT,
    Rules,
)
from inference_cost.simulate.baselines.seen import Seen

RECORDINGS = Path(__file__).parents[3] / "fixtures" / "autoscalers"
STRETCH = 7.5  # a sync every 2 s is one every 15 s
KEDA_STRETCH = keda.COOLDOWN_SECONDS / 38  # what was recorded had a cooldown of 38 s
START_UP_SECONDS = 30.0  # of the recording; not compared
POD_START_SECONDS = 7.1  # from ordered to Ready: the delay of the pod, and the time to make it
LEAST_SYNCS, LEAST_EQUAL = 150, 0.98

# 7 requests/s per replica.
TARGET = hpa.DEFAULT.target
LOAD_PER_REPLICA = 7.0 / TARGET


def default_rules(stretch: float) -> hpa.Knobs:
    """The default behavior as it was recorded: a window of 41 s, periods of 1 s."""
    period = 1.0 * stretch
    return hpa.DEFAULT._replace(
        up=UP_BY_DEFAULT._replace(pods_period_seconds=period, percent_period_seconds=period),
        down=DOWN_BY_DEFAULT._replace(window_seconds=41 * stretch, percent_period_seconds=period),
    )


EAGER = hpa.DEFAULT._replace(
    up=Rules(0.0, 20, 1 * STRETCH, 0.0, 0.0, MAX),
    down=Rules(0.0, 0, 0.0, 100.0, 1 * STRETCH, MAX),
)
CAREFUL = hpa.DEFAULT._replace(
    up=Rules(7 * STRETCH, 2, 7 * STRETCH, 50.0, 11 * STRETCH, MAX),
    down=Rules(15 * STRETCH, 3, 11 * STRETCH, 30.0, 15 * STRETCH, MIN),
)


class Row(NamedTuple):
    """One sync of the HPA or poll of KEDA. Seconds as recorded; NaN is no rate, -1 no count."""

    at: float
    is_sync: bool
    rate: float
    ready: int
    replicas: int
    desired: int


class Compared(NamedTuple):
    """Replica counts after one sync (or poll), seconds as recorded."""

    at: float
    ours: int
    theirs: int


def recorded(name: str) -> list[Row]:
    with gzip.open(RECORDINGS / f"{name}.csv.gz", "rt") as file:
        return [
            Row(
                at=float(cells["at_s"]),
                is_sync=cells["event"] == "sync",
                rate=float(cells["requests_per_second"] or nan),
                ready=int(cells["ready"] or -1),
                replicas=int(cells["replicas"]),
                desired=int(cells["desired"]),
            )
            for cells in csv.DictReader(file)
        ]


def seen(
    row: Row, *, ready: int, replicas: int, min_replicas: int = 1, stretch: float = STRETCH
) -> Seen:
    return Seen(
        at=row.at * stretch,
        rate=row.rate,
        rate_6s=row.rate,
        in_flight=0.0,
        in_flight_6s=0.0,
        waiting=0.0,
        busy=0.0,
        latency_p90_seconds=0.0,
        ready=ready,
        replicas=replicas,
        load_per_replica=LOAD_PER_REPLICA,
        in_flight_per_replica=1.0,
        threshold_seconds=1.0,
        min_replicas=min_replicas,
        max_replicas=20,
    )


def hpa_given(name: str, knobs: hpa.Knobs) -> Iterator[Compared]:
    rows = recorded(name)
    state = hpa.new_state(knobs, rows[0].replicas)
    for row in rows:
        look = seen(row, ready=row.ready, replicas=row.replicas)
        yield Compared(row.at, hpa.desired(look, knobs, state), row.desired)


def hpa_alone(name: str, knobs: hpa.Knobs) -> Iterator[Compared]:
    rows = recorded(name)
    pods = [-POD_START_SECONDS] * rows[0].replicas  # ordered at
    state = hpa.new_state(knobs, len(pods))
    for row in rows:
        ready = sum(row.at - ordered > POD_START_SECONDS for ordered in pods)
        wanted = hpa.desired(seen(row, ready=ready, replicas=len(pods)), knobs, state)
        pods = [*pods, *[row.at] * (wanted - len(pods))][:wanted]  # the newest go first
        yield Compared(row.at, wanted, row.desired)


def keda_given() -> Iterator[Compared]:
    rows = recorded("keda")
    state = keda.new_state(KEDA_RULES, rows[0].replicas)
    for row in rows:
        yield Compared(row.at, keda_step(row, row.replicas, state), row.desired)


def keda_alone() -> Iterator[Compared]:
    rows = recorded("keda")
    replicas = rows[0].replicas
    state = keda.new_state(KEDA_RULES, replicas)
    for row in rows:
        replicas = keda_step(row, replicas, state)
        if row.is_sync:
            yield Compared(row.at, replicas, row.desired)


KEDA_RULES = default_rules(KEDA_STRETCH)


def keda_step(row: Row, replicas: int, state: keda.State) -> int:
    look = seen(row, ready=replicas, replicas=replicas, min_replicas=0, stretch=KEDA_STRETCH)
    return keda.sync(look, KEDA_RULES, state) if row.is_sync else keda.poll(look, state)


RUNS: dict[str, Callable[[], Iterator[Compared]]] = {
    "HPA, default behavior, given": lambda: hpa_given("hpa", default_rules(STRETCH)),
    "HPA, default behavior, alone": lambda: hpa_alone("hpa", default_rules(STRETCH)),
    "HPA, nothing holds it back, given": lambda: hpa_given("hpa-eager", EAGER),
    "HPA, nothing holds it back, alone": lambda: hpa_alone("hpa-eager", EAGER),
    "HPA, windows and policies, given": lambda: hpa_given("hpa-careful", CAREFUL),
    "HPA, windows and policies, alone": lambda: hpa_alone("hpa-careful", CAREFUL),
    "KEDA, given": keda_given,
    "KEDA, alone": keda_alone,
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_replicas_per_sync_are_those_of_the_real_controller(
    run: Callable[[], Iterator[Compared]],
) -> None:
    compared = [tick for tick in run() if tick.at >= START_UP_SECONDS]
    apart = [tick for tick in compared if tick.ours != tick.theirs]
    assert len(compared) >= LEAST_SYNCS
    assert len(apart) <= (1 - LEAST_EQUAL) * len(compared), apart
    assert all(abs(tick.ours - tick.theirs) <= 1 for tick in apart), apart


@pytest.mark.parametrize("replay", [hpa_given, hpa_alone])
def test_also_where_a_window_ends_with_a_sync(
    replay: Callable[[str, hpa.Knobs], Iterator[Compared]],
) -> None:
    """The defaults to the second. Milliseconds decide then which sync is the last of a window."""
    compared = [tick for tick in replay("hpa-edge", hpa.DEFAULT) if tick.at >= START_UP_SECONDS]
    equal = sum(tick.ours == tick.theirs for tick in compared)
    assert equal >= LEAST_EQUAL * len(compared)


@pytest.mark.parametrize("name", ["hpa", "hpa-eager", "hpa-careful", "hpa-edge", "keda"])
def test_the_recording_shows_what_there_is_to_show(name: str) -> None:
    """A flat recording would agree with anything."""
    rows = [row for row in recorded(name) if row.at >= START_UP_SECONDS]
    changes = [row.desired - row.replicas for row in rows]
    assert sum(change > 0 for change in changes) >= 10
    assert sum(change < 0 for change in changes) >= 5
    assert max(row.desired for row in rows) == 20
    assert min(row.desired for row in rows) == (0 if name == "keda" else 1)
