"""How old a price is that a person wrote: since its object's spec was last changed."""

from typing import Any

import pytest

from inference_cost.observe.extract import capacity_pool_record
from inference_cost.observe.fields import spec_edited_at
from inference_cost.observe.node_overlays import node_overlay_record
from tests.unit.observe.world import NOW, metadata, rfc3339

MADE = NOW - 3600  # as `metadata` has it


def entry(age: float | None, *fields: str, **more: Any) -> dict[str, Any]:
    time = {} if age is None else {"time": rfc3339(NOW - age)}
    return {"manager": "kubectl", "fieldsV1": {one: {} for one in fields}, **time, **more}


EDITED: dict[str, tuple[list[dict[str, Any]], float]] = {
    "nobody wrote down who made it": ([], MADE),
    "it was only made": ([entry(3600, "f:metadata", "f:spec")], MADE),
    "its price was edited": ([entry(3600, "f:spec"), entry(60, "f:spec")], NOW - 60),
    "whatever the order of entries": ([entry(60, "f:spec"), entry(3600, "f:spec")], NOW - 60),
    "a status is no price": (
        [entry(3600, "f:spec"), entry(5, "f:status", subresource="status")],
        MADE,
    ),
    "not even one with a spec": ([entry(5, "f:spec", subresource="status")], MADE),
    "nor is a label": ([entry(3600, "f:spec"), entry(5, "f:metadata")], MADE),
    "without a time it tells nothing": ([entry(None, "f:spec")], MADE),
}


@pytest.mark.parametrize("sentence", EDITED)
def test_when_a_spec_was_edited(sentence: str) -> None:
    entries, expected = EDITED[sentence]
    found = metadata("team", namespace="", managedFields=entries)
    assert spec_edited_at(found) == expected
    assert capacity_pool_record({"metadata": found}).edited_at == expected
    assert node_overlay_record({"metadata": found}).edited_at == expected
