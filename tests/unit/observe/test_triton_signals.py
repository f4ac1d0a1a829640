"""The signals of one policy, and each reason why there are none."""

import pytest

from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import Signals
from inference_cost.observe import queries as q
from inference_cost.observe.gateway import NOT_CONFIGURED
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.queries import TRITON_QUERIES, TickAnswers
from inference_cost.observe.tick_series import sort_series
from inference_cost.observe.triton_signals import Subject, build_signals
from tests.unit.observe.world import NOW, Entry, entry, filled, pod, recorded_window

COUNTERS = (
    *(q.SUCCESS, q.INFERENCES, q.EXECUTIONS, q.REQUEST_MICROSECONDS, q.QUEUE_MICROSECONDS),
    *q.COMPUTE_MICROSECONDS,
)
STEADY = ((-45.0, 100.0), (-30.0, 105.0), (-15.0, 110.0), (0.0, 120.0))


def counters(
    pod_name: str, *samples: tuple[float, float | str], model: str = "sleepy", **extra: str
) -> list[Entry]:
    labels = {"namespace": "vision", "pod": pod_name, "model": model, "version": "1", **extra}
    return [entry(name, labels, *(samples or STEADY)) for name in COUNTERS]


def answers(
    entries: list[Entry], *, partial: bool = False, offset: float = 0.0, **failures: Missing
) -> TickAnswers:
    found: dict[str, Answer | Missing] = {
        name: Answer(
            result=[e for e in entries if e["metric"]["__name__"] in families], partial=partial
        )
        for name, families in TRITON_QUERIES.items()
    }
    return TickAnswers(
        at=NOW, clock_offset_seconds=offset, window_seconds=60, answers={**found, **failures}
    )


def look(
    given: TickAnswers, *pods: dict[str, object], models: tuple[str, ...] = (), now: float = NOW
) -> Signals | Missing:
    records = filled(*pods).pods("vision")
    wanted = {("vision", p.name) for p in records}
    tick = sort_series(given, wanted, namespace_label="namespace", pod_label="pod")
    subject = Subject(namespace="vision", pods=records, models=models, now=now)
    return build_signals(tick, subject, NOT_CONFIGURED)


def signals(given: TickAnswers, *pods: dict[str, object]) -> Signals:
    found = look(given, *pods)
    assert isinstance(found, Signals), found
    return found


def test_each_reporting_pod_has_its_own_window() -> None:
    found = signals(answers(counters("a") + counters("b")), pod("a"), pod("b"))
    assert {p.pod for p in found.pods} == {"a", "b"}
    assert found.scrape_interval_seconds == 15
    assert found.sampled_at == NOW
    assert not found.partial


def test_the_real_triton_on_a_cpu_has_no_gpu_series_and_that_is_said() -> None:
    found = signals(answers(recorded_window("a")), pod("a"))
    [seen] = found.pods
    assert [m.model for m in seen.models] == ["sleepy"]
    assert isinstance(seen.gpu_utilization, Missing)
    assert seen.gpu_utilization.reason is MissingReason.NOT_EXPORTED


def test_times_are_told_by_our_clock_whatever_the_source_s_says() -> None:
    found = signals(answers(counters("a"), offset=300), pod("a"))
    assert found.sampled_at == NOW - 300


REASONS: dict[str, tuple[TickAnswers, list[dict[str, object]], MissingReason, str]] = {
    "no pod is ready": (
        answers(counters("a")),
        [pod("a", ready_for=None)],
        MissingReason.NO_READY_PODS,
        "",
    ),
    "a query failed": (
        answers([], requests=Missing(reason=MissingReason.UNAUTHORIZED, detail="401")),
        [pod("a")],
        MissingReason.UNAUTHORIZED,
        "401",
    ),
    "the store has no Triton series": (
        answers([]),
        [pod("a")],
        MissingReason.EMPTY_RESULT,
        'nv_inference_request_success{namespace="vision", pod="a"}',
    ),
    "the store has the namespace's other pods alone": (
        answers(counters("z")),
        [pod("a")],
        MissingReason.EMPTY_RESULT,
        "series for z",
    ),
    "the store has no pod label": (
        answers([entry(q.SUCCESS, {"instance": "i", "model": "m"}, *STEADY)]),
        [pod("a")],
        MissingReason.EMPTY_RESULT,
        "labels instance, model",
    ),
    "a new pod has no sample yet": (
        answers([]),
        [pod("a", ready_for=5)],
        MissingReason.WARMING_UP,
        "60 s",
    ),
    "a pod has one sample so far": (
        answers(counters("a", (0, 5))),
        [pod("a")],
        MissingReason.WARMING_UP,
        "one sample",
    ),
    "the newest sample is too old": (
        answers(counters("a", (-59, 5), (-57, 6), (-55, 7))),
        [pod("a")],
        MissingReason.STALE,
        "55 s",
    ),
    "no value is a number": (
        answers(counters("a", (-15, "NaN"), (0, "NaN"))),
        [pod("a")],
        MissingReason.NOT_FINITE,
        "a",
    ),
    "a renamed counter": (
        answers([e for e in counters("a") if e["metric"]["__name__"] != q.EXECUTIONS]),
        [pod("a")],
        MissingReason.NOT_EXPORTED,
        q.EXECUTIONS,
    ),
    "two clusters": (
        answers(counters("a", cluster="x") + counters("a", cluster="y")),
        [pod("a")],
        MissingReason.AMBIGUOUS,
        "cluster; set prometheus.matchers",
    ),
    "one of three ready pods reports": (
        answers(counters("a")),
        [pod("a"), pod("b"), pod("c")],
        MissingReason.PARTIAL,
        "1 of 3 ready pods report; silent: b, c",
    ),
}


