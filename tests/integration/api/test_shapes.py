"""What the API server makes of objects of the wrong shape, and of what is left out."""

from typing import Any

import pytest

from e2e.rig.kube import KubeClient
from inference_cost.api.group import API_VERSION, CAPACITY_POOL, CHECKPOINT, POLICY
from tests.integration.api.shapes_table import SHAPES, Shape
from tests.integration.api.verdict import DRY_RUN, PARSERS, ask, collection

NAMES = {names.kind: names for names in (POLICY, CAPACITY_POOL, CHECKPOINT)}


def _path(obj: dict[str, Any]) -> str:
    return collection(NAMES[obj["kind"]], API_VERSION)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_verdict(crds: KubeClient, shape: Shape) -> None:
    refusal = ask(crds, "POST", _path(shape.object), shape.object)
    assert (not refusal) == (not shape.says), refusal
    assert shape.says in refusal


@pytest.mark.parametrize(
    "shape",
    [s for s in SHAPES.values() if not s.says],
    ids=[name for name, s in SHAPES.items() if not s.says],
)
def test_models_fill_in_what_the_api_server_fills_in(crds: KubeClient, shape: Shape) -> None:
    stored = crds.request("POST", _path(shape.object), body=shape.object, query=DRY_RUN)
    parsed = PARSERS[shape.object["kind"]](shape.object).to_object()
    part = "spec" if "spec" in stored else "data"
    assert parsed[part] == stored[part]
