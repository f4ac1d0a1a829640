"""Which resource of a bill is which node, by cloud, and what cannot be told."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.account.ledger.lines import Total
from inference_cost.account.reconcile.focus import bill, parse
from inference_cost.account.reconcile.resources import Matches, last_of, match
from tests.unit.account.ledger.histories import WINDOW
from tests.unit.account.reconcile.test_focus import HEAD, HOUR, INSTANCE

AWS = "aws:///us-east-1a/i-0abc"
EC2 = "i-0abc1234def567890"
GOOGLE_NODE = "gce://proj/us-central1-a/gke-node-1"
GOOGLE = "//compute.googleapis.com/projects/proj/zones/us-central1-a"


def azure(scale_set: str, number: int = 0) -> str:
    return (
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.Compute/virtualMachineScaleSets/"
        f"{scale_set}/virtualMachines/{number}"
    )


def node_of(scale_set: str) -> str:
    return f"azure://{azure(scale_set)}"


LAST = {
    AWS: "i-0abc",
    INSTANCE: "i-0abc",
    "i-0abc": "i-0abc",
    GOOGLE_NODE: "gke-node-1",
    f"{GOOGLE}/instances/gke-node-1": "gke-node-1",
    "azure:///subscriptions/S/resourceGroups/R/providers/x/virtualMachines/VM_1": "vm_1",
}


@pytest.mark.parametrize("identifier", LAST)
def test_the_last_part_of_an_identifier(identifier: str) -> None:
    assert last_of(identifier) == LAST[identifier]


def test_instances_of_the_same_number_in_two_scale_sets_have_each_their_bill() -> None:
    nodes = {
        "gpu": (node_of("aks-gpu"), Total(amount=Decimal(10))),
        "spot": (node_of("aks-spot"), Total(amount=Decimal(1))),
    }
    rows = [
        f"{azure(name)},Usage,{HOUR},USD,{cost},9"
        for name, cost in (("aks-gpu", 8), ("AKS-spot", 1))
    ]
    found = bill(parse([HEAD, *rows]), nodes, WINDOW, "USD")
    assert [(one.node, one.billed, one.error) for one in found.nodes] == [
        ("gpu", 8, Decimal("0.25")),
        ("spot", 1, 0),
    ]
    assert found.others == 0


NOTHING = Matches(node_of={}, ambiguous=frozenset(), unclear=frozenset())


def is_(**node_of: str) -> Matches:
    """Node → resource."""
    return Matches(
        node_of={resource: node for node, resource in node_of.items()},
        ambiguous=frozenset(),
        unclear=frozenset(),
    )


MATCHED: dict[str, tuple[dict[str, str], set[str], Matches]] = {
    "an instance by its id": ({"a": AWS}, {INSTANCE}, is_(a=INSTANCE)),
    "an instance of EC2 under two names": (
        {"a": f"aws:///us-east-1a/{EC2}"}, {EC2, f"arn:aws:ec2:us-east-1:1:instance/{EC2}"},
        Matches(
            node_of={EC2: "a", f"arn:aws:ec2:us-east-1:1:instance/{EC2}": "a"},
            ambiguous=frozenset(), unclear=frozenset(),
        ),
    ),
    "another one": ({"a": AWS}, {"i-0def"}, NOTHING),
    "an instance, not the disk of the same name": (
        {"a": GOOGLE_NODE}, {f"{GOOGLE}/instances/gke-node-1", f"{GOOGLE}/disks/gke-node-1"},
        is_(a=f"{GOOGLE}/instances/gke-node-1"),
    ),
    "a project by its number": (
        {"a": GOOGLE_NODE}, {"projects/12/zones/us-central1-a/instances/gke-node-1"},
        is_(a="projects/12/zones/us-central1-a/instances/gke-node-1"),
    ),
    "a scale set's instance with a slash at the end": (
        {"a": node_of("x")}, {azure("x") + "/"}, is_(a=azure("x") + "/"),
    ),
    "the same number in a scale set that is none of the nodes": ({"a": node_of("x")}, {azure("y")}, NOTHING),
    "a number alone, of one node": ({"a": node_of("x")}, {"0"}, is_(a="0")),
    "a number alone, of two nodes": (
        {"a": node_of("x"), "b": node_of("y")}, {"0"},
        Matches(node_of={}, ambiguous=frozenset("ab"), unclear=frozenset("0")),
    ),
    "two resources that end in the same": (
        {"a": "vm-1"}, {"p/vm-1", "q/vm-1"},
        Matches(node_of={}, ambiguous=frozenset("a"), unclear=frozenset({"p/vm-1", "q/vm-1"})),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", MATCHED)
def test_matched(sentence: str) -> None:
    nodes, resources, expected = MATCHED[sentence]
    assert match(nodes, resources) == expected


def test_what_is_ambiguous_is_in_no_sum_and_none_of_the_others() -> None:
    nodes = {name: (node_of(name), Total(amount=Decimal(4))) for name in ("x", "y")}
    rows = [f"0,Usage,{HOUR},USD,4,4", f"vol-1,Usage,{HOUR},USD,9,9"]
    found = bill(parse([HEAD, *rows]), nodes, WINDOW, "USD")
    assert [(one.billed, one.ambiguous) for one in found.nodes] == [(None, True), (None, True)]
    assert (found.compared, found.others) == ((0, 0), 1)


numbered = st.tuples(st.sampled_from("xyz"), st.integers(0, 2))


@given(st.sets(numbered), st.sets(numbered))
def test_no_scale_sets_instance_is_ever_taken_for_another(
    ours: set[tuple[str, int]], billed: set[tuple[str, int]]
) -> None:
    nodes = {f"{name}-{number}": f"azure://{azure(name, number)}" for name, number in ours}
    found = match(nodes, {azure(name, number) for name, number in billed})
    assert found.node_of == {
        azure(name, number): f"{name}-{number}" for name, number in ours & billed
    }
    assert found.ambiguous == frozenset()
