"""The page of the fixed week: its numbers are those of the JSON, and nothing in it is of others."""

import json
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from inference_cost.cli.report.document import ReportDocument
from inference_cost.cli.report.page import to_page

WEEK = Path(__file__).parent / "golden" / "week.json"
VOID = {"meta"}
SIDES = (
    *("saved", "percent", "cost", "baselineCost", "inTimePercent", "baselineInTimePercent"),
    "policyHours",
)


class Page(HTMLParser):
    """Open elements, and each figure with what is shown for it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.figures: list[tuple[str, str, str]] = []
        self._figure: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert not {"src", "href", "onclick", "onload"} & set(given)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "data":
            self._figure = (given["data-at"] or "", given["value"] or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._figure is not None:
            self.figures.append((*self._figure, data))
            self._figure = None


def at(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document[int(part) if part.isdecimal() else part]
    return document


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(WEEK.read_text())
    return found


def test_every_number_of_the_page_is_that_of_the_json(document: dict[str, Any]) -> None:
    page = Page()
    page.feed(to_page(ReportDocument.model_validate(document)))
    assert page.open == []
    assert len(page.figures) > 100
    for path, value, shown in page.figures:
        assert str(at(document, path)) == value, path
        number = re.match(r"-?[\d,.]+", shown)
        assert number, shown
        assert Decimal(number[0].replace(",", "")) == pytest.approx(
            Decimal(value), rel=Decimal("1e-5")
        ), path
    shown_at = {path for path, _, _ in page.figures}
    for i, waste in enumerate(document["waste"]):
        assert (f"waste.{i}.amount" in shown_at) == (waste["amount"] is not None)
    assert {f"policies.{i}.cost" for i, _ in enumerate(document["policies"])} <= shown_at
    for state in ("measured", "potential"):
        assert {f"totals.{state}.{one}" for one in SIDES} <= shown_at
        assert f"returns.{state}.cases.1.savedPerMonth" in shown_at
    assert {f"ownership.{one}PerMonth" for one in ("nodes", "lowest", "highest")} <= shown_at


def test_measured_and_potential_have_a_chart_a_tile_and_a_sentence_each(
    document: dict[str, Any],
) -> None:
    text = to_page(ReportDocument.model_validate(document))
    for state in ("Measured", "Potential"):
        assert text.count(f"{state} savings: both sides so far, USD</") == 1
        assert text.count(f"<p>{state}: ") == 1
        assert text.count(f"<b>{state}, in all</b>") == 1
    without = json.loads(json.dumps(document))
    without["totals"]["measured"] = without["returns"]["measured"] = None
    alone = to_page(ReportDocument.model_validate(without))
    assert "Measured savings: both sides so far" not in alone
    assert "Potential savings: both sides so far" in alone


def test_the_page_needs_nothing_and_runs_nothing_of_others(document: dict[str, Any]) -> None:
    text = to_page(ReportDocument.model_validate(document))
    assert not re.search(r"<script|<link|<img|@import|url\(|javascript:", text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert len(text) < 200_000
