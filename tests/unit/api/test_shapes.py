"""The models give the verdict of the API server on objects of the wrong shape."""

import pytest

from inference_cost.api.parse import InvalidObjectError
from tests.integration.api.shapes_table import SHAPES, Shape
from tests.integration.api.verdict import PARSERS


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_verdict(shape: Shape) -> None:
    parse = PARSERS[shape.object["kind"]]
    if not shape.says:
        parse(shape.object, strict=True)
        return
    with pytest.raises(InvalidObjectError):
        parse(shape.object, strict=True)
