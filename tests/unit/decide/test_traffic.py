"""What the signals of a policy amount to in the newest gap between scrapes."""

from dataclasses import replace

import pytest

from inference_cost.decide.traffic import Traffic, traffic
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import LatestGap, PodSignals, Signals
from tests.unit.decide.worlds import NOON, pod, signals


def summed(seen: Signals, *ready_for: float) -> Traffic:
    """Of pods that have been ready for so many seconds."""
    pods = tuple(pod(f"p{i}", age=seconds + 60.0) for i, seconds in enumerate(ready_for))
    found = traffic(seen, pods, NOON, 60.0)
    assert isinstance(found, Traffic)
    return found


def newest(one: PodSignals, gap: LatestGap | Missing) -> PodSignals:
    return replace(one, models=tuple(replace(w, latest=gap) for w in one.models))


def test_the_newest_gap_of_all_pods() -> None:
    seen = signals(100.0, 2)
    faster = LatestGap(at=NOON, seconds=15.0, requests=900.0, pending_change=0.0)
    seen = replace(seen, pods=(newest(seen.pods[0], faster), seen.pods[1]))
    assert summed(seen, 3600.0, 3600.0).latest == pytest.approx(60.0 + 50.0)


def test_a_queue_that_grows_has_arrived_too() -> None:
    seen = signals(100.0, 1)
    growing = LatestGap(at=NOON, seconds=15.0, requests=1500.0, pending_change=300.0)
    seen = replace(seen, pods=(newest(seen.pods[0], growing),))
    assert summed(seen, 3600.0).latest == pytest.approx(120.0)


@pytest.mark.parametrize(
    ("ready_for", "latest"),
    [(3600.0, 150.0), (15.0, 150.0), (7.5, 125.0), (0.0, 100.0)],
    ids=["for long", "for the whole gap", "for half of it", "only just"],
)
def test_a_ready_pod_that_does_not_report_yet_does_as_the_others(
    ready_for: float, latest: float
) -> None:
    assert summed(signals(100.0, 2), 3600.0, 3600.0, ready_for).latest == pytest.approx(latest)


@pytest.mark.parametrize(
    "gap",
    [
        Missing(reason=MissingReason.NOT_EXPORTED),
        LatestGap(at=NOON, seconds=0.0, requests=5.0, pending_change=0.0),
        LatestGap(at=NOON, seconds=float("nan"), requests=5.0, pending_change=0.0),
        LatestGap(at=NOON, seconds=15.0, requests=float("inf"), pending_change=0.0),
        LatestGap(at=NOON, seconds=15.0, requests=5.0, pending_change=float("nan")),
    ],
    ids=["unknown", "no time", "no number", "infinite", "a broken gauge"],
)
def test_without_a_newest_gap_the_window_stands_for_it(gap: LatestGap | Missing) -> None:
    seen = signals(100.0, 2)
    seen = replace(seen, pods=tuple(newest(one, gap) for one in seen.pods))
    assert summed(seen, 3600.0, 3600.0).latest == pytest.approx(100.0)
