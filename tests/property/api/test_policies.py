"""Parsing: total, and faithful in both directions."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.api.parse import InvalidObjectError, Problem, parse_policy
from tests.integration.api.policy_table import BASE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["mode", "scaleTargetRef", "minReplicas", "maxReplicas", "slo", "serving", "behavior",
     "fallback", "headroom"]
)  # fmt: skip
REPLICAS = st.integers(1, 5000)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Valid specs."""
    low, high = sorted((draw(REPLICAS), draw(REPLICAS)))
    latency = {"latency": {"thresholdMilliseconds": draw(st.integers(1, 600_000))}}
    queue = {"queueTime": {"meanMilliseconds": draw(st.integers(1, 600_000))}}
    drain = {"drain": {"withinSeconds": draw(st.integers(10, 86_400))}}
    fixed = {"mode": "Fixed", "replicas": draw(REPLICAS)}
    required = {
        "scaleTargetRef": {"name": draw(st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True))},
        "minReplicas": low,
        "maxReplicas": high,
        "slo": draw(st.sampled_from([latency, queue, drain])),
    }
    optional = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "mode": st.sampled_from(["Recommend", "Enforce"]),
                "headroom": st.sampled_from([{}, {"mode": "Disabled"}, fixed]),
                "fallback": st.just({"replicas": high}),
                "signal": st.sampled_from([{}, {"type": "GPUUtilization", "targetPercent": 70}]),
            },
        )
    )
    return required | optional


@given(specs())
def test_a_valid_policy_survives_the_round_trip(spec: dict[str, Any]) -> None:
    parsed = parse_policy({**BASE, "spec": spec}, strict=True)
    again = parse_policy(parsed.to_object(), strict=True)
    assert again.spec == parsed.spec
    written = parsed.to_object()["spec"]
    assert {key: written[key] for key in ("minReplicas", "maxReplicas")} == {
        key: spec[key] for key in ("minReplicas", "maxReplicas")
    }


def _problems(spec: dict[str, Any]) -> tuple[Problem, ...]:
    try:
        parse_policy({**BASE, "spec": spec})
    except InvalidObjectError as error:
        return error.problems or (Problem(field="", message=""),)
    return ()


@given(st.dictionaries(FIELDS, JSON))
def test_whatever_is_written_is_parsed_or_refused_by_field(changes: dict[str, Any]) -> None:
    problems = _problems({**BASE["spec"], **changes})
    assert all(p.field.startswith("spec") and p.message for p in problems)
