"""No validation of a generated schema is without its row, and no row is about none."""

import pytest

from tests.integration.api.cases import Case
from tests.integration.api.constraints import constraints_of, nodes
from tests.integration.api.table import CRDS, SHEETS, Sheet


@pytest.mark.parametrize("kind", CRDS)
def test_every_bound_enum_and_rule_has_a_row(kind: str) -> None:
    shown = [
        case.constraint
        for sheet in SHEETS
        if sheet.names.kind == kind
        for case in sheet.cases.values()
    ]
    assert sorted(set(constraints_of(CRDS[kind])) ^ set(shown)) == []
    assert len(shown) == len(set(shown))


def _enums() -> list[tuple[Sheet, Case]]:
    return [
        (sheet, case)
        for sheet in SHEETS
        for case in sheet.cases.values()
        if case.constraint.keyword == "enum"
    ]


@pytest.mark.parametrize(
    ("sheet", "case"), _enums(), ids=lambda x: str(getattr(x, "constraint", ""))
)
def test_every_value_of_an_enum_is_accepted_in_a_row(sheet: Sheet, case: Case) -> None:
    schema = CRDS[sheet.names.kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    values = dict(nodes(schema))[case.constraint.path]["enum"]
    shown = {
        value
        for changes in case.accepted
        for path, value in changes.items()
        if path.replace("[0]", "[]") == case.constraint.path
    }
    assert shown == set(values)
