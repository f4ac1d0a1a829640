"""One cluster with one installation for all scenarios; each declares what it needs of the cluster."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.rig.providers import PROVIDER_NAMES, provider, reason_not_to_run
from e2e.scenarios import start, table
from e2e.scenarios.early import EarlyFleets, early_fleets
from e2e.scenarios.installation import Installation
from e2e.scenarios.order import place
from e2e.scenarios.scene import Scene, scene
from e2e.scenarios.stories import Stories, told

NOT_RUN = pytest.StashKey[list[str]]()
COLLECTED = pytest.StashKey[list[table.Row]]()
INSTALLATION = pytest.StashKey[Installation]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--provider", choices=PROVIDER_NAMES, default="bundled", help="cluster to run on"
    )
    parser.addoption(
        "--long", action="store_true", help="the scenarios that take longer than a gate may, alone"
    )
    parser.addoption(
        "--write-table", action="store_true", help="bring the table of docs/scenarios.md up to date"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*capabilities): what the cluster must be able to do")
    config.addinivalue_line("markers", "long: too long for every run")
    config.addinivalue_line("markers", "story(of): what runs from the session's start on")
    config.stash[NOT_RUN] = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, and name, what cannot run on this provider; the rest goes from calm to rough."""
    items.sort(key=place)
    collected = table.rows(items)
    config.stash[COLLECTED] = collected
    if config.getoption("--write-table"):
        table.write(collected)
    chosen = provider(config.getoption("--provider"))
    long = bool(config.getoption("--long"))
    config.hook.pytest_deselected(items=[item for item in items if table.is_long(item) is not long])
    items[:] = [item for item in items if table.is_long(item) is long]
    reasons = {item: reason_not_to_run(table.needs(item), chosen) for item in items}
    left_out = [item for item, reason in reasons.items() if reason]
    config.stash[NOT_RUN] = [f"{item.name}: {reasons[item]}" for item in left_out]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not reasons[item]]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the programs before the first test: it may take minutes, more than a test may."""
    if any("installation" in getattr(item, "fixturenames", ()) for item in session.items):
        capture = session.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            start.build(session.config.getoption("--provider"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash[NOT_RUN]:
        terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failure says what the operator said: its policies' statuses and the end of its logs."""
    report = yield
    installation = item.config.stash.get(INSTALLATION, None)
    if report.when == "call" and report.failed and installation is not None:
        seen = getattr(item, "funcargs", {}).values()
        scenes = [s for s in seen if isinstance(s, Scene)]
        for one in scenes:
            report.sections.append((f"policies in {one.namespace}", one.description()))
        report.sections.append(("operator log", installation.log_tail()))
    return report


@pytest.fixture(scope="session")
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("scenarios")
    with start.installed(request.config.getoption("--provider"), folder) as ready:
        request.config.stash[INSTALLATION] = ready
        yield ready
        del request.config.stash[INSTALLATION]


@pytest.fixture(scope="session")
def early(installation: Installation) -> Iterator[EarlyFleets]:
    with early_fleets(installation) as fleets:
        yield fleets


@pytest.fixture(scope="session")
def stories(installation: Installation) -> Iterator[Stories]:
    with told(installation) as ready:
        yield ready


@pytest.fixture(scope="session", autouse=True)
def _start_early(request: pytest.FixtureRequest) -> None:
    """Fleets that some later scenario needs have time to learn during the ones before, and stories to be told."""
    items = request.session.items
    if any("early" in getattr(item, "fixturenames", ()) for item in items):
        request.getfixturevalue("early")
    for item in items:
        for mark in item.iter_markers("story"):
            request.getfixturevalue("stories").begin(mark.kwargs["of"])


@pytest.fixture(name="scene")
def _scene(request: pytest.FixtureRequest, installation: Installation) -> Iterator[Scene]:
    """A namespace of the scenario's own, named after it and its parameters."""
    words = re.sub("[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))
    with scene(installation, words[:60].strip("-")) as ready:
        yield ready
