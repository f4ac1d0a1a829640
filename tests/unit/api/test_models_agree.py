"""The models give the verdict that the API server gives, on every row of the table."""

import pytest

from tests.integration.api.table import Row, rows
from tests.integration.api.verdict import model_verdict

ROWS = dict(rows())


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_models(row: Row) -> None:
    refusal = model_verdict(row)
    assert (not refusal) == row.accepted, refusal
    if row.case and row.case.constraint.keyword == "rule":
        assert row.says in refusal
