"""The API server gives the verdict that the table says, on every row."""

from collections.abc import Mapping

import pytest

from e2e.rig.kube import KubeClient
from inference_cost.api.group import API_VERSION
from tests.integration.api.table import Row, rows
from tests.integration.api.verdict import server_verdict

ROWS = dict(rows())


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_api_server(crds: KubeClient, stored: Mapping[tuple[str, str], str], row: Row) -> None:
    refusal = server_verdict(crds, row, API_VERSION, stored[row.sheet.key])
    assert (not refusal) == row.accepted, refusal
    assert row.says in refusal
