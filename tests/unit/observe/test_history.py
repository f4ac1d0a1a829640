"""Demand of the past: of whom an answer tells, and what of it is not known."""

from typing import Any

import numpy as np
import pytest

from inference_cost.model.observation import DecisionSettings, PolicyObservation
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.history import (
    Past,
    Scraping,
    Span,
    Whose,
    build_query,
    read_past,
    whose,
)
from inference_cost.observe.observer import Observer, ObserveSettings
from inference_cost.observe.pod_names import Owner, owner_of
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.settings import PrometheusSettings
from tests.unit.observe.world import (
    NOW,
    Entry,
    deployment,
    filled,
    owner,
    pod,
    policy,
    stateful_set,
)

SPAN = Span(start=NOW - 60, end=NOW, step_seconds=15)
SCRAPING = Scraping(interval_seconds=15, window_seconds=60)
PROMETHEUS = PrometheusSettings(url="http://prometheus", matchers='cluster="c1",')
RESNET = Whose("vision", frozenset({Owner("resnet", False)}), frozenset())
NAN = float("nan")


def series(
    *values: float | str | None, namespace: str = "vision", model: str = "m", **labels: str
) -> Entry:
    """One value per step; None where there is none."""
    known = labels or {"workload_of_template": "resnet"}
    samples = [
        [at, str(value)] for at, value in zip(SPAN.times, values, strict=False) if value is not None
    ]
    return {"metric": {"namespace": namespace, "model": model, **known}, "values": samples}


def demand(*successes: Entry, failures: tuple[Entry, ...] = (), who: Whose = RESNET) -> list[float]:
    """By step; NaN where nothing is known."""
    found = Past(SPAN, successes, failures, "namespace").of(who)
    by_step = np.full(len(SPAN.times), NAN)
    by_step[np.searchsorted(SPAN.times, found.times)] = found.per_second
    return by_step.tolist()


CASES: dict[str, tuple[list[float], list[float]]] = {
    "what was answered is demand": (demand(series(1, 2, 3, 4, 5)), [1, 2, 3, 4, 5]),
    "nothing is missing, not zero": (demand(series(1, None, 3, "NaN", 0)), [1, NAN, 3, NAN, 0]),
    "what cannot be is missing": (demand(series(1, -1, "+Inf", 1e12, "x")), [1] + 4 * [NAN]),
    "models are summed": (
        demand(series(1, 1, 1, None, None), series(2, 2, None, 2, None, model="other")),
        [3, 3, 1, 2, NAN],
    ),
    "failures are demand, too": (
        demand(series(1, 1, 1), failures=(series(2, None, 2, 2),)),
        [3, 1, 3, NAN, NAN],
    ),
    "another namespace's workload of that name is not ours": (
        demand(series(9, 9, namespace="audio")),
        5 * [NAN],
    ),
    "another workload is not ours": (
        demand(series(9, 9, workload_of_template="resnet-large")),
        5 * [NAN],
    ),
    "a StatefulSet of the same name is not ours": (
        demand(series(9, 9, workload_of_number="resnet")),
        5 * [NAN],
    ),
    "only the policy's models": (
        demand(
            series(1, 1),
            series(9, 9, model="other"),
            who=Whose("vision", RESNET.owners, frozenset({"m"})),
        ),
        [1, 1, NAN, NAN, NAN],
    ),
}


@pytest.mark.parametrize(("found", "want"), CASES.values(), ids=CASES)
def test_demand_by_step(found: list[float], want: list[float]) -> None:
    assert found == pytest.approx(want, nan_ok=True)


