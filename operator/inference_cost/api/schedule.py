"""`spec.schedules`: other bounds at certain times, with the fields of KEDA's cron scaler."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from inference_cost.api.base import ApiModel, Rule
from inference_cost.api.fields import CRON_PATTERN, TIME_ZONE_PATTERN, Replicas, ReplicasFromZero

MOST_A_DAY: Final = (
    48  # starts, and ends: each is looked up once a day, in a tick that others wait for
)
_BEFORE_A_DAY: Final = datetime(2023, 12, 31, 23, 59, tzinfo=UTC)


def _cron(expression: str) -> str:
    try:
        times = CronSim(expression, _BEFORE_A_DAY)
        first = next(times)
    except CronSimError as error:
        raise ValueError(
            f"is not a cron expression ({error}); write minute, hour, day of month, month and day of"
            ' week, for example "0 8 * * 1-5"'
        ) from None
    except StopIteration:
        raise ValueError("names a time that never comes; correct day and month") from None
    # Each day on which it comes at all has the same times.
    others = takewhile(lambda time: time < first + timedelta(days=1), times)
    if sum(1 for _ in islice(others, MOST_A_DAY)) == MOST_A_DAY:
        raise ValueError(
            f"comes more than {MOST_A_DAY} times a day; name fewer minutes or hours, for example"
            ' "0,30 * * * *"'
        )
    return expression


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{name} is not a time zone; write a name of the IANA database, for example Europe/Berlin"
        ) from None
    return name


Cron = Annotated[
    str, Field(min_length=1, max_length=100, pattern=CRON_PATTERN), AfterValidator(_cron)
]
TimeZone = Annotated[
    str, Field(min_length=1, max_length=32, pattern=TIME_ZONE_PATTERN), AfterValidator(_zone)
]


class Schedule(ApiModel):
    """Bounds that hold from each start to the next end."""

    rules = (
        Rule(
            cel="has(self.minReplicas) || has(self.maxReplicas)",
            message="a schedule must set `minReplicas`, `maxReplicas` or both",
            holds=lambda self: self.min_replicas is not None or self.max_replicas is not None,
        ),
        Rule(
            cel="self.start != self.end",
            message="`end` must differ from `start`; the schedule holds from each start to the next"
            " end",
            field="end",
            holds=lambda self: self.start != self.end,
        ),
    )
    name: Annotated[str, Field(max_length=63)] | None = Field(
        default=None,
        description="name is what the schedule is called in explanations, for example weekday"
        " mornings. Default unset: its start and end are named.",
    )
    start: Cron = Field(
        description="start is when the schedule begins to hold, a cron expression of five fields:"
        " minute, hour, day of month, month, day of week. The replicas of minReplicas are ordered a"
        " start-up time earlier, so that they serve at that moment. At most 48 times a day."
    )
    end: Cron = Field(
        description="end is when it ceases to hold, a cron expression as in start. The first end"
        " after a start counts. At most 48 times a day."
    )
    time_zone: TimeZone = Field(
        default="UTC",
        description="timeZone is the IANA name of the zone that start and end are times of, for"
        " example Europe/Berlin. Where clocks are put forward, a time that is left out counts as the"
        " first moment after it; where they are put back, a time that comes twice counts the first"
        " time. Default UTC.",
    )
    min_replicas: ReplicasFromZero | None = Field(
        default=None,
        description="minReplicas is what holds in place of that of the spec meanwhile. Of several schedules that"
        " hold at once the largest counts. Default unset: that of the spec.",
    )
    max_replicas: Replicas | None = Field(
        default=None,
        description="maxReplicas is what holds in place of that of the spec meanwhile. Of several schedules that"
        " hold at once the largest counts, and the minimum in force where that is larger. Default"
        " unset: that of the spec.",
    )
