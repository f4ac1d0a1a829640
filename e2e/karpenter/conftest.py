"""One cluster with Karpenter and the operator for all scenarios here; the long watch runs beside the others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.baselines.private_network import NoPrivateNetworkError, enter_private_network
from e2e.karpenter import start
from e2e.karpenter.early import EarlyFleets, early_fleets
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.fleet_exporter.launch import start_exporter
from e2e.rig.karpenter.node_pools import EMPTY_ONLY, UNDERUTILIZED_TOO
from e2e.rig.providers import Capability
from e2e.scenarios import table
from e2e.scenarios.installation import Installation
from e2e.scenarios.scene import Scene, scene

SUITE = "e2e/karpenter"
# What needs a fleet of the session comes when that has settled, and the watch over minutes when it is over.
MODULES = (
    "test_table",
    "test_overlay",
    "test_stock_out",
    "test_warm",
    "test_prices",
    "test_interruption",
    "test_calm",
)
COLLECTED = pytest.StashKey[list[table.Row]]()
INSTALLATION = pytest.StashKey[Installation]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--calm-minutes", type=int, default=5, help="how long nobody may fight")
    parser.addoption(
        "--calm-consolidation",
        choices=(EMPTY_ONLY, UNDERUTILIZED_TOO),
        default=EMPTY_ONLY,
        help="how Karpenter consolidates the fleet that is watched",
    )
    parser.addoption("--calm-report", type=Path, help="page to write the result of the watch into")
    parser.addoption(
        "--write-table", action="store_true", help="bring the table of docs/scenarios.md up to date"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*capabilities): what the cluster must be able to do")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.needs(Capability.KARPENTER))
    items.sort(key=lambda item: MODULES.index(item.path.stem))
    collected = table.rows(items)
    config.stash[COLLECTED] = collected
    if config.getoption("--write-table"):
        table.write(collected, SUITE)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build before the first test, then leave the machine's network: Karpenter listens on all of its addresses."""
    if not any("installation" in getattr(item, "fixturenames", ()) for item in session.items):
        return
    if session.config.option.collectonly:
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        start.build()
    try:
        enter_private_network()
    except NoPrivateNetworkError as error:
        pytest.exit(f"Karpenter is not started where others could reach it: {error}", returncode=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failure says what the operator and Karpenter said."""
    report = yield
    installation = item.config.stash.get(INSTALLATION, None)
    if report.when == "call" and report.failed and installation is not None:
        for one in _scenes(item):
            report.sections.append((f"policies in {one.namespace}", one.description()))
        report.sections.append(("operator log", installation.log_tail()))
        report.sections.append(("karpenter log", _karpenter_log(installation)))
    return report


@pytest.fixture(scope="session")
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    with start.installed(tmp_path_factory.mktemp("karpenter")) as ready:
        request.config.stash[INSTALLATION] = ready
        yield ready
        del request.config.stash[INSTALLATION]


@pytest.fixture(scope="session")
def exporter(installation: Installation) -> ExporterClient:
    assert installation.stack is not None
    return start_exporter(installation.stack.cluster, installation.stack.processes)


@pytest.fixture(scope="session")
def early(
    request: pytest.FixtureRequest, installation: Installation, exporter: ExporterClient
) -> Iterator[EarlyFleets]:
    minutes = request.config.getoption("--calm-minutes")
    policy = request.config.getoption("--calm-consolidation")
    with early_fleets(installation, exporter, calm_minutes=minutes, calm_policy=policy) as fleets:
        yield fleets


@pytest.fixture(scope="session", autouse=True)
def _start_early(request: pytest.FixtureRequest) -> None:
    """The watch takes minutes: it begins before the scenarios that have nothing to do with it."""
    if any("early" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("early")


@pytest.fixture(name="scene")
def _scene(request: pytest.FixtureRequest, installation: Installation) -> Iterator[Scene]:
    """A namespace of the scenario's own."""
    words = re.sub("[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))
    with scene(installation, words[:40].strip("-")) as ready:
        yield ready


def _scenes(item: pytest.Item) -> list[Scene]:
    given = getattr(item, "funcargs", {}).values()
    early = [one for one in given if isinstance(one, EarlyFleets)]
    fleets = [fleet for one in early for fleet in (one.on_spot, one.priced, one.calm.fleet)]
    return [one for one in given if isinstance(one, Scene)] + [fleet.scene for fleet in fleets]


def _karpenter_log(installation: Installation) -> str:
    assert installation.stack is not None
    file = installation.stack.cluster.logs / "karpenter.log"
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    return "\n".join(line[:400] for line in lines[-30:])
