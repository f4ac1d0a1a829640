"""Kubernetes' own notations: quantities and times."""

from datetime import datetime
from decimal import Decimal, InvalidOperation

_SUFFIXES = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}


def parse_quantity(text: object) -> Decimal:
    """Parse `500m`, `2`, `1.5Gi`, `1e3`; what is not a quantity counts as zero."""
    raw = str(text).strip()
    digits = raw.rstrip("mkMGTPEi")
    return _scaled(digits, raw[len(digits) :])


def _scaled(digits: str, suffix: str) -> Decimal:
    try:
        value = Decimal(digits) * _SUFFIXES[suffix]
    except (InvalidOperation, KeyError):
        return Decimal(0)
    return value if value.is_finite() else Decimal(0)


def parse_time(text: object) -> float | None:
    """Epoch seconds of an RFC 3339 time, None when absent or malformed."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
