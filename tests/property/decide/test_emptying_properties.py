"""Which nodes to leave empty, against the table that tries each node in each room."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.emptying import NOTHING, Worth, worth_most

prices = st.sampled_from([Decimal(0), Decimal("0.80"), Decimal("1.20"), Decimal("3.55")])
nodes = st.lists(st.tuples(st.integers(1, 6), prices), max_size=24)


def best(given: list[tuple[int, Decimal]], room: int) -> Worth:
    """By dynamic programming, node by node."""
    most = [NOTHING] * (room + 1)
    for pods, price in given:
        for free in range(room, pods - 1, -1):
            before = most[free - pods]
            most[free] = max(most[free], (before[0] + price, before[1] + 1))
    return most[room]


@given(nodes, st.integers(0, 60))
def test_no_other_nodes_are_worth_more(given: list[tuple[int, Decimal]], room: int) -> None:
    found = worth_most([pods for pods, _ in given], [price for _, price in given], room)
    assert len(set(found)) == len(found)
    assert sum(given[i][0] for i in found) <= room
    worth = (sum((given[i][1] for i in found), Decimal(0)), len(found))
    assert worth == best(given, room)


@given(st.lists(prices, max_size=30), st.integers(0, 40))
def test_of_nodes_with_one_pod_each_the_dearest_go(given: list[Decimal], room: int) -> None:
    found = worth_most([1] * len(given), given, room)
    dearest = sorted(range(len(given)), key=lambda i: -given[i])[:room]
    assert found == sorted(dearest)
