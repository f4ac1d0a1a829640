"""The pause annotations."""

import pytest

from inference_cost.api.annotations import (
    PAUSED,
    PAUSED_REPLICAS,
    InvalidAnnotationError,
    PauseRequest,
    pause_request,
)

PAUSES = {
    "none": ({}, None),
    "paused": ({PAUSED: "true"}, PauseRequest()),
    "not paused": ({PAUSED: "false"}, None),
    "paused at a number": ({PAUSED: "true", PAUSED_REPLICAS: "3"}, PauseRequest(replicas=3)),
    "a number alone pauses": ({PAUSED_REPLICAS: "0"}, PauseRequest(replicas=0)),
    "not paused, whatever the number": ({PAUSED: "false", PAUSED_REPLICAS: "3"}, None),
    "others are ignored": ({"a": "b"}, None),
}
REFUSALS = {
    "neither true nor false": {PAUSED: "yes"},
    "negative": {PAUSED_REPLICAS: "-1"},
    "too many": {PAUSED_REPLICAS: "5001"},
    "a fraction": {PAUSED_REPLICAS: "1.5"},
    "other digits": {PAUSED_REPLICAS: "٣"},
    "empty": {PAUSED_REPLICAS: ""},
}


@pytest.mark.parametrize(("annotations", "want"), PAUSES.values(), ids=PAUSES.keys())
def test_pause(annotations: dict[str, str], want: PauseRequest | None) -> None:
    assert pause_request(annotations) == want


@pytest.mark.parametrize("annotations", REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal_names_the_annotation(annotations: dict[str, str]) -> None:
    with pytest.raises(InvalidAnnotationError, match=next(iter(annotations))):
        pause_request(annotations)
