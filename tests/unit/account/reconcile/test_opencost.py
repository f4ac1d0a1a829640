"""The same hour by OpenCost's rules: the same node totals, and a difference that is explained to the last part."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from inference_cost.account.ledger.build import CENT, ledger
from inference_cost.account.ledger.history import Gap, History, NodeLife, Owner, Stay, Use
from inference_cost.account.ledger.pieces import During
from inference_cost.account.reconcile.opencost import (
    BasePrices,
    Compared,
    Comparison,
    Usage,
    Whose,
    compare,
)
from tests.property.account.test_ledger_adds_up import histories
from tests.unit.account.ledger.histories import HOUR, WINDOW, life, stay
from tests.unit.account.worlds import NOON, key

GIB = 2**30
# A node of 10 an hour whose GPU, CPU and memory are worth 6, 3 and 1.
PRICES = BasePrices(gpu=Decimal(3), core=Decimal("0.375"), gibibyte=Decimal("0.03125"))
MACHINE: dict[str, Any] = {
    "allocatable_gpus": 2,
    "allocatable_cpu_millicores": 8000,
    "allocatable_memory_bytes": 32 * GIB,
}
RESNET, IDLE = Whose(policy=key()), Whose()
SYSTEM = Owner(use=Use.OVERHEAD)


def compared(
    on: NodeLife, *stays: Stay, gaps: tuple[Gap, ...] = (), usage: dict[str, Usage] | None = None
) -> Comparison:
    history = History(nodes=(on,), stays=stays, gaps=gaps)
    return compare(ledger(history, WINDOW), history, prices=PRICES, usage=usage)


def row(found: Comparison, whose: Whose) -> Compared:
    (one,) = [r for r in found.rows if r.whose == whose]
    return one


def machine(**changes: Any) -> NodeLife:
    return life("n1", "10", **MACHINE, **changes)


def half(**changes: Any) -> Stay:
    """Half of the GPUs, a quarter of the CPU, an eighth of the memory."""
    asked: dict[str, Any] = {"gpus": 1, "cpu_millicores": 2000, "memory_bytes": 4 * GIB}
    return stay(**(asked | changes))


CASES: dict[str, tuple[Comparison, Whose, str, tuple[str, str, str], str]] = {
    "half of the GPUs is half of the node to us, and to OpenCost half of its GPU part": (
        compared(machine(), half()), RESNET, "5", ("3", "0.75", "0.125"), "1.125",
    ),
    "what is not requested is idle there, resource by resource": (
        compared(machine(), half()), IDLE, "5", ("3", "2.25", "0.875"), "-1.125",
    ),
    "who uses more CPU than it requests pays for it there": (
        compared(machine(), half(), usage={"uid-p1": Usage(cpu_millicores=6000)}),
        RESNET, "5", ("3", "2.25", "0.125"), "-0.375",
    ),
    "who uses less pays what it requests": (
        compared(machine(), half(), usage={"uid-p1": Usage(cpu_millicores=1)}),
        RESNET, "5", ("3", "0.75", "0.125"), "1.125",
    ),
    "system pods are workloads there, and overhead here": (
        compared(machine(), stay("ds", gpus=0, cpu_millicores=800, owner=SYSTEM)),
        Whose(use=Use.OVERHEAD), "1", ("0", "0.3", "0"), "0.7",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", CASES)
def test_an_hour(sentence: str) -> None:
    found, whose, ours, (gpu, cpu, memory), difference = CASES[sentence]
    one = row(found, whose)
    assert one.ours == Decimal(ours)
    parts = one.theirs.gpu, one.theirs.cpu, one.theirs.memory
    assert parts == (Decimal(gpu), Decimal(cpu), Decimal(memory))
    assert one.difference == one.explained[During.USE] == Decimal(difference)


def test_a_pod_on_a_node_that_boots_pays_there_and_not_here() -> None:
    one = row(compared(machine(ready=0.5), half()), RESNET)
    assert one.ours == Decimal("2.5")
    assert one.explained[During.BOOT] == -Decimal("3.875") / 2
    assert one.explained[During.USE] == Decimal("1.125") / 2
    nobody = row(compared(machine(ready=0.5), half()), IDLE)
    assert nobody.explained[During.BOOT] == Decimal("3.875") / 2


def test_a_gap_of_ours_is_none_of_theirs() -> None:
    gap = Gap(begin=NOON, end=NOON + HOUR / 2, why="away")
    one = row(compared(machine(), half(), gaps=(gap,)), RESNET)
    assert (one.ours, one.explained[During.UNRECORDED]) == (Decimal("2.5"), -Decimal("3.875") / 2)


def test_an_unknown_price_is_named() -> None:
    found = compared(life("n1", None, **MACHINE), half())
    assert found.unpriced == ("pool a100 has no price",)
    assert found.nodes["n1"] == (0, 0)


@given(history=histories())
def test_node_totals_are_the_same_and_the_differences_add_up_to_nothing(history: History) -> None:
    found = compare(ledger(history, WINDOW), history)
    for ours, theirs in found.nodes.values():
        assert abs(ours - theirs) < CENT / 1_000_000
    differences = sum((one.difference for one in found.rows), Decimal(0))
    assert abs(differences) < CENT / 1_000_000
    for one in found.rows:
        assert abs(sum(one.explained.values()) - one.difference) < CENT / 1_000_000
    assert all(part >= -CENT for one in found.rows for part in (one.theirs.total, one.ours))
