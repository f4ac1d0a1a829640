"""What placeholders are made from changes when it must, and not with what is not seen for a moment.

Each change replaces all of them: for as long as that takes their nodes are nobody's.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.act.placeholders import PlaceholderSettings, pod_template, template_digest
from inference_cost.decide.engine import decide
from inference_cost.decide.warm.needs import HELD_SECONDS
from inference_cost.model.memory import Decisions, Memory
from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import Snapshot
from inference_cost.model.warm import Toleration, WarmSpec
from inference_cost.model.workload import Node, Workload
from tests.unit.decide.warm.warm_worlds import NODE, SAFE, World, asked

SETTINGS = PlaceholderSettings(namespace="own", priority_class="warm", image="pause:3.10")
TEAM = Toleration(key="team", value="ml", effect="NoSchedule")
ROOMY = replace(NODE, allocatable_gpus=8)
WORLD = World(
    spec=WarmSpec(least=2, most=5, pre_pull=True),
    asked=asked(2),
    nodes=(ROOMY,),
    declared=replace(SAFE, examples=(ROOMY,)),
    running={"images": ("triton:1",)},
)
Change = Callable[[Snapshot], Snapshot]


def seen(**of_pods: Any) -> Snapshot:
    """Pods of both policies with some CPU, on a node with a taint of its pool."""
    shot = WORLD.seen()
    tainted = {name: replace(one, tolerations=(TEAM,)) for name, one in shot.warm.items()}
    shot = replace(shot, warm=tainted)
    return pods(**({"cpu_millicores": 4000, "memory_bytes": 2**33} | of_pods))(shot)


def workloads(change: Callable[[Workload], Workload]) -> Change:
    def changed(shot: Snapshot) -> Snapshot:
        observations = tuple(
            replace(
                one, workloads=tuple(change(w) for w in one.workloads if isinstance(w, Workload))
            )
            for one in shot.observations
        )
        return replace(shot, observations=observations)

    return changed


def pods(**fields: Any) -> Change:
    return workloads(lambda w: replace(w, pods=tuple(replace(pod, **fields) for pod in w.pods)))


def no_pods(shot: Snapshot) -> Snapshot:
    return workloads(lambda w: replace(w, pods=(), desired_replicas=0))(shot)


def no_policies(shot: Snapshot) -> Snapshot:
    return replace(shot, observations=())


def no_nodes(shot: Snapshot) -> Snapshot:
    empty = {name: replace(one, tolerations=()) for name, one in shot.warm.items()}
    return replace(no_pods(shot), nodes={}, warm=empty)


def other_nodes(change: Callable[[Node], Node]) -> Change:
    return lambda shot: replace(shot, nodes={n: change(one) for n, one in shot.nodes.items()})


def dearer(node: Node) -> Node:
    assert isinstance(node.price, HourlyPrice)
    return replace(node, price=replace(node.price, per_hour=Decimal("9.99")))


@dataclass(slots=True)
class Operator:
    """One operator that looks again and again, and what it would write."""

    memory: Memory
    at: float

    def look(self, shot: Snapshot, seconds: float = 15.0) -> str:
        self.at += seconds
        found: Decisions = decide(replace(shot, at=self.at), self.memory)
        self.memory = found.memory
        plan = found.warm["safe"]
        assert plan.shape is not None
        return template_digest(pod_template(shot.warm["safe"], plan, plan.shape, SETTINGS))


def started(shot: Snapshot) -> tuple[Operator, str]:
    known = Memory(policies=WORLD.decided().memory.policies)
    operator = Operator(memory=known, at=shot.at)
    return operator, operator.look(shot)


SAME: dict[str, Change] = {
    "nothing changed": lambda shot: shot,
    "no replica runs, and the next will be as large": no_pods,
    "no policy can be followed for a moment": no_policies,
    "the last node went, and its taints with it": no_nodes,
    "the price of a node changed": other_nodes(dearer),
    "a larger node came": lambda shot: replace(
        shot, nodes={**shot.nodes, "big": replace(ROOMY, name="big", allocatable_gpus=16)}
    ),
    "one replica went": workloads(lambda w: replace(w, pods=w.pods[:1])),
}


@pytest.mark.parametrize("sentence", SAME)
def test_placeholders_stay_as_they_are_where(sentence: str) -> None:
    operator, before = started(seen())
    assert operator.look(SAME[sentence](seen())) == before
    assert operator.look(seen()) == before


# Sentence: (what the next leader sees, after how long, whether what it found stays).
NEXT_LEADER: dict[str, tuple[Change, float, bool]] = {
    "everything is there": (lambda shot: shot, 0.0, False),
    "the last node went, and its taints with it": (no_nodes, 0.0, True),
    "and also when that takes long: without tolerations none would come": (no_nodes, 9_000.0, True),
    "no replica runs": (no_pods, 0.0, True),
    "and none has for half an hour": (no_pods, HELD_SECONDS, False),
    "no policy can be followed for a moment": (no_policies, 0.0, True),
    "there is nothing yet that another leader made": (
        lambda shot: replace(
            no_pods(shot), warm={n: replace(one, asked=None) for n, one in shot.warm.items()}
        ),
        0.0,
        False,
    ),
}


@pytest.mark.parametrize("sentence", NEXT_LEADER)
def test_another_leader_leaves_placeholders_as_they_are_until_it_has_seen_why(
    sentence: str,
) -> None:
    change, seconds, stays = NEXT_LEADER[sentence]
    policies = WORLD.decided().memory.policies
    shot = change(seen())
    first = decide(shot, Memory(policies=policies))
    found = decide(replace(shot, at=shot.at + seconds), first.memory)
    assert found.warm["safe"].template_stays is stays


def test_what_was_seen_once_is_known_when_it_goes() -> None:
    operator, before = started(seen())
    assert operator.look(no_nodes(seen())) == before
    assert operator.memory.warm["safe"].inherited_at is None


OTHER: dict[str, Change] = {
    "a replica needs more": pods(cpu_millicores=6000),
    "all need less": pods(cpu_millicores=1000),
    "nodes have fewer GPUs": other_nodes(lambda one: replace(one, allocatable_gpus=4)),
    "there is another image": workloads(lambda w: replace(w, images=("triton:2",))),
}


@pytest.mark.parametrize("sentence", OTHER)
def test_placeholders_are_made_anew_at_once_where(sentence: str) -> None:
    operator, before = started(seen())
    after = operator.look(OTHER[sentence](seen()))
    assert after != before
    assert operator.look(OTHER[sentence](seen())) == after


def test_a_policy_that_is_gone_needs_nothing_after_a_while() -> None:
    operator, before = started(seen())
    assert operator.look(no_policies(seen()), HELD_SECONDS - 20.0) == before
    assert operator.look(no_policies(seen()), 40.0) != before
