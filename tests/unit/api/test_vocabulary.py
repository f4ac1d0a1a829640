"""Words that the API and the decisions share, and the tables that explain them."""

from enum import StrEnum

import pytest

from inference_cost.api import behavior, conditions, events, policy, policy_status
from inference_cost.api.reference import reference_page
from inference_cost.model import plan as decisions
from inference_cost.model import policy as wishes

SAME_WORDS: list[tuple[type[StrEnum], type[StrEnum]]] = [
    (policy.Mode, wishes.Mode),
    (policy.FallbackBehavior, wishes.FallbackBehavior),
    (policy.HeadroomMode, wishes.HeadroomMode),
    (behavior.SelectPolicy, wishes.SelectPolicy),
    (behavior.ScalingPolicyType, wishes.LimitType),
    (policy_status.DecisionAction, decisions.Action),
    (policy_status.ProfileSource, decisions.ProfileSource),
]


@pytest.mark.parametrize(("ours", "theirs"), SAME_WORDS)
def test_api_and_model_use_the_same_words(ours: type[StrEnum], theirs: type[StrEnum]) -> None:
    assert {word.value for word in ours} == {word.value for word in theirs}


def test_there_are_at_most_15_event_reasons_each_explained() -> None:
    assert len(events.EventReason) <= 15
    assert set(events.MEANING) == set(events.EventReason)


def test_every_condition_is_explained_and_fits_the_status() -> None:
    assert set(conditions.CONDITION_MEANING) == set(conditions.ConditionType)
    assert len(conditions.ConditionType) <= conditions.MAX_CONDITIONS


def test_the_reference_names_every_event_condition_and_annotation() -> None:
    page = reference_page(())
    for word in (*events.EventReason, *conditions.ConditionType, "inferencecost.dev/paused"):
        assert f"`{word}" in page
