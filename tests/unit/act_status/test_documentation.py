"""The reference page of conditions names every condition and every reason."""

from pathlib import Path

import pytest

from inference_cost.act.conditions import ConditionReason
from inference_cost.api.conditions import ConditionType
from inference_cost.model.plan import LimitedBy
from inference_cost.model.reading import MissingReason
from inference_cost.model.workload import ConflictKind, TargetProblem

PAGE = Path("docs/reference/conditions.md").read_text()


@pytest.mark.parametrize(
    "words", [ConditionType, ConditionReason, MissingReason, TargetProblem, LimitedBy, ConflictKind]
)
def test_every_word_is_explained(words: type[ConditionReason]) -> None:
    assert [word.value for word in words if word.value and f"`{word.value}`" not in PAGE] == []
