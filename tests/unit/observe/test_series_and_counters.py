"""Raw series to increases: recorded expositions of the real Triton, and every quirk we know of."""

from math import inf
from typing import Any

import pytest

from inference_cost.model.profile_key import SEVERAL, UNKNOWN
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import LatencyHistogram, LatestGap, ModelWindow
from inference_cost.observe import queries as q
from inference_cost.observe.counters import AmbiguousSeriesError, PodSeries, model_window
from inference_cost.observe.series import clean, increase, parse_series, typical_interval_seconds
from tests.unit.observe.world import NOW, Entry, entry, recorded_window

TARGET = {"namespace": "vision", "pod": "a", "instance": "10.0.0.1:8002", "job": "pods"}
COUNTERS = (
    *(q.SUCCESS, q.INFERENCES, q.EXECUTIONS, q.REQUEST_MICROSECONDS, q.QUEUE_MICROSECONDS),
    *q.COMPUTE_MICROSECONDS,
)

CLEANED: dict[str, tuple[list[tuple[float, Any]], tuple[tuple[float, float], ...]]] = {
    "numbers as text": ([(1, "2"), (2, "3.5")], ((1, 2), (2, 3.5))),
    "NaN as Prometheus writes it": ([(1, "2"), (2, "NaN")], ((1, 2),)),
    "NaN as Triton writes it": ([(1, "Nan"), (2, "3")], ((2, 3),)),
    "infinities": ([(1, "+Inf"), (2, "-Inf"), (3, "1")], ((3, 1),)),
    "negatives": ([(1, "-5"), (2, "1")], ((2, 1),)),
    "an exporter's blank sentinel": ([(1, "9223372036854775794"), (2, "1")], ((2, 1),)),
    "1e308": ([(1, "1e308"), (2, "1")], ((2, 1),)),
    "no number at all": ([(1, "many"), (2, None), (3, "1")], ((3, 1),)),
    "one instant twice": ([(1, "4"), (1, "4"), (2, "6")], ((1, 4), (2, 6))),
    "out of order": ([(2, "3"), (1, "2")], ((1, 2), (2, 3))),
    "nothing": ([], ()),
}


@pytest.mark.parametrize(("raw", "expected"), CLEANED.values(), ids=CLEANED)
def test_samples_are_cleaned(raw: list[tuple[float, Any]], expected: Any) -> None:
    assert clean(raw) == expected


INCREASES = {
    "a steady counter": ([5, 7, 12], 7),
    "a flat counter": ([5, 5, 5], 0),
    "one sample": ([5], 0),
    "none": ([], 0),
    "a restart": ([100, 110, 4, 9], 10 + 4 + 5),
    "a restart at zero": ([100, 0, 9], 9),
    "two restarts": ([10, 2, 1], 2 + 1),
}


@pytest.mark.parametrize(("values", "expected"), INCREASES.values(), ids=INCREASES)
def test_increase(values: list[float], expected: float) -> None:
    assert increase(tuple((float(i), float(v)) for i, v in enumerate(values))) == expected


def test_dropped_samples_are_counted() -> None:
    assert parse_series(entry("x", {}, (-2, "NaN"), (-1, 5))).dropped == 1


def test_the_scrape_interval_is_the_median_distance_of_samples() -> None:
    many = [
        parse_series(entry("x", {}, (-45, 1), (-30, 1), (-15, 1), (0, 1))),
        parse_series(entry("x", {}, (-45, 1), (0, 1))),
    ]
    assert typical_interval_seconds(many) == 15
    assert typical_interval_seconds([]) is None


def window(*entries: Entry, model: str = "sleepy") -> ModelWindow | Missing:
    pod = PodSeries()
    for one in entries:
        pod.add(parse_series(one))
    return model_window(model, pod.by_model[model], clock_offset_seconds=0.0)


def measured(*entries: Entry) -> ModelWindow:
    found = window(*entries)
    assert isinstance(found, ModelWindow), found
    return found


def test_a_window_of_the_real_triton() -> None:
    found = measured(*recorded_window("a"))
    assert found.seconds == 30
    assert (found.requests, found.failures, found.inferences, found.executions) == (43, 0, 43, 9)
    # Per request, not per execution: 43 requests each wait for their whole batch of 45 to 80 ms.
    assert 0.045 < found.compute_seconds / found.requests < 0.085
    assert found.request_seconds == pytest.approx(
        found.queue_seconds + found.compute_seconds, rel=0.001
    )
    assert found.pending == Sample(value=22.0, at=NOW - 5)
    assert found.pending_change == Sample(value=22.0, at=NOW - 5)