@pytest.mark.parametrize(
    ("kind", "name", "want"),
    [
        ("Deployment", "resnet-7d4b9c6f5-x2x4z", Owner("resnet", False)),
        ("Deployment", "resnet-large-7d4b9c6f5-24567", Owner("resnet-large", False)),
        ("Rollout", "a-b-c-5f9d-bcdfg", Owner("a-b-c", False)),
        ("StatefulSet", "resnet-12", Owner("resnet", True)),
        ("StatefulSet", "resnet", None),
        ("Deployment", "resnet-0", None),
        ("Deployment", "resnet", None),
    ],
)
def test_a_pod_s_name_tells_its_workload(kind: str, name: str, want: Owner | None) -> None:
    assert owner_of(kind, name) == want


async def observed(*objects: Any) -> PolicyObservation:
    looking = Observer(
        cache=filled(*objects),
        metrics=None,
        models=None,
        settings=ObserveSettings(),
        decision=DecisionSettings(),
    )
    [found] = (await looking.observe(NOW)).observations
    return found


async def test_whose_is_told_by_the_pods_that_there_are() -> None:
    pods = (pod("resnet-7d4b9c6f5-x2x4z"), pod("resnet-66c8d-bbbbb", template_hash="66c8d"))
    assert whose(await observed(policy(), deployment(), *pods)) == RESNET


async def test_whose_of_a_stateful_set() -> None:
    target = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "resnet"}
    ordinal = pod("resnet-3", ownerReferences=owner("StatefulSet", "resnet"))
    spec = {"scaleTargetRef": target, "serving": {"models": ["m"]}}
    found = whose(await observed(policy(spec=spec), stateful_set(), ordinal))
    assert found == Whose("vision", frozenset({Owner("resnet", True)}), frozenset({"m"}))


@pytest.mark.parametrize(
    "names",
    [(), ("resnet",), ("resnet-7d4b9-x2x4z", "resnet"), ("a-7d4b9-x2x4z", "b-7d4b9-x2x4z")],
    ids=["no pods", "another kind of name", "one of two", "two names"],
)
async def test_names_that_do_not_tell_are_nobody_s(names: tuple[str, ...]) -> None:
    pods = [pod(name) for name in names]
    assert whose(await observed(policy(), deployment(), *pods)) is None


def test_the_query_has_the_installation_s_matchers_and_labels() -> None:
    settings = PROMETHEUS.model_copy(update={"namespace_label": "ns", "pod_label": "name"})
    query = build_query("requests_total", settings, SCRAPING, 15)
    assert query.count('requests_total{cluster="c1"}') == 2
    assert "[31000ms]" in query
    assert "[60000ms]" in query
    assert "max by (ns, name, model, version, gpu_uuid, reason)" in query
    assert query.startswith("sum by (ns, ")


class FakeRanges:
    def __init__(self, *answers: Answer | Missing) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def query_range(
        self, promql: str, *, start: float, end: float, step_seconds: float
    ) -> Answer | Missing:
        assert (start, end, step_seconds) == (SPAN.start, SPAN.end, SPAN.step_seconds)
        self.asked.append(promql)
        return self.answers.pop(0)


async def test_successes_and_failures_are_asked_for() -> None:
    reader = FakeRanges(Answer(result=[series(1, 1)]), Answer(result=[series(1, 2)]))
    found = await read_past(reader, PROMETHEUS, SCRAPING, SPAN)
    assert isinstance(found, Past)
    assert found.of(RESNET).per_second.tolist() == [2, 3]
    assert ["success" in query for query in reader.asked] == [True, False]


GONE = Missing(reason=MissingReason.SOURCE_UNREACHABLE, detail="gone")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((GONE,), MissingReason.SOURCE_UNREACHABLE),
        ((Answer(result=[]), GONE), MissingReason.SOURCE_UNREACHABLE),
        ((Answer(result=[], partial=True),), MissingReason.PARTIAL),
    ],
    ids=["no answer", "no second answer", "half an answer"],
)
async def test_part_of_the_demand_is_not_taken_for_all(
    answers: tuple[Answer | Missing, ...], reason: MissingReason
) -> None:
    found = await read_past(FakeRanges(*answers), PROMETHEUS, SCRAPING, SPAN)
    assert isinstance(found, Missing)
    assert found.reason is reason