@pytest.mark.parametrize(("given", "pods", "reason", "said"), REASONS.values(), ids=REASONS)
def test_missing(
    given: TickAnswers, pods: list[dict[str, object]], reason: MissingReason, said: str
) -> None:
    found = look(given, *pods)
    assert isinstance(found, Missing)
    assert found.reason is reason
    assert said in found.detail


def test_an_empty_answer_is_not_zero_load() -> None:
    assert isinstance(look(answers([]), pod("a")), Missing)


def test_flat_counters_are_zero_load() -> None:
    found = signals(answers(counters("a", (-15, 5), (0, 5))), pod("a"))
    assert found.pods[0].models[0].requests == 0


def test_a_new_pod_is_not_expected_to_report_yet() -> None:
    found = signals(answers(counters("a")), pod("a"), pod("b", ready_for=5), pod("c", ready_for=5))
    assert [p.pod for p in found.pods] == ["a"]
    assert not found.partial


def test_a_silent_pod_makes_the_signals_partial() -> None:
    found = signals(answers(counters("a")), pod("a"), pod("silent"))
    assert found.partial
    assert (found.silent_pods, found.source_partial) == (("silent",), False)


def test_a_warning_of_the_source_makes_the_signals_partial() -> None:
    found = signals(answers(counters("a"), partial=True), pod("a"))
    assert found.partial
    assert (found.silent_pods, found.source_partial) == ((), True)


def test_a_terminating_pod_still_tells_its_load() -> None:
    leaving = pod("b", deletionTimestamp="2027-01-15T08:00:00Z")
    found = signals(answers(counters("a") + counters("b")), pod("a"), leaving)
    assert {p.pod for p in found.pods} == {"a", "b"}


def test_a_terminating_pod_that_went_silent_is_left_out() -> None:
    leaving = pod("b", deletionTimestamp="2027-01-15T08:00:00Z")
    given = answers(counters("a") + counters("b", (-58, 1), (-56, 2)))
    found = signals(given, pod("a"), leaving)
    assert [p.pod for p in found.pods] == ["a"]
    assert not found.partial


def test_only_the_policy_s_models_count() -> None:
    given = answers(counters("a") + counters("a", model="other"))
    found = look(given, pod("a"), models=("other",))
    assert isinstance(found, Signals)
    assert [m.model for m in found.pods[0].models] == ["other"]


def test_what_others_are_asked_on_the_same_pod_is_told_beside() -> None:
    idle = counters("a", (-45.0, 100.0), (0.0, 100.0), model="idle")
    given = answers(counters("a") + counters("a", model="other") + idle)
    named = look(given, pod("a"), models=("other",))
    every = look(given, pod("a"))
    assert isinstance(named, Signals)
    assert isinstance(every, Signals)
    assert [m.model for m in named.pods[0].others] == ["sleepy"]
    assert every.pods[0].others == ()


def test_a_model_that_is_not_loaded_is_named_beside_those_that_are() -> None:
    found = look(answers(counters("a")), pod("a"), models=("resnet",))
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.MODEL_NOT_LOADED
    assert "resnet not loaded; loaded: sleepy" in found.detail


def test_a_failed_gpu_query_is_told_as_such() -> None:
    failed = Missing(reason=MissingReason.QUERY_FAILED, detail="boom")
    found = signals(answers(counters("a"), gpu=failed), pod("a"))
    assert found.pods[0].gpu_utilization == failed


def test_a_failed_query_for_pending_leaves_the_rest() -> None:
    failed = Missing(reason=MissingReason.QUERY_FAILED, detail="boom")
    found = signals(answers(counters("a"), pending=failed), pod("a"))
    assert isinstance(found.pods[0].models[0].pending, Missing)
