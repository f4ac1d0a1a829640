"""Which Events a change of status is worth."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from inference_cost.act.transitions import Known, settled, transitions
from inference_cost.api.events import EventReason

Conditions = dict[str, tuple[str, str]]  # type → (status, reason)


@dataclass(frozen=True, kw_only=True)
class Case:
    before: Conditions = field(default_factory=dict)
    after: Conditions
    want: tuple[EventReason, ...] = ()


CASES = {
    "all well at first sight": Case(
        after={"MetricsAvailable": ("True", "MetricsReported"), "Accepted": ("True", "Accepted")}
    ),
    "metrics missing at first sight": Case(
        after={"MetricsAvailable": ("False", "SourceUnreachable")},
        want=(EventReason.METRICS_UNAVAILABLE,),
    ),
    "metrics still missing, for another reason": Case(
        before={"MetricsAvailable": ("False", "SourceUnreachable")},
        after={"MetricsAvailable": ("False", "Stale")},
    ),
    "metrics back": Case(
        before={"MetricsAvailable": ("False", "Stale")},
        after={"MetricsAvailable": ("True", "MetricsReported")},
        want=(EventReason.METRICS_RECOVERED,),
    ),
    "metrics not known any more": Case(
        before={"MetricsAvailable": ("False", "Stale")},
        after={"MetricsAvailable": ("Unknown", "NoReadyPods")},
    ),
    "objective missed, then met": Case(
        before={"SLOMet": ("False", "Violated")},
        after={"SLOMet": ("True", "Met")},
        want=(EventReason.SLO_RECOVERED,),
    ),
    "another autoscaler appears": Case(
        before={"Conflicted": ("False", "NoConflict")},
        after={"Conflicted": ("True", "Autoscaler")},
        want=(EventReason.CONFLICTED,),
    ),
    "the other autoscaler goes": Case(
        before={"Conflicted": ("True", "Autoscaler")},
        after={"Conflicted": ("False", "NoConflict")},
    ),
    "a target that is not found": Case(
        before={"Accepted": ("True", "Accepted")},
        after={"Accepted": ("False", "TargetNotFound")},
        want=(EventReason.NOT_ACCEPTED,),
    ),
    "fallback decides": Case(
        before={"ScalingLimited": ("True", "MetricsUnavailable")},
        after={"ScalingLimited": ("True", "Fallback")},
        want=(EventReason.FALLBACK_STARTED,),
    ),
    "fallback no longer decides, as the metrics tell": Case(
        before={"ScalingLimited": ("True", "Fallback")},
        after={"ScalingLimited": ("False", "NotLimited")},
    ),
    "a pause begins": Case(
        before={"ScalingLimited": ("False", "NotLimited")},
        after={"ScalingLimited": ("True", "Paused")},
        want=(EventReason.PAUSE_CHANGED,),
    ),
    "the fleet guard engages": Case(
        after={"ScalingLimited": ("True", "FleetGuard")},
        want=(EventReason.FLEET_GUARD_ENGAGED,),
    ),
    "the limit moves from maximum to behavior": Case(
        before={"ScalingLimited": ("True", "MaxReplicas")},
        after={"ScalingLimited": ("True", "Behavior")},
    ),
}


def status(conditions: Conditions) -> dict[str, Any]:
    return {
        "conditions": [
            {"type": kind, "status": state, "reason": reason, "message": f"{kind} {reason}"}
            for kind, (state, reason) in conditions.items()
        ]
    }


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_events_of(case: Case) -> None:
    before = status(case.before)
    drafts = transitions(before, status(case.after), settled({}, before))
    assert tuple(draft.reason for draft in drafts) == case.want
    assert all(draft.note for draft in drafts)


def test_a_pause_at_another_number_and_its_end_are_told() -> None:
    paused = status({"ScalingLimited": ("True", "Paused")})
    other = {"conditions": [{**paused["conditions"][0], "message": "Kept at 3 replicas."}]}
    free = status({"ScalingLimited": ("False", "NotLimited")})
    [changed] = transitions(paused, other, settled({}, paused))
    [ended] = transitions(other, free, settled({}, other))
    assert (changed.reason, changed.note) == (EventReason.PAUSE_CHANGED, "Kept at 3 replicas.")
    assert ended.note.startswith("No longer paused. ")
    assert not list(transitions(other, other, settled({}, other)))


@pytest.mark.parametrize(
    ("states", "want"),
    [
        ("False True", [EventReason.METRICS_UNAVAILABLE, EventReason.METRICS_RECOVERED]),
        ("False Unknown True", [EventReason.METRICS_UNAVAILABLE, EventReason.METRICS_RECOVERED]),
        ("False Unknown False", [EventReason.METRICS_UNAVAILABLE]),
        ("Unknown True", []),
    ],
)
def test_a_time_in_which_it_is_not_known_ends_nothing(states: str, want: list[EventReason]) -> None:
    known: Known = {}
    before: dict[str, object] = {}
    reasons = []
    for state in states.split():
        after = status({"MetricsAvailable": (state, "Stale")})
        reasons += [draft.reason for draft in transitions(before, after, known)]
        before, known = after, settled(known, after)
    assert reasons == want
