"""The demo's page has the same frame and charts: it, too, fits a phone and asks for nothing."""

from playwright.sync_api import Browser

from e2e.demo.report import render_report
from tests.integration.page.conftest import opened
from tests.unit.demo.runs import simulated_run
from tests.unit.demo.test_report import report_input

PHONE = 360


def test_the_demos_page(browser: Browser) -> None:
    found = opened(browser, render_report(report_input(simulated_run())), width=PHONE)
    assert found.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert (found.requests, found.complaints) == ([], [])
    heights = (
        "[...document.querySelectorAll('.plot svg')].map(e => e.getBoundingClientRect().height)"
    )
    assert found.page.evaluate(heights) == [170, 170, 170, 170]
    found.page.close()
