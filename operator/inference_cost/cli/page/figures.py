"""Numbers in the page, each with the place in the JSON that it is from."""

from decimal import Decimal
from html import escape

UNKNOWN = "not known"


def money(value: str | None, at: str) -> str:
    """With all its digits, so that what adds up in the JSON adds up here."""
    return figure(value, at, "" if value is None else f"{Decimal(value):,f}")


def number(value: float | None, at: str, form: str = ",g", suffix: str = "") -> str:
    return figure(value, at, "" if value is None else f"{value:{form}}{suffix}")


def percent(value: float | None, at: str) -> str:
    return number(value, at, ",g", " %")


def figure(value: object, at: str, shown: str) -> str:
    """`shown`: where it is known."""
    if value is None:
        return f'<span class="tag">{UNKNOWN}</span>'
    return f'<data value="{escape(str(value), quote=True)}" data-at="{escape(at, quote=True)}">{shown}</data>'
