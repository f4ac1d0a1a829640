"""Nodes worth most together that so many removals leave empty: a knapsack, exact.

Nodes hold few different numbers of pods. Of those with as many the dearest go first, so what n of them are worth is
concave in n, and each number of pods is added to the best of the ones before by a (max, +) convolution with a concave
sequence: the best n grows with the room (Aggarwal et al., 1987, "Geometric applications of a matrix-searching
algorithm"), which makes it n log n for each number of pods.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Final

Worth = tuple[Decimal, int]  # price per hour of nodes that are left empty, and how many
NOTHING: Final[Worth] = (Decimal(0), 0)


def worth_most(pods: Sequence[int], prices: Sequence[Decimal], room: int) -> list[int]:
    """Numbers of the nodes: `pods` on each, no more than `room` together, of the highest price; of equal ones the most.

    A node has a pod at least.
    """
    alike = _by_pods(pods, prices)
    best: list[Worth] = [NOTHING] * (room + 1)
    taken: dict[int, list[int]] = {}
    for size, members in alike.items():
        worth = list(accumulate(((prices[i], 1) for i in members), _plus, initial=NOTHING))
        best, taken[size] = _with(best, size, worth)
    chosen: list[int] = []
    for size in reversed(alike):
        count = taken[size][room]
        chosen += alike[size][:count]
        room -= count * size
    return sorted(chosen)


def _by_pods(pods: Sequence[int], prices: Sequence[Decimal]) -> dict[int, list[int]]:
    """The dearest first, of equal ones the first."""
    found: dict[int, list[int]] = {}
    for i in sorted(range(len(pods)), key=lambda i: (pods[i], -prices[i], i)):
        found.setdefault(pods[i], []).append(i)
    return found


def _plus(one: Worth, other: Worth) -> Worth:
    return one[0] + other[0], one[1] + other[1]


def _with(
    best: Sequence[Worth], size: int, worth: Sequence[Worth]
) -> tuple[list[Worth], list[int]]:
    """By room: what it is worth with nodes of `size` pods too, and how many of these are taken."""
    found, taken = list(best), [0] * len(best)
    for first in range(min(size, len(best))):  # rooms that differ by whole nodes
        rooms = range(first, len(best), size)
        counts = _counts([best[room] for room in rooms], worth)
        for at, (room, count) in enumerate(zip(rooms, counts, strict=True)):
            taken[room] = count
            found[room] = _plus(best[rooms[at - count]], worth[count])
    return found, taken


def _counts(best: Sequence[Worth], worth: Sequence[Worth]) -> list[int]:
    """By room in whole nodes: how many to take. What is left for others never falls as the room grows."""
    counts = [0] * len(best)
    spans = [
        (0, len(best), 0, len(best) - 1)
    ]  # rooms from, to; least and most that is left for others
    while spans:
        begin, end, least, most = spans.pop()
        if begin == end:
            continue
        room = (begin + end) // 2
        left = range(max(least, room - len(worth) + 1), min(most, room) + 1)
        others = max(left, key=lambda kept: _plus(best[kept], worth[room - kept]))
        counts[room] = room - others
        spans += [(begin, room, least, others), (room + 1, end, others, most)]
    return counts
