"""What KEDA is told: the request rate, and llm-d's law as the simulator has it."""

import re
from math import ceil, floor

import pytest

from e2e.demo.settings import DemoSettings
from e2e.race.manifests import LLMD_FORMULA, by_llmd_law, by_request_rate, saturation_query
from inference_cost.simulate.baselines import llmd_slo

FLEET = DemoSettings().fleet
URL = "http://127.0.0.1:9090"


def to_python(formula: str) -> str:
    """A formula of expr-lang, with `a ? b : c` as Python has it."""
    formula = _groups(formula.replace("&&", "and"))
    question, colon = _top_level(formula, "?"), _top_level(formula, ":")
    if question < 0:
        return formula
    condition, yes, no = formula[:question], formula[question + 1 : colon], formula[colon + 1 :]
    return f"({yes.strip()} if {condition} else {to_python(no.strip())})"


def _groups(formula: str) -> str:
    """What stands in parentheses, translated first."""
    begin = formula.find("(")
    if begin < 0:
        return formula
    depth, end = 1, begin
    while depth:
        end += 1
        depth += (formula[end] == "(") - (formula[end] == ")")
    inside = to_python(formula[begin + 1 : end])
    return f"{formula[:begin]}({inside}){_groups(formula[end + 1 :])}"


def _top_level(text: str, mark: str) -> int:
    depth = 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == mark and depth == 0:
            return index
    return -1


@pytest.mark.parametrize("saturation", [0.0, 0.2, 0.39, 0.41, 0.54, 0.56, 0.8, 1.3, 2.0])
@pytest.mark.parametrize(("provisioned", "ready"), [(1, 1), (3, 3), (4, 2), (8, 0), (5, 6)])
def test_the_formula_is_the_law_of_the_simulator(
    saturation: float, provisioned: int, ready: int
) -> None:
    values = {"saturation": saturation, "provisioned": provisioned, "ready": ready}
    given = eval(to_python(LLMD_FORMULA), {"ceil": ceil, "floor": floor}, values)  # noqa: S307
    assert given == llmd_slo.formula.py_func(saturation, provisioned, ready, llmd_slo.DEFAULT.up)


def test_the_threshold_and_the_window_reach_keda() -> None:
    made = by_request_rate(FLEET, prometheus_url=URL, threshold=60.7, window_seconds=17, most=8)[
        "spec"
    ]
    (trigger,) = made["triggers"]
    assert trigger["metadata"]["threshold"] == "60.7"
    assert 'envoy_cluster_name="serving/sleepy"' in trigger["metadata"]["query"]
    behavior = made["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 17
    assert (made["minReplicaCount"], made["maxReplicaCount"]) == (1, 8)


def test_the_law_has_a_trigger_for_each_name_in_its_formula() -> None:
    made = by_llmd_law(FLEET, prometheus_url=URL, objective_milliseconds=300, most=8)["spec"]
    names = set(re.findall(r"[a-z]+", LLMD_FORMULA)) - {"ceil", "floor"}
    assert {trigger["name"] for trigger in made["triggers"]} == names
    assert made["advanced"]["scalingModifiers"]["target"] == "1"


def test_an_idle_fleet_has_no_saturation_and_a_spike_is_capped() -> None:
    query = saturation_query(FLEET, 300)
    assert ">= 0) or vector(0)" in query
    assert "/ 300, 2)" in query
