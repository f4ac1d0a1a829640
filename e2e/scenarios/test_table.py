"""The page about the scenarios says what is there."""

import pytest

from e2e.scenarios import table
from e2e.scenarios.conftest import COLLECTED


def test_page_lists_every_scenario(pytestconfig: pytest.Config) -> None:
    """The table of docs/scenarios.md has each scenario that was collected, with what it needs."""
    page = table.written().splitlines()
    collected: list[table.Row] = pytestconfig.stash[COLLECTED]
    lacking = [line for line in table.render(collected).splitlines() if line not in page]
    assert not lacking, "run `pytest e2e/scenarios --write-table`"