def counters(
    *samples: tuple[float, float | str], extra: dict[str, str] | None = None, skip: str = ""
) -> list[Entry]:
    labels = {**TARGET, "model": "sleepy", "version": "1", **(extra or {})}
    return [entry(name, labels, *samples) for name in COUNTERS if name != skip]


STEADY = ((-30.0, 100.0), (-15.0, 110.0), (0.0, 120.0))
UUID = {"gpu_uuid": "GPU-1"}

QUIRKS: dict[str, tuple[list[Entry], float, float]] = {
    "steady": (counters(*STEADY), 20, 30),
    "restarted": (counters((-30, 100), (-15, 3), (0, 8)), 8, 30),
    "loaded again, now with a gpu_uuid": (
        counters((-30, 100), (-15, 110)) + counters((-10, 0), (0, 7), extra=UUID),
        17,
        30,
    ),
    "instances on two GPUs": (
        counters(*STEADY, extra=UUID) + counters(*STEADY, extra={"gpu_uuid": "GPU-2"}),
        40,
        30,
    ),
    "two versions": (counters(*STEADY) + counters(*STEADY, extra={"version": "2"}), 40, 30),
    "scraped by two jobs": (counters(*STEADY) + counters(*STEADY, extra={"job": "svc"}), 20, 30),
    "stored by two Prometheus replicas": (
        counters(*STEADY) + counters(*STEADY[1:], extra={"prometheus_replica": "b"}),
        20,
        30,
    ),
    "back under its old name at another address": (
        counters((-30, 100), (-20, 110)) + counters((-10, 1), (0, 5), extra={"instance": "b"}),
        14,
        30,
    ),
    "a NaN in between": (counters((-30, 100), (-15, "NaN"), (0, 120)), 20, 30),
    "started within the window": (counters((-10, 0), (0, 5)), 5, 10),
}


@pytest.mark.parametrize(("entries", "requests", "seconds"), QUIRKS.values(), ids=QUIRKS)
def test_quirk(entries: list[Entry], requests: float, seconds: float) -> None:
    found = measured(*entries)
    assert (found.requests, found.seconds) == (requests, seconds)
    assert found.executions == requests


VERSIONS: dict[str, tuple[list[Entry], str | Missing]] = {
    "one": (counters(*STEADY), "1"),
    "two that answer": (counters(*STEADY) + counters(*STEADY, extra={"version": "2"}), SEVERAL),
    "an old one that is still loaded": (
        counters((-30, 7), (0, 7)) + counters(*STEADY, extra={"version": "2"}),
        "2",
    ),
    "two, and nobody asks": (
        counters((-30, 7), (0, 7)) + counters((-30, 7), (0, 7), extra={"version": "2"}),
        SEVERAL,
    ),
    "a store that drops the label": (counters(*STEADY, extra={"version": ""}), UNKNOWN),
}


@pytest.mark.parametrize(("entries", "version"), VERSIONS.values(), ids=VERSIONS)
def test_the_version_is_the_one_that_answers(entries: list[Entry], version: str | Missing) -> None:
    assert measured(*entries).version == version


def test_two_clusters_in_one_store_are_ambiguous() -> None:
    with pytest.raises(AmbiguousSeriesError, match="cluster"):
        window(
            *counters(*STEADY, extra={"cluster": "a"}), *counters(*STEADY, extra={"cluster": "b"})
        )


def test_two_pods_of_one_name_at_one_time_are_ambiguous() -> None:
    with pytest.raises(AmbiguousSeriesError, match="instance"):
        window(*counters(*STEADY), *counters(*STEADY, extra={"instance": "b"}))


def test_failures_of_all_reasons_are_summed() -> None:
    labels = {**TARGET, "model": "sleepy", "version": "1"}
    failures = [
        entry(q.FAILURE, {**labels, "reason": reason}, (-30, 0), (0, 3))
        for reason in ("REJECTED", "BACKEND")
    ]
    assert measured(*counters(*STEADY), *failures).failures == 6


def test_a_counter_that_this_triton_lacks_is_named() -> None:
    found = window(*counters(*STEADY, skip=q.EXECUTIONS))
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.NOT_EXPORTED
    assert q.EXECUTIONS in found.detail


def test_one_sample_is_no_window() -> None:
    found = window(*counters((0, 5)))
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.WARMING_UP


def test_without_the_pending_gauge_pending_is_missing_not_zero() -> None:
    found = measured(*counters(*STEADY))
    assert isinstance(found.pending, Missing)
    assert isinstance(found.pending_change, Missing)


