"""A headless Chromium, and pages in it that may load nothing."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


# Of a module: Playwright's event loop runs as long as it does, and tests elsewhere want their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The one that `scripts/browser.sh` found or installed; else Playwright's own."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


@dataclass(slots=True)
class Opened:
    """A page and all that it complained of or asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def opened(browser: Browser, html: str, *, width: int = 1200, dark: bool = False) -> Opened:
    page = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
    )
    found = Opened(page)

    def refuse(route: Route) -> None:
        found.requests.append(route.request.url)
        route.abort()

    page.route("**/*", refuse)
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.set_content(html)
    return found
