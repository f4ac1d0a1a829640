"""Pages with the same frame, the demo's and that of a scan: they, too, fit a phone and ask for nothing."""

from pathlib import Path

from playwright.sync_api import Browser

from e2e.demo.report import render_report
from inference_cost.cli.scan.document import ScanDocument
from inference_cost.cli.scan.page import to_page
from tests.integration.page.conftest import opened
from tests.unit.demo.runs import simulated_run
from tests.unit.demo.test_report import report_input

PHONE = 360
SCAN = Path("tests/unit/cli/scan/golden/document.json")


def test_the_demos_page(browser: Browser) -> None:
    found = opened(browser, render_report(report_input(simulated_run())), width=PHONE)
    assert found.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert (found.requests, found.complaints) == ([], [])
    heights = (
        "[...document.querySelectorAll('.plot svg')].map(e => e.getBoundingClientRect().height)"
    )
    assert found.page.evaluate(heights) == [170, 170, 170, 170]
    found.page.close()


def test_the_page_of_a_scan(browser: Browser) -> None:
    document = ScanDocument.model_validate_json(SCAN.read_text())
    found = opened(browser, to_page(document), width=PHONE)
    assert found.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert (found.requests, found.complaints) == ([], [])
    found.page.close()
