"""Counters, whatever is scraped: never negative, never an exception, the same in any order."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.model.reading import Missing
from inference_cost.observe import queries as q
from inference_cost.observe.counters import AmbiguousSeriesError, PodSeries, model_window
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.queries import TickAnswers
from inference_cost.observe.series import clean, increase, parse_series
from inference_cost.observe.tick_series import sort_series
from tests.unit.observe.world import NOW, Entry

COUNTERS = (
    *(q.SUCCESS, q.FAILURE, q.INFERENCES, q.EXECUTIONS, q.REQUEST_MICROSECONDS),
    *(q.RESPONSE_BUCKET, q.REQUEST_SUMMARY),
    *(q.QUEUE_MICROSECONDS, *q.COMPUTE_MICROSECONDS, q.PENDING),
)
values = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats().map(str),
    st.sampled_from(["NaN", "Nan", "+Inf", "-Inf", "-1", "1e308", "", "x"]),
)
samples = st.lists(st.tuples(st.integers(-60, 0).map(float), values), max_size=8)
labels = st.fixed_dictionaries(
    {"version": st.sampled_from(["1", "2"]), "job": st.sampled_from(["a", "b"])},
    optional={
        "gpu_uuid": st.sampled_from(["GPU-1", "GPU-2"]),
        "instance": st.sampled_from(["x", "y"]),
        "reason": st.sampled_from(["BACKEND", "OTHER"]),
        "le": st.sampled_from(["100", "+Inf", "NaN", ""]),
        "quantile": st.sampled_from(["0.5", "0.99", "x"]),
    },
)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    found = []
    for name in COUNTERS:
        for _ in range(draw(st.integers(0, 3))):
            target: dict[object, object] = {"namespace": "vision", "pod": "a", "model": "m"}
            target.update(draw(labels))
            raw = [[NOW + at, value] for at, value in draw(samples)]
            found.append({"metric": {"__name__": name, **target}, "values": raw})
    return found


def window_of(many: list[Entry]) -> object:
    pod = PodSeries()
    for one in many:
        pod.add(parse_series(one))
    try:
        return model_window("m", pod.by_model["m"])
    except AmbiguousSeriesError as error:
        return str(error)


@given(samples)
def test_an_increase_is_finite_and_never_negative(raw: list[tuple[float, str]]) -> None:
    found = increase(clean(raw))
    assert math.isfinite(found)
    assert found >= 0


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=9))
def test_a_counter_that_never_falls_grows_by_last_minus_first(steps: list[int]) -> None:
    total = 0
    rising = []
    for at, step in enumerate(steps):
        total += step
        rising.append((float(at), float(total)))
    assert increase(tuple(rising)) == rising[-1][1] - rising[0][1]


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=9), st.integers(0, 1000))
def test_an_increase_is_at_least_what_the_last_stretch_grew(rises: list[int], start: int) -> None:
    series = tuple((float(i), float(start if i == 0 else v)) for i, v in enumerate(rises))
    (_, before), (_, last) = series[-2:]
    assert increase(series) >= max(0.0, last - before)


@given(entries(), st.randoms(use_true_random=False))
def test_the_order_of_series_and_samples_changes_nothing(
    many: list[Entry], source: random.Random
) -> None:
    shuffled = [{**one, "values": source.sample(one["values"], len(one["values"]))} for one in many]
    unique = [len({at for at, _ in one["values"]}) == len(one["values"]) for one in many]
    source.shuffle(shuffled)
    if all(unique):
        assert window_of(shuffled) == window_of(many)


@given(entries())
def test_no_exposition_gives_a_negative_or_infinite_window(many: list[Entry]) -> None:
    found = window_of(many)
    if isinstance(found, Missing | str):
        return
    numbers = [getattr(found, name) for name in found.__slots__]  # type: ignore[attr-defined]
    for number in (n for n in numbers if isinstance(n, float | int)):
        assert math.isfinite(number)
        assert number >= 0


@given(entries())
def test_sorting_a_tick_never_raises_and_keeps_strangers_out(many: list[Entry]) -> None:
    answers = {
        name: Answer(result=[e for e in many if e["metric"]["__name__"] in families])
        for name, families in q.TRITON_QUERIES.items()
    }
    at_now = TickAnswers(at=NOW, clock_offset_seconds=0, window_seconds=60, answers=answers)
    found = sort_series(at_now, {("shop", "a")}, namespace_label="namespace", pod_label="pod")
    assert found.pods == {}
    assert found.seen.triton_series == len(many)
