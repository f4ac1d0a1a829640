"""What follows from looks at a fleet and at Karpenter's NodeClaims: what the assertions of the watch go by."""

from collections.abc import Sequence

import pytest

from e2e.karpenter.watch import Look, course, replica_changes, summary, turns


def looks(*seen: tuple[int, str]) -> list[Look]:
    """One each second: replicas on spot, and the NodeClaims by one letter each."""
    return [
        Look(
            at=100.0 + second,
            ordered={"spot": replicas, "on-demand": 0},
            ready={"spot": replicas},
            claims=dict.fromkeys(claims, "spot"),
        )
        for second, (replicas, claims) in enumerate(seen)
    ]


CHANGES: dict[str, tuple[list[Look], list[int], int]] = {
    "nothing happens": (looks((2, "ab"), (2, "ab")), [], 0),
    "up and down once": (looks((2, ""), (4, ""), (4, ""), (3, "")), [2, -1], 1),
    "up in two steps is no turn": (looks((2, ""), (3, ""), (5, "")), [1, 2], 0),
    "to and fro": (looks((2, ""), (3, ""), (2, ""), (3, "")), [1, -1, 1], 2),
}


@pytest.mark.parametrize(("seen", "changes", "turned"), CHANGES.values(), ids=CHANGES)
def test_changes(seen: Sequence[Look], changes: list[int], turned: int) -> None:
    assert replica_changes(seen) == changes
    assert turns(changes) == turned


def test_a_move_between_workloads_is_no_change_of_the_number() -> None:
    before, after = looks((2, ""), (0, ""))
    moved = Look(at=after.at, ordered={"spot": 0, "on-demand": 2}, ready={}, claims={})
    assert replica_changes([before, moved]) == []


def test_node_claims_count_from_the_first_look_on() -> None:
    seen = looks((2, "ab"), (3, "abc"), (3, "abc"), (2, "ab"), (1, "b"))
    found = summary(seen, {"a": "Empty", "c": "Empty", "z": "Drifted"}, writes=3)
    assert (found.claims_created, found.claims_deleted) == (1, 2)
    assert (found.ups, found.downs, found.turns, found.replica_writes) == (1, 2, 1, 3)
    assert found.shortest_life_seconds == 2.0
    assert found.reasons == {"Empty": 2}
    assert found.seconds == 4.0


def test_the_course_has_a_row_per_change() -> None:
    heads, *rows = course(looks((2, "ab"), (2, "ab"), (3, "abc")))
    assert heads[:3] == ["seconds", "ordered-on-demand", "ordered-spot"]
    assert rows == [[0, 0, 2, 0, 2, 0, 2], [2, 0, 3, 0, 3, 0, 3]]
