"""Who is scraped how often: a pod by two targets, and the operator itself."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.cli.doctor.facts import Facts
from inference_cost.cli.doctor.findings import Level
from inference_cost.cli.doctor.report import diagnose
from tests.unit.cli.doctor.facts import PODS, Row, facts, found_alone, metrics, operator

PROBLEM, WARNING = Level.PROBLEM, Level.WARNING
TWICE = {("vision", pod): 2 for pod in PODS}


def scraped(*ages: float, **changes: Any) -> Facts:
    """`ages` of the operator's series, in seconds."""
    return facts(metrics=metrics(operator_ages=ages, **changes))


RULES: dict[str, Row] = {
    "a pod by two targets": (
        lambda: facts(
            metrics=metrics(
                series=TWICE,
                scraped_as=dict.fromkeys(TWICE, ("pods at 10.0.0.1:8002", "services at 10.0.0.1:8002")),
            )
        ),
        PROBLEM,
        f"pods at 10.0.0.1:8002, services at 10.0.0.1:8002 give {PODS[0]}, which counts its load 2 times",
        "ServiceMonitor and PodMonitor",
    ),
    "a pair of Prometheus": (
        lambda: facts(metrics=metrics(series=TWICE)),
        PROBLEM, "of one target: a label tells them apart", "prometheus.matchers",
    ),
    "the operator is not scraped": (
        scraped, WARNING, "it has no series of the operator", "metrics.podMonitor.enabled=true",
    ),
    "it is no longer scraped": (
        lambda: scraped(900.0, 240.4), WARNING, "its newest sample of the operator is 240 s old", "the target's error",
    ),
    "one replica of two is scraped": (
        lambda: scraped(3.0, 400.0), WARNING, "it scrapes 1 of 2 ready replicas", "metrics.podMonitor",
    ),
    "each replica by two monitors": (
        lambda: scraped(3.0, 4.0, 5.0, 6.0), WARNING, "it has 4 series of 2 replicas", "enable one of",
    ),
    "its namespaces are pushed aside": (
        lambda: scraped(3.0, 4.0, renamed=7),
        WARNING,
        "dashboards, alerts and recording rules take them for the operator's own namespace",
        "honorLabels: true",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", RULES)
def test_found_alone_and_with_its_fix(sentence: str) -> None:
    found_alone(RULES[sentence])


def test_what_is_gone_or_not_ready_is_not_missed() -> None:
    """A series of a pod that went lives on for a while; a replica that is not ready has none."""
    for ready, ages in ((2, (3.0, 4.0, 250.0)), (1, (3.0,)), (1, (3.0, 4.0))):
        one = facts(operators=(operator(ready=ready),), metrics=metrics(operator_ages=ages))
        told = [found for found in diagnose(one) if "of the operator" in found.message]
        assert [found.level for found in told] == [Level.OK], told


def test_an_operator_that_is_not_there_is_told_once() -> None:
    for operators in ((), (replace(operator(), ready=0),)):
        found = diagnose(facts(operators=operators, metrics=metrics(operator_ages=())))
        assert not [one for one in found if "series of the operator" in one.message]
