"""Constrained types shared by the custom resources.

The API has no floats: money, rates and percentages travel as decimal strings, times as RFC 3339.
"""

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer

MESSAGE_LENGTH: Final = 1024
REPLICAS_LIMIT: Final = 5000
OBSERVED_LIMIT: Final = 1_000_000
"""Above any count of pods, nodes or batched requests in one cluster."""
JSON_INTEGER_LIMIT: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""

DNS_SUBDOMAIN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
DNS_LABEL: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
API_VERSION_PATTERN: Final = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[0-9]+((alpha|beta)[0-9]+)?$"
CAMEL_CASE: Final = r"^[A-Z][A-Za-z0-9]*$"
LABEL_VALUE: Final = r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$"
LABEL_VALUE_NOT_EMPTY: Final = r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$"
LABEL_KEY: Final = r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
MODEL_NAME_PATTERN: Final = r"^[!-.0-~]+$"
DECIMAL_PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
PERCENT_PATTERN: Final = r"^[0-9]{1,3}(\.[0-9]{1,2})?$"
SIGNED_DECIMAL_PATTERN: Final = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"
SIGNED_PERCENT_PATTERN: Final = r"^-?[0-9]{1,4}(\.[0-9]{1,2})?$"
CURRENCY_PATTERN: Final = r"^[A-Z]{3}$"
BASE64_PATTERN: Final = r"^[A-Za-z0-9+/]*={0,2}$"
CRON_PATTERN: Final = r"^[0-9A-Za-z*,/#-]+( +[0-9A-Za-z*,/#-]+){4}$"
TIME_ZONE_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"
DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")

PATTERN_HINTS: Final = {
    DNS_SUBDOMAIN: "must be a lower-case DNS name, for example resnet",
    DNS_LABEL: "must be a lower-case name without dots, for example spot",
    API_VERSION_PATTERN: "must be a group and a version, for example apps/v1",
    CAMEL_CASE: "must be in CamelCase, for example Deployment",
    LABEL_VALUE: "must be a label value: at most 63 letters, digits, `-`, `_` and `.`",
    LABEL_VALUE_NOT_EMPTY: "must be a label value: 1 to 63 letters, digits, `-`, `_` and `.`",
    MODEL_NAME_PATTERN: "must be the name of a Triton model: no blanks, no `/`",
    DECIMAL_PATTERN: 'must be a decimal number as a string, for example "1.006"',
    PERCENT_PATTERN: 'must be a percentage as a string, for example "99.0"',
    SIGNED_DECIMAL_PATTERN: 'must be a decimal number as a string, for example "-1.006"',
    SIGNED_PERCENT_PATTERN: 'must be a percentage as a string, for example "-12.5"',
    CURRENCY_PATTERN: "must be an ISO 4217 code, for example USD",
    BASE64_PATTERN: "must be base64",
    CRON_PATTERN: "must be a cron expression of five fields: minute, hour, day of month, month and day"
    ' of week, for example "0 8 * * 1-5"',
    TIME_ZONE_PATTERN: "must be a time zone of the IANA database, for example Europe/Berlin",
}
"""What to write instead, by pattern: a bare regular expression helps nobody."""


def _only_rfc3339(value: Any) -> Any:
    """Refuse what the API server refuses: epoch numbers, bare dates, times without a zone."""
    if isinstance(value, datetime) or (isinstance(value, str) and DATE_TIME.fullmatch(value)):
        return value
    raise ValueError("must be an RFC 3339 time, for example 2026-01-31T08:00:00Z")


