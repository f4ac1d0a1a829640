"""The defaults of the schemas are those of the models."""

import copy
from typing import Any

import pytest

from inference_cost.api.crds import all_crds
from tests.integration.api.policy_table import SMALLEST
from tests.integration.api.pool_table import BASE as POOL
from tests.integration.api.verdict import PARSERS

SCHEMAS = {
    crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for crd in all_crds()
}
LIMIT = {"type": "Pods", "value": 1, "periodSeconds": 60}
SPARSE: dict[str, dict[str, Any]] = {
    "the smallest policy": SMALLEST,
    "an empty object everywhere": {
        **SMALLEST,
        "spec": {
            **SMALLEST["spec"],
            "serving": {},
            "behavior": {"scaleUp": {}, "scaleDown": {"policies": [LIMIT]}},
            "fallback": {"replicas": 3},
            "headroom": {},
        },
    },
    "an offering without a zone": {
        **POOL,
        "spec": {
            **POOL["spec"],
            "offerings": [{"instanceType": "g6.xlarge", "perNodeHour": "1"}],
        },
    },
    "a pool without prices": {**POOL, "spec": {"nodeSelector": {"matchLabels": {"a": "b"}}}},
}


def _with_defaults(schema: dict[str, Any], value: Any) -> Any:
    """What the API server stores: at each level absent fields get their default."""
    if isinstance(value, list):
        return [_with_defaults(schema["items"], item) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    defaults = {
        name: copy.deepcopy(child["default"])
        for name, child in schema["properties"].items()
        if "default" in child
    }
    filled = defaults | value
    return {name: _with_defaults(schema["properties"][name], v) for name, v in filled.items()}


@pytest.mark.parametrize("obj", SPARSE.values(), ids=SPARSE.keys())
def test_schema_and_models_fill_in_the_same(obj: dict[str, Any]) -> None:
    schema = SCHEMAS[obj["kind"]]["properties"]["spec"]
    parsed = PARSERS[obj["kind"]](obj, strict=True).to_object()["spec"]
    assert parsed == _with_defaults(schema, obj["spec"])


def test_the_defaults_do_no_harm() -> None:
    spec = PARSERS["InferenceCostPolicy"](SMALLEST).to_object()["spec"]
    assert spec["mode"] == "Recommend"
    assert spec["minReplicas"] == 1
    assert "fallback" not in spec
