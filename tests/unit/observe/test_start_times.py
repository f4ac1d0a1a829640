"""When a pod was bound to its node, and when its containers ran."""

from typing import Any

import pytest

from inference_cost.observe.pods import model_pod, pod_record
from tests.unit.observe.world import NOW, pod, rfc3339

CONTAINERS: dict[str, tuple[list[dict[str, Any]], float | None]] = {
    "the last one that runs": (
        [{"running": {"startedAt": rfc3339(NOW - n)}} for n in (90, 60)],
        NOW - 60,
    ),
    "one is not there yet": (
        [{"running": {"startedAt": rfc3339(NOW - 90)}}, {"waiting": {"reason": "PodInitializing"}}],
        None,
    ),
    "none is": ([], None),
}


@pytest.mark.parametrize("sentence", CONTAINERS)
def test_times_of_a_pod(sentence: str) -> None:
    states, started = CONTAINERS[sentence]
    made = pod("p")
    bound = {"type": "PodScheduled", "status": "True", "lastTransitionTime": rfc3339(NOW - 100)}
    made["status"]["conditions"].append(bound)
    made["status"]["containerStatuses"] = [{"state": state} for state in states]
    found = model_pod(pod_record(made))
    assert (found.scheduled_at, found.started_at) == (NOW - 100, started)
