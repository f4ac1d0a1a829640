"""What is said of a workload, and of what is not known why, without replaying anything."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import yaml

from inference_cost.api.parse import parse_policy
from inference_cost.cli.listing import Unread
from inference_cost.cli.scan.autoscalers import Autoscaler
from inference_cost.cli.scan.inspection import Seen, Wanted, inspect
from inference_cost.cli.scan.prices import WorkloadCost
from inference_cost.cli.scan.suggestion import round_number
from inference_cost.cli.scan.workloads import Found, WorkloadKey, find
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.cli.scan.clusters import deployment, pod
from tests.unit.cli.scan.traffic import counted, signals

ASSUMED = Wanted(threshold_milliseconds=None, target="99.0")
NO_PROMETHEUS = Unread(what="traffic", why="no service looks like one", fix="give --prometheus-url")
STEADY = signals(lambda _: 10.0, lambda _: 2)


def found(replicas: int = 2) -> Found:
    pods = [pod("vision", "resnet", i, f"n{i}") for i in range(replicas)]
    [one] = find([deployment("vision", "resnet", replicas)], pods, frozenset())
    return one


def cost(per_hour: str = "1.60") -> WorkloadCost:
    return WorkloadCost(per_hour=Decimal(per_hour), node_autoscaler=True)


def seen(**changes: Any) -> Seen:
    given: dict[str, Any] = {
        "found": found(),
        "cost": cost(),
        "autoscaler": Autoscaler(),
        "signals": STEADY,
    }
    return Seen(**(given | changes))


def silent(_share: float, _what: str) -> None:
    pass


def test_two_replicas_are_the_fewest_and_nothing_is_saved() -> None:
    part = inspect(seen(), ASSUMED, silent)
    assert part.saving is None
    assert part.verdict == (
        "Nothing can be saved by scaling: 2 replicas ran at most, and 2 are kept (the fewest that survive "
        "the loss of one)."
    )
    assert (part.busy_percent, part.per_hour, part.waste_per_hour) == (15.0, "1.60", "1.36")
    assert part.unknown == ()


def two_models() -> Any:
    rates = np.full(72, 10.0)
    return {"a": counted(rates, 1, 0.02), "b": counted(rates, 1, 0.03)}


def job(one: Found) -> Found:
    return replace(one, key=WorkloadKey(namespace="vision", kind="Job", name="resnet"))


QUEUE_TIME = {
    "metadata": {"name": "own", "namespace": "vision"},
    "spec": {"slo": {"queueTime": {"meanMilliseconds": 10}}},
}
OBSTACLES: dict[str, tuple[Callable[[], Seen], str, str]] = {
    "no Prometheus": (lambda: seen(signals=NO_PROMETHEUS), "no service looks like one", "--prometheus-url"),
    "asleep": (lambda: seen(found=found(0), signals=NO_PROMETHEUS), "it has no replica", "costs nothing"),
    "scraped twice": (
        lambda: seen(signals=replace(STEADY, duplicated=("resnet-a", "resnet-b"))),
        "the series of resnet-a, resnet-b several times", "ServiceMonitor and PodMonitor",
    ),
    "a language model": (
        lambda: seen(signals=replace(STEADY, language_models=True)), "a language model", "Recommend",
    ),
    "a shared pod": (
        lambda: seen(signals=replace(STEADY, counted=two_models())),
        "its pods serve 2 models (a, b)", "shared pods",
    ),
    "no request": (
        lambda: seen(signals=signals(lambda _: 0.0, lambda _: 2)), "there was no request in 6 hours", "to zero",
    ),
    "a kind that is not scaled": (lambda: seen(found=job(found())), "a Job is not scaled", "rbac.scaleTargets"),
    "hardly a request": (
        lambda: seen(signals=signals(lambda _: 0.01, lambda _: 2)), "too few executions", "longer --from",
    ),
    "a policy without a latency objective": (
        lambda: seen(policy=QUEUE_TIME), "no latency objective", "explain own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", OBSTACLES)
def test_what_cannot_be_said_is_said_with_reason_and_fix(sentence: str) -> None:
    make, why, fix = OBSTACLES[sentence]
    part = inspect(make(), ASSUMED, silent)
    assert part.saving is None
    assert part.verdict.startswith("Cannot be said: ")
    [unknown] = part.unknown
    assert why in unknown.why
    assert fix in unknown.fix


def test_language_models_have_no_busy_share() -> None:
    part = inspect(seen(signals=replace(STEADY, language_models=True)), ASSUMED, silent)
    assert (part.busy_percent, part.waste_per_hour) == (None, None)


def test_without_a_price_use_is_told_all_the_same() -> None:
    missing = Missing(reason=MissingReason.PRICE_UNKNOWN, detail="no price for moon.1")
    part = inspect(seen(cost=WorkloadCost(per_hour=missing)), ASSUMED, silent)
    assert (part.per_hour, part.waste_per_hour, part.busy_percent) == (None, None, 15.0)
    assert [(one.what, one.why) for one in part.unknown] == [("costs", "no price for moon.1")]


BESIDE: dict[str, tuple[dict[str, Any], str]] = {
    "no histogram": ({"signals": replace(STEADY, histogram=False)}, "measured latency"),
    "two products": (
        {"cost": replace(cost(), gpu_products=("L4", "T4"))}, "service time by GPU",
    ),
    "spot": ({"cost": replace(cost(), spot=True)}, "interruptions"),
    "nobody seen to remove nodes": ({"cost": replace(cost(), node_autoscaler=False)}, "empty nodes"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BESIDE)
def test_what_is_not_known_beside_an_answer(sentence: str) -> None:
    changes, what = BESIDE[sentence]
    part = inspect(seen(**changes), ASSUMED, silent)
    assert [one.what for one in part.unknown] == [what]
    assert part.verdict.startswith("Nothing can be saved")


def suggested(**changes: Any) -> dict[str, Any]:
    part = inspect(seen(**changes), ASSUMED, silent)
    policy: dict[str, Any] = yaml.safe_load(part.policy)
    parse_policy(policy, strict=True)
    return policy


def test_the_policy_is_valid_recommends_and_keeps_two() -> None:
    policy = suggested()
    assert policy["metadata"] == {"name": "resnet", "namespace": "vision"}
    assert policy["spec"] == {
        "mode": "Recommend",
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "resnet"},
        "minReplicas": 2,
        "maxReplicas": 4,
        "slo": {"latency": {"thresholdMilliseconds": 150, "target": "99.0"}},
    }


def test_bounds_of_today_s_autoscaler_are_kept_and_it_is_named() -> None:
    hpa = Autoscaler(kind="HorizontalPodAutoscaler", name="h", min_replicas=2, max_replicas=30)
    policy = suggested(autoscaler=hpa)
    assert (policy["spec"]["minReplicas"], policy["spec"]["maxReplicas"]) == (2, 30)
    text = inspect(seen(autoscaler=hpa), ASSUMED, silent).policy
    assert "Recommend runs beside HorizontalPodAutoscaler/h" in text


def test_one_replica_stays_one() -> None:
    alone = seen(found=found(1), signals=signals(lambda _: 10.0, lambda _: 1))
    part = inspect(alone, ASSUMED, silent)
    assert "1 replica ran at most, and 1 are kept (there is only one today)" in part.verdict


def test_the_objective_that_was_asked_for_goes_into_the_policy() -> None:
    part = inspect(seen(), Wanted(threshold_milliseconds=80, target="99.9"), silent)
    latency = yaml.safe_load(part.policy)["spec"]["slo"]["latency"]
    assert latency == {"thresholdMilliseconds": 80, "target": "99.9"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(10.0, 10), (10.1, 15), (150.0, 150), (151, 200), (76, 100), (0.9, 1), (5, 5), (999, 1000)],
)
def test_round_numbers_are_never_less(value: float, expected: int) -> None:
    assert round_number(value) == expected
