"""The page about the scenarios says what is here, too."""

import pytest

from e2e.karpenter.conftest import COLLECTED, SUITE
from e2e.scenarios import table


def test_page_lists_every_scenario(pytestconfig: pytest.Config) -> None:
    """The table of docs/scenarios.md has each scenario with Karpenter that was collected."""
    page = table.written(SUITE).splitlines()
    collected: list[table.Row] = pytestconfig.stash[COLLECTED]
    lacking = [line for line in table.render(collected).splitlines() if line not in page]
    assert not lacking, f"run `pytest {SUITE} --write-table --collect-only`"
