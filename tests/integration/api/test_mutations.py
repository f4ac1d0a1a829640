"""Taking any single validation away turns a row of the table red.

Not one definition per validation: each validation gets a code, a set of `WEIGHT` out of a few
definitions, and is absent from exactly these (a bound is one step wider there). Its rejected row
must lose its refusal in exactly these definitions. All codes have the same weight, so that no code
contains another one: a row that depended on a different validation, on a second one or on none
would show another pattern.
"""

import contextlib
import copy
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

import pytest

from e2e.rig.kube import KubeClient
from tests.integration.api.constraints import Constraint, constraints_of, relaxed
from tests.integration.api.table import CRDS, SHEETS, Row, Sheet, rejected_row
from tests.integration.api.verdict import server_verdict, store

WEIGHT = 3
DEFINITIONS = 13  # 286 codes of weight 3
THREADS = 4

# The API server insists on these itself: the keys of a list map must be there.
MAP_KEYS = {
    Constraint(path="status.conditions[]", keyword="required", detail="type"),
    Constraint(path="spec.offerings[]", keyword="required", detail="instanceType"),
    Constraint(path="spec.variants[]", keyword="required", detail="name"),
    Constraint(path="status.variants[]", keyword="required", detail="name"),
}


def _codes(crd: dict[str, Any]) -> dict[Constraint, frozenset[int]]:
    constraints = sorted(constraints_of(crd) - MAP_KEYS)
    codes = combinations(range(DEFINITIONS), WEIGHT)
    return {
        constraint: frozenset(code) for constraint, code in zip(constraints, codes, strict=False)
    }


def _mutant(crd: dict[str, Any], number: int) -> dict[str, Any]:
    """The definition in a group of its own, without the validations whose code has `number`."""
    absent = frozenset(c for c, code in _codes(crd).items() if number in code)
    mutant: dict[str, Any] = copy.deepcopy(relaxed(crd, absent))
    mutant["spec"]["group"] = _group(number)
    names = mutant["spec"]["names"]
    mutant["metadata"]["name"] = f"{names['plural']}.{_group(number)}"
    names.pop("shortNames", None)
    names.pop("categories", None)
    return mutant


def _group(number: int) -> str:
    return f"mutant-{number}.test"


def _api_version(number: int) -> str:
    return f"{_group(number)}/v1alpha1"


@pytest.fixture(scope="module")
def mutants(crds: KubeClient) -> Iterator[Mapping[tuple[str, str, int], str]]:
    """Resource version of each stored object, by its key and the number of the definition."""
    definitions = [_mutant(crd, n) for crd in CRDS.values() for n in range(DEFINITIONS)]
    with ThreadPoolExecutor(THREADS) as pool, contextlib.ExitStack() as cleanup:
        for definition in definitions:
            cleanup.callback(
                crds.delete,
                definition["apiVersion"],
                definition["kind"],
                definition["metadata"]["name"],
            )
        list(pool.map(crds.apply, definitions))
        yield {
            (*sheet.key, n): store(crds, Row(sheet=sheet, object=sheet.base), _api_version(n))
            for sheet in SHEETS
            if not sheet.is_status
            for n in range(DEFINITIONS)
        }


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda s: f"{s.names.kind} {s.name} {s.is_status}")
def test_each_row_depends_on_its_validation(
    crds: KubeClient, mutants: Mapping[tuple[str, str, int], str], sheet: Sheet
) -> None:
    kind = sheet.names.kind
    codes = _codes(CRDS[kind])
    refused = {s: rejected_row(sheet, c) for s, c in sheet.cases.items()}

    def lost_in(row: Row) -> frozenset[int]:
        return frozenset(
            n
            for n in range(DEFINITIONS)
            if row.says not in server_verdict(crds, row, _api_version(n), mutants[*sheet.key, n])
        )

    with ThreadPoolExecutor(THREADS) as pool:
        lost = dict(zip(refused, pool.map(lost_in, refused.values()), strict=True))
    want = {s: codes.get(c.constraint, frozenset()) for s, c in sheet.cases.items()}
    assert {s: sorted(n) for s, n in lost.items() if n != want[s]} == {}
