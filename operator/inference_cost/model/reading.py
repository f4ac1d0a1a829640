"""A measured value, or the reason why there is none."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class MissingReason(StrEnum):
    """Why a value is not known; shown to users as a condition reason."""

    SOURCE_UNREACHABLE = "SourceUnreachable"  # no answer, or a refusal, from Prometheus
    UNAUTHORIZED = "Unauthorized"  # 401 or 403
    QUERY_FAILED = "QueryFailed"  # an answer that is an error, or partial
    EMPTY_RESULT = "EmptyResult"  # an answer without the series
    STALE = "Stale"  # the newest sample is too old
    NOT_FINITE = "NotFinite"  # NaN, infinite or negative
    AMBIGUOUS = "Ambiguous"  # several series where one is expected
    PARTIAL = "Partial"  # too few of the ready pods report
    WARMING_UP = "WarmingUp"  # less than one full window since the pod became ready
    NO_READY_PODS = "NoReadyPods"
    NO_TRAFFIC = "NoTraffic"  # series are there and flat: nothing to learn from
    NOT_EXPORTED = "NotExported"  # the source works but does not have this series
    NOT_CONFIGURED = "NotConfigured"
    NOT_LEARNED = "NotLearned"  # too few observations so far
    MODEL_NOT_LOADED = "ModelNotLoaded"
    PRICE_UNKNOWN = "PriceUnknown"
    NOT_COMPARABLE = "NotComparable"  # two ways to run do not meet the same objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Generic[T_co]):
    """A value and the time, in epoch seconds, it was measured at."""

    value: T_co
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """No value. `detail` says what was tried, in words fit for a status message; never an upstream body."""

    reason: MissingReason
    detail: str = ""


Reading = Sample[T_co] | Missing
