"""All rows, by kind: which object, which change, which verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from inference_cost.api.crds import all_crds
from inference_cost.api.group import CAPACITY_POOL, CHECKPOINT, POLICY, Names
from tests.integration.api import policy_table, pool_table, status_table
from tests.integration.api.cases import Case, Cases, Changes, changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Cases about one part of one kind, and the valid object that they change; stored under `name` for updates."""

    names: Names
    base: dict[str, Any]
    cases: Cases
    is_status: bool = False
    name: str = "stored"

    @property
    def key(self) -> tuple[str, str]:
        """Of the stored object."""
        return self.names.kind, self.name

    def object(self, changes: Changes) -> dict[str, Any]:
        return changed(self.base, changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One object and the verdict on it. `says` is what a refusal must say."""

    sheet: Sheet
    object: dict[str, Any]
    says: str = ""
    on_update: bool = False
    case: Case | None = None

    @property
    def accepted(self) -> bool:
        return not self.says


SHEETS: Final = (
    Sheet(names=POLICY, base=policy_table.BASE, cases=policy_table.CASES),
    Sheet(
        names=POLICY,
        base=policy_table.OF_VARIANTS,
        cases=policy_table.CASES_OF_VARIANTS,
        name="stored-variants",
    ),
    Sheet(names=POLICY, base=status_table.POLICY, cases=status_table.POLICY_CASES, is_status=True),
    Sheet(names=CAPACITY_POOL, base=pool_table.BASE, cases=pool_table.CASES),
    Sheet(
        names=CAPACITY_POOL,
        base=status_table.POOL,
        cases=status_table.POOL_CASES,
        is_status=True,
    ),
    Sheet(names=CHECKPOINT, base=pool_table.CHECKPOINT_BASE, cases=pool_table.CHECKPOINT_CASES),
)
CRDS: Final = {crd["spec"]["names"]["kind"]: crd for crd in all_crds()}


def rows() -> Iterator[tuple[str, Row]]:
    """Every row with its sentence."""
    for sheet in SHEETS:
        for sentence, case in sheet.cases.items():
            name = f"{sheet.names.kind}: {sentence}"
            for number, changes in enumerate(case.accepted, start=1):
                yield (
                    f"{name} (accepted {number})",
                    Row(
                        sheet=sheet,
                        object=sheet.object(changes),
                        on_update=case.on_update,
                        case=case,
                    ),
                )
            yield f"{name} (rejected)", rejected_row(sheet, case)


def rejected_row(sheet: Sheet, case: Case) -> Row:
    return Row(
        sheet=sheet,
        object=sheet.object(case.rejected),
        says=case.says,
        on_update=case.on_update,
        case=case,
    )
