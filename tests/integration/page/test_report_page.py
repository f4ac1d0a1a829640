"""The report in a browser: silent, self-contained, true to the JSON, readable on a phone, at night, in print."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from inference_cost.cli.report.document import ReportDocument
from inference_cost.cli.report.page import to_page
from tests.integration.page.conftest import Opened, opened

WEEK = Path(
    "tests/unit/cli/report/golden/week.json"
)  # what `report -o json` prints of a fixed week
PHONE = 360
A4 = 700  # points of a screen between its margins
FIGURES = """() => [...document.querySelectorAll('data[data-at]')].map(
    e => [e.dataset.at, e.value, e.innerText, e.getBoundingClientRect().height])"""
OUTSIDE = """(width) => [...document.querySelectorAll('body *')].filter(
    e => { const r = e.getBoundingClientRect(); return r.width && (r.right > width + 0.5 || r.left < -0.5); }
  ).map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`)"""
SMALL_TEXT = """() => [...document.querySelectorAll('main *')].filter(
    e => e.childNodes.length && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  ).filter(e => e.getBoundingClientRect().height && parseFloat(getComputedStyle(e).fontSize) < 10).length"""
COLORS = (
    """() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]; }"""
)


@pytest.fixture(scope="module")
def week() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(WEEK.read_text())
    return found


@pytest.fixture(scope="module")
def html(week: dict[str, Any]) -> str:
    return to_page(ReportDocument.model_validate(week))


@pytest.fixture
def on_a_desk(browser: Browser, html: str) -> Iterator[Opened]:
    found = opened(browser, html)
    yield found
    found.page.close()


@pytest.fixture
def on_a_phone(browser: Browser, html: str) -> Iterator[Opened]:
    found = opened(browser, html, width=PHONE)
    yield found
    found.page.close()


def at(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document[int(part) if part.isdecimal() else part]
    return document


def test_it_loads_nothing_and_complains_of_nothing(on_a_desk: Opened) -> None:
    assert on_a_desk.requests == []
    assert on_a_desk.complaints == []


def test_numbers_that_are_seen_are_those_of_the_json(
    on_a_desk: Opened, week: dict[str, Any]
) -> None:
    figures = on_a_desk.page.evaluate(FIGURES)
    assert len(figures) > 100
    for path, value, shown, height in figures:
        assert height > 0, f"{path} is not to be seen"
        assert value == str(at(week, path))
        number = shown.split(" ")[0].replace(",", "")
        assert Decimal(number) == pytest.approx(Decimal(value), rel=Decimal("1e-5")), path


def test_on_a_phone_nothing_is_cut_off_or_beside_the_screen(on_a_phone: Opened) -> None:
    page = on_a_phone.page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert page.evaluate(OUTSIDE, PHONE) == []
    assert page.evaluate(SMALL_TEXT) == 0
    assert all(height > 0 for *_, height in page.evaluate(FIGURES))


@pytest.mark.parametrize("width", [641, 768, 921, 1024])
def test_between_phone_and_desk_nothing_is_beside_the_screen(
    browser: Browser, html: str, width: int
) -> None:
    found = opened(browser, html, width=width)
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    found.page.close()


def test_the_longest_names_and_amounts_fit_a_phone(browser: Browser, week: dict[str, Any]) -> None:
    text = json.dumps(week)
    for short, long in (
        ("serving", "n" * 63),
        ("resnet", "p" * 63),
        ("vision", "c" * 63),
        ("l4", "pool-" * 40),
    ):
        text = text.replace(f'"{short}"', f'"{long}"').replace(
            f"serving/{short}", f"serving/{long}"
        )
    text = text.replace('"2688.00"', '"26880000000.00"')
    html = to_page(ReportDocument.model_validate_json(text))
    found = opened(browser, html, width=PHONE)
    assert found.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert found.page.evaluate(OUTSIDE, PHONE) == []
    found.page.close()


def test_the_dark_has_light_letters(browser: Browser, html: str) -> None:
    def brightness(color: str) -> float:
        return sum(float(part) for part in color.removeprefix("rgb(").removesuffix(")").split(","))

    for dark in (False, True):
        found = opened(browser, html, dark=dark)
        background, letters = map(brightness, found.page.evaluate(COLORS))
        assert (letters > background + 300) == dark
        assert (background > letters + 300) == (not dark)
        found.page.close()


def test_in_print_it_is_black_on_white_even_in_the_dark(browser: Browser, html: str) -> None:
    found = opened(browser, html, width=A4, dark=True)
    found.page.emulate_media(media="print")
    assert found.page.evaluate("document.documentElement.scrollWidth") <= A4
    assert found.page.evaluate(COLORS) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    pdf = found.page.pdf(format="A4")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 8
    found.page.close()