def test_pending_falls_too() -> None:
    labels = {**TARGET, "model": "sleepy", "version": "1"}
    found = measured(*counters(*STEADY), entry(q.PENDING, labels, (-30, 9), (0, 2)))
    assert found.pending == Sample(value=2.0, at=NOW)
    assert found.pending_change == Sample(value=-7.0, at=NOW)


LABELS = {**TARGET, "model": "sleepy", "version": "1"}
GAPS: dict[str, tuple[list[Entry], LatestGap]] = {
    "steady": (counters(*STEADY), LatestGap(at=NOW, seconds=15, requests=10, pending_change=0)),
    "faster at the end": (
        counters((-30, 100), (-15, 110), (-5, 150)),
        LatestGap(at=NOW - 5, seconds=10, requests=40, pending_change=0),
    ),
    "restarted": (
        counters((-30, 100), (-15, 110), (0, 8)),
        LatestGap(at=NOW, seconds=15, requests=8, pending_change=0),
    ),
    "a scrape is missing": (
        counters((-45, 90), (-30, 100), (0, 120)),
        LatestGap(at=NOW, seconds=30, requests=20, pending_change=0),
    ),
    "loaded again, now with a gpu_uuid": (
        counters((-30, 100), (-15, 110)) + counters((-10, 0), (0, 7), extra=UUID),
        LatestGap(at=NOW, seconds=10, requests=7, pending_change=0),
    ),
    "some fail": (
        [*counters(*STEADY), entry(q.FAILURE, LABELS, (-30, 0), (-15, 1), (0, 4))],
        LatestGap(at=NOW, seconds=15, requests=13, pending_change=0),
    ),
    "a queue grows and falls": (
        [*counters(*STEADY), entry(q.PENDING, LABELS, (-30, 9), (-15, 20), (0, 2))],
        LatestGap(at=NOW, seconds=15, requests=10, pending_change=-18),
    ),
    "the gauge came late": (
        [*counters(*STEADY), entry(q.PENDING, LABELS, (0, 2))],
        LatestGap(at=NOW, seconds=15, requests=10, pending_change=0),
    ),
}


@pytest.mark.parametrize(("entries", "gap"), GAPS.values(), ids=GAPS)
def test_what_came_between_the_newest_two_scrapes(entries: list[Entry], gap: LatestGap) -> None:
    assert measured(*entries).latest == gap


def buckets(version: str, **counts: float) -> list[Entry]:
    """Since the first scrape; 40 of each were there before."""
    return [
        entry(
            q.RESPONSE_BUCKET,
            {**TARGET, "model": "sleepy", "version": version, "le": bound},
            *((-30, 40), (0, 40 + count)),
        )
        for bound, count in counts.items()
    ]


def summary(*samples: tuple[float, float | str], quantile: str, version: str = "1") -> Entry:
    labels = {**TARGET, "model": "sleepy", "version": version, "quantile": quantile}
    return entry(q.REQUEST_SUMMARY, labels, *samples)


def test_a_histogram_of_first_responses_is_read_in_seconds_over_all_versions() -> None:
    one = buckets("1", **{"100": 10, "500": 15, "+Inf": 20})
    other = buckets("2", **{"100": 1, "500": 2, "+Inf": 2})
    found = measured(*counters(*STEADY), *one, *other).latency
    assert found == LatencyHistogram(bounds_seconds=(0.1, 0.5, inf), cumulative=(11, 17, 22))


def test_without_an_infinite_bound_it_is_none() -> None:
    found = measured(*counters(*STEADY), *buckets("1", **{"100": 10, "junk": 3})).latency
    assert isinstance(found, Missing)


QUANTILES: dict[str, tuple[list[Entry], tuple[tuple[float, float], ...]]] = {
    "the newest values": (
        [
            summary((-30, 70e3), (0, 80e3), quantile="0.99"),
            summary((-30, 50e3), (0, 60e3), quantile="0.5"),
        ],
        ((0.5, 0.06), (0.99, 0.08)),
    ),
    "of two versions the slower": (
        [summary((0, 60e3), quantile="0.99"), summary((0, 90e3), quantile="0.99", version="2")],
        ((0.99, 0.09),),
    ),
    "an idle model": ([summary((-30, 70e3), (0, "NaN"), quantile="0.99")], ()),
    "no quantile": ([summary((0, 70e3), quantile="x"), summary((0, 70e3), quantile="NaN")], ()),
}


@pytest.mark.parametrize(("entries", "expected"), QUANTILES.values(), ids=QUANTILES)
def test_quantiles_of_summaries(
    entries: list[Entry], expected: tuple[tuple[float, float], ...]
) -> None:
    found = measured(*counters(*STEADY), *entries).quantiles
    assert found == tuple((share, pytest.approx(seconds)) for share, seconds in expected)
