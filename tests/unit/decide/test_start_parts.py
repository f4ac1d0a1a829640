"""What a start consists of: a node that is bought, images, the server."""

from dataclasses import replace

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.start_parts import PartSeen, part, parts_of
from inference_cost.model.memory import StartParts
from inference_cost.model.workload import Node, Pod
from tests.unit.decide.worlds import (
    NOON,
    learned,
    memory_of,
    observation,
    pod,
    policy,
    priced_node,
    snapshot,
    workload,
)

CREATED = NOON - 300.0
STARTED = pod(
    "p",
    age=300.0,
    ready_at=NOON - 20.0,
    scheduled_at=CREATED + 120.0,
    started_at=CREATED + 200.0,
)
BOUGHT = replace(priced_node(), created_at=CREATED + 60.0)
THERE = replace(BOUGHT, created_at=CREATED - 3600.0)

PARTS: dict[str, tuple[Pod, Node | None, StartParts]] = {
    "on a node that was bought for it": (STARTED, BOUGHT, ("g6", 120.0, 80.0, 80.0)),
    "on one that was there it waited for none": (STARTED, THERE, ("g6", None, 80.0, 80.0)),
    "its node is not known": (STARTED, None, ("", None, 80.0, 80.0)),
    "its server was started anew": (
        replace(STARTED, started_at=NOON),
        BOUGHT,
        ("g6", 120.0, 180.0, None),
    ),
    "clocks that differ a little make no time negative": (
        replace(STARTED, started_at=CREATED + 118.0),
        BOUGHT,
        ("g6", 120.0, 0.0, 162.0),
    ),
    "nothing is told": (
        replace(STARTED, scheduled_at=None, started_at=None),
        BOUGHT,
        ("g6", None, None, None),
    ),
}


@pytest.mark.parametrize("sentence", PARTS)
def test_parts(sentence: str) -> None:
    of, node, expected = PARTS[sentence]
    assert parts_of(of, node) == expected


def test_median_and_95th_percentile_of_those_that_had_the_part() -> None:
    seen: list[StartParts] = [("g6", float(n), 5.0, None) for n in range(1, 101)]
    seen += [("g6", None, 5.0, 60.0)] * 2
    assert part(seen, "node") == PartSeen(starts=100, p50_seconds=51.0, p95_seconds=96.0)
    assert part(seen, "image") == PartSeen(starts=102, p50_seconds=5.0, p95_seconds=5.0)
    assert part(seen, "pod") is None


def test_they_are_learned_of_each_start_once() -> None:
    starting = replace(STARTED, ready_at=None)
    others = (pod("p0"), pod("p1"))
    before = observation(150.0, 2, running=workload(3, (*others, starting)))
    memory = decide(snapshot(before), memory_of(learned(needs=1))).memory
    ready = replace(before, workloads=(workload(3, (*others, replace(STARTED, ready_at=NOON))),))
    for at in (NOON + 15.0, NOON + 30.0):
        shot = replace(snapshot(ready, nodes={"node-1": BOUGHT}), at=at)
        memory = decide(shot, memory).memory
    assert memory.policies[policy().key].start_parts == (("g6", 120.0, 80.0, 100.0),)