def _to_rfc3339(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[
    AwareDatetime,
    BeforeValidator(_only_rfc3339),
    PlainSerializer(_to_rfc3339, when_used="json"),
]
DnsName = Annotated[str, Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN)]
CamelCase = Annotated[str, Field(min_length=1, max_length=63, pattern=CAMEL_CASE)]
LabelValue = Annotated[str, Field(max_length=63, pattern=LABEL_VALUE)]
LabelValueNotEmpty = Annotated[
    str, Field(min_length=1, max_length=63, pattern=LABEL_VALUE_NOT_EMPTY)
]
ModelName = Annotated[str, Field(min_length=1, max_length=253, pattern=MODEL_NAME_PATTERN)]
SignedDecimalText = Annotated[str, Field(max_length=20, pattern=SIGNED_DECIMAL_PATTERN)]
SignedPercentText = Annotated[str, Field(max_length=8, pattern=SIGNED_PERCENT_PATTERN)]
DecimalText = Annotated[str, Field(max_length=19, pattern=DECIMAL_PATTERN)]
PercentText = Annotated[str, Field(max_length=6, pattern=PERCENT_PATTERN)]
Currency = Annotated[str, Field(max_length=3, pattern=CURRENCY_PATTERN)]
Message = Annotated[str, Field(max_length=MESSAGE_LENGTH)]
Replicas = Annotated[int, Field(strict=True, ge=1, le=REPLICAS_LIMIT)]
ReplicasFromZero = Annotated[int, Field(strict=True, ge=0, le=REPLICAS_LIMIT)]
ObservedReplicas = Annotated[int, Field(strict=True, ge=0, le=OBSERVED_LIMIT)]
NodeCount = Annotated[int, Field(strict=True, ge=0, le=OBSERVED_LIMIT)]
Generation = Annotated[int, Field(strict=True, ge=0, le=JSON_INTEGER_LIMIT)]
Milliseconds = Annotated[int, Field(strict=True, ge=1, le=600_000)]
DeadlineSeconds = Annotated[int, Field(strict=True, ge=10, le=86_400)]
ObservedMilliseconds = Annotated[int, Field(strict=True, ge=0, le=86_400_000)]
Microseconds = Annotated[int, Field(strict=True, ge=0, le=3_600_000_000)]


def unique_by(*names: str) -> AfterValidator:
    """The counterpart of list types set (no names) and map (attributes that make the key)."""

    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        keys = [tuple(getattr(i, name) for name in names) if names else i for i in items]
        if len(set(keys)) < len(keys):
            raise ValueError("must not have two entries with the same key; remove one")
        return items

    return AfterValidator(check)


ATOMIC: Final[dict[str, Any]] = {"x-kubernetes-list-type": "atomic"}
SET: Final[dict[str, Any]] = {"x-kubernetes-list-type": "set"}


def map_by(*keys: str) -> dict[str, Any]:
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


def decimal_text(value: Decimal | float, *, places: int = 4, at_least: int = 0) -> str:
    """Format a non-negative amount or rate, with at most `places` and at least `at_least` decimals.

    Raises:
        ValueError: negative or not finite: such a number is missing, not zero.
    """
    number = Decimal(str(value))
    if not number.is_finite() or number < 0:
        raise ValueError(f"must be finite and not negative, not {value}")
    text = f"{number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0").ljust(at_least, "0")
    return f"{whole}.{decimals}" if decimals else whole


def money_text(amount: Decimal) -> str:
    """Format money: two to four decimals, for example 1.5 as "1.50" and 0.21375 as "0.2138"."""
    return decimal_text(amount, places=4, at_least=2)


def signed_money_text(amount: Decimal) -> str:
    """As `money_text`, for a difference: -0.21375 is "-0.2138"."""
    return f"-{money_text(-amount)}" if amount < 0 else money_text(amount)


def signed_percent_text(fraction: float) -> str:
    """As `percent_text`, for a difference."""
    return f"-{percent_text(-fraction)}" if fraction < 0 else percent_text(fraction)


def percent_text(fraction: float) -> str:
    """Format a fraction (0.987) as a percentage ("98.7"); at most two decimals."""
    return decimal_text(Decimal(str(fraction)) * 100, places=2, at_least=1)


CUT = "…"


def shorten(message: str, *, length: int = MESSAGE_LENGTH) -> str:
    """Cut a message to what the schema admits."""
    return message if len(message) <= length else message[: length - 1] + "…"


def whole_sentences(message: str) -> str:
    """As `shorten`, cut where a sentence ends: half an amount would be a wrong one. Of Events bytes are counted."""
    data = message.encode()
    if len(data) <= MESSAGE_LENGTH:
        return message
    kept = data[: MESSAGE_LENGTH - len(CUT.encode())].decode(errors="ignore")
    end = max(kept.rfind(". "), kept.rfind(".\n"))
    return f"{kept[: end + 1]} {CUT}" if end >= 0 else f"{kept}{CUT}"
