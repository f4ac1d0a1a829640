"""From models to structural schemas: what is kept, and what is refused."""

from typing import Annotated

import pytest
from pydantic import Field

from inference_cost.api.base import ApiModel, Rule
from inference_cost.api.schema import SchemaError, structural_schema

Small = Annotated[int, Field(ge=0, le=9)]


class Leaf(ApiModel):
    rules = (Rule(cel="self.size > 0", message="`size` must be positive", field="size"),)
    size: Small = Field(description="size is a number.")


class Tree(ApiModel):
    """Tree is a test."""

    left: Leaf = Field(default=Leaf(size=1), description="left is a leaf.")
    leaf_count: Small | None = Field(default=None, description="leafCount is a number.")


class Endless(ApiModel):
    again: "Endless | None" = None


class WithFloat(ApiModel):
    share: Annotated[float, Field(gt=0.0)]


class WithChoice(ApiModel):
    value: Small | str


class WithoutMaximum(ApiModel):
    count: int


def test_references_become_objects_with_their_rules() -> None:
    left = structural_schema(Tree)["properties"]["left"]
    assert left["description"] == "left is a leaf."
    assert left["default"] == {"size": 1}
    assert left["x-kubernetes-validations"] == [
        {"rule": "self.size > 0", "message": "`size` must be positive", "fieldPath": ".size"}
    ]


def test_an_optional_field_is_absent_and_never_null() -> None:
    assert structural_schema(Tree)["properties"]["leafCount"] == {
        "type": "integer", "format": "int32", "minimum": 0, "maximum": 9,
        "description": "leafCount is a number.",
    }  # fmt: skip


REFUSED: dict[str, tuple[type[ApiModel], str]] = {
    "recursion": (Endless, "contains itself"),
    "an exclusive bound": (WithFloat, "exclusiveMinimum"),
    "a choice of types": (WithChoice, "anyOf"),
    "an integer without a maximum": (WithoutMaximum, "maximum"),
}


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_has_no_structural_form_is_refused(model: type[ApiModel], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        structural_schema(model)
