"""The frame of an HTML page that loads nothing from elsewhere, and runs nothing."""

from collections.abc import Iterable
from html import escape
from importlib import resources

BASE = "base.css"


def style(package: str, name: str) -> str:
    """A style sheet that lies beside the code that needs it."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def chart_style() -> str:
    """What pages with a `chart.Chart` need."""
    return style(__package__, "chart.css")


def page(title: str, body: str, *, styles: Iterable[str] = ()) -> str:
    """The whole page. `title` is plain text, `body` is HTML; `styles` come after those that all pages share."""
    sheets = "".join((style(__package__, BASE), *styles))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{sheets}</style></head><body><main>"
        f"{body}</main></body></html>\n"
    )
