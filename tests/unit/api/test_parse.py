"""A refusal names the field and the fix."""

from typing import Any

import pytest

from inference_cost.api.parse import (
    InvalidObjectError,
    parse_checkpoint,
    parse_policy,
    update_problems,
)
from tests.integration.api.cases import REMOVED, Changes, changed
from tests.integration.api.policy_table import BASE
from tests.integration.api.pool_table import CHECKPOINT_BASE

REFUSALS: dict[str, tuple[Changes, str]] = {
    "a missing field": (
        {"spec.maxReplicas": REMOVED},
        "spec.maxReplicas: is required; set it",
    ),
    "a number out of bounds": (
        {"spec.maxReplicas": 5001},
        "spec.maxReplicas: must be less than or equal to 5000",
    ),
    "a word outside an enum": (
        {"spec.mode": "Observe"},
        "spec.mode: must be 'Recommend' or 'Enforce'",
    ),
    "a name with a wrong form": (
        {"spec.scaleTargetRef.name": "ResNet"},
        "spec.scaleTargetRef.name: must be a lower-case DNS name, for example resnet",
    ),
    "an item of a list": (
        {"spec.behavior.scaleUp.policies[0].value": 0},
        "spec.behavior.scaleUp.policies[0].value: must be greater than or equal to 1",
    ),
    "a rule across fields": (
        {"spec.minReplicas": 11},
        (
            "spec.minReplicas: `minReplicas` must be less than or equal to `maxReplicas`; lower the one"
            " or raise the other"
        ),
    ),
    "an hour that no day has": (
        {"spec.schedules[0].start": "0 25 * * *"},
        (
            "spec.schedules[0].start: is not a cron expression (Bad hour); write minute, hour, day of month,"
            ' month and day of week, for example "0 8 * * 1-5"'
        ),
    ),
    "a date that never comes": (
        {"spec.schedules[0].end": "0 8 30 2 *"},
        (
            "spec.schedules[0].end: is not a cron expression (Bad day-of-month); write minute, hour, day of"
            ' month, month and day of week, for example "0 8 * * 1-5"'
        ),
    ),
    "a fifth Tuesday on the first of February": (
        {"spec.schedules[0].end": "0 8 */30 2 2#5"},
        "spec.schedules[0].end: names a time that never comes; correct day and month",
    ),
    "a schedule that starts every minute": (
        {"spec.schedules[0].start": "* * * * *"},
        (
            "spec.schedules[0].start: comes more than 48 times a day; name fewer minutes or hours, for"
            ' example "0,30 * * * *"'
        ),
    ),
    "one that ends 49 times, on one day of the year, from midnight on": (
        {"spec.schedules[0].end": "0-48 0 1 1 *"},
        (
            "spec.schedules[0].end: comes more than 48 times a day; name fewer minutes or hours, for"
            ' example "0,30 * * * *"'
        ),
    ),
    "a schedule in words": (
        {"spec.schedules[0].start": "@daily"},
        (
            "spec.schedules[0].start: must be a cron expression of five fields: minute, hour, day of month,"
            ' month and day of week, for example "0 8 * * 1-5"'
        ),
    ),
    "a time zone that is nowhere": (
        {"spec.schedules[0].timeZone": "Europe/Atlantis"},
        (
            "spec.schedules[0].timeZone: Europe/Atlantis is not a time zone; write a name of the IANA"
            " database, for example Europe/Berlin"
        ),
    ),
    "a region that is no time zone": (
        {"spec.schedules[0].timeZone": "America"},
        (
            "spec.schedules[0].timeZone: America is not a time zone; write a name of the IANA database, for"
            " example Europe/Berlin"
        ),
    ),
    "a schedule's minimum above the maximum of the spec": (
        {"spec.schedules": [{"start": "0 8 * * *", "end": "0 9 * * *", "minReplicas": 11}]},
        (
            "spec.schedules: `minReplicas` of a schedule must be less than or equal to its `maxReplicas`;"
            " what it leaves out is that of the spec, so set both"
        ),
    ),
    "an entry twice": (
        {"spec.serving.models": ["a", "a"]},
        "spec.serving.models: must not have two entries with the same key; remove one",
    ),
    "two wrong fields": (
        {"spec.mode": "x", "spec.minReplicas": -1},
        (
            "spec.mode: must be 'Recommend' or 'Enforce'; spec.minReplicas: must be greater than or"
            " equal to 0"
        ),
    ),
}


@pytest.mark.parametrize(("changes", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal(changes: Changes, message: str) -> None:
    with pytest.raises(InvalidObjectError) as error:
        parse_policy(changed(BASE, changes))
    assert str(error.value) == message
    assert error.value.kind == "InferenceCostPolicy"


def test_a_field_of_a_later_version_is_ignored_unless_strict() -> None:
    later: dict[str, Any] = changed(BASE, {"spec.weeklyBudget": "100"})
    assert parse_policy(later).spec == parse_policy(BASE).spec
    with pytest.raises(InvalidObjectError, match=r"spec\.weeklyBudget: is not a field"):
        parse_policy(later, strict=True)


def test_metadata_is_read_and_never_judged() -> None:
    metadata = {
        "name": "resnet",
        "namespace": "team-a",
        "uid": "u-1",
        "generation": 4,
        "managedFields": [],
        "annotations": None,
    }
    parsed = parse_policy({**BASE, "metadata": metadata}, strict=True).metadata
    assert (parsed.name, parsed.namespace, parsed.uid) == ("resnet", "team-a", "u-1")
    assert (parsed.generation, parsed.annotations) == (4, {})


def test_a_bare_date_is_no_time() -> None:
    with pytest.raises(InvalidObjectError, match=r"data\.writtenAt: must be an RFC 3339 time"):
        parse_checkpoint(changed(CHECKPOINT_BASE, {"data.writtenAt": 0}))


def test_times_are_written_in_utc_to_the_second() -> None:
    checkpoint = parse_checkpoint(
        changed(CHECKPOINT_BASE, {"data.writtenAt": "2026-01-31T09:00:00.7+01:00"})
    )
    assert checkpoint.to_object()["data"]["writtenAt"] == "2026-01-31T08:00:00Z"


def test_an_update_names_what_may_not_change() -> None:
    old, new = parse_policy(BASE), parse_policy(changed(BASE, {"spec.scaleTargetRef.name": "b"}))
    assert [p.field for p in update_problems(old, new)] == ["spec.scaleTargetRef"]
    assert update_problems(old, old) == ()


@pytest.mark.parametrize(
    "times", ["0,30 * * * *", "*/30 * * * *", "*/15 8-19 * * 1-5", "0-47 0 1 1 *"]
)
def test_what_comes_48_times_a_day_is_a_schedule(times: str) -> None:
    parsed = parse_policy(changed(BASE, {"spec.schedules[0].start": times}))
    assert parsed.spec.schedules[0].start == times
