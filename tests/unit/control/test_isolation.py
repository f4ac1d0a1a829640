"""One policy whose decision fails must not stop the others."""

from dataclasses import replace

from inference_cost.control.isolation import IsolatedDecisions
from inference_cost.decide.engine import decide
from inference_cost.model.memory import Decisions, Memory, PolicyMemory
from inference_cost.model.observation import PolicyRefusal, Snapshot
from inference_cost.model.policy import PolicyKey
from tests.unit.act.worlds import NOW, observation

GOOD = PolicyKey(namespace="a", name="good", uid="1")
BAD = PolicyKey(namespace="a", name="bad", uid="2")


class Poison:
    """`decide`, which raises what no rule of its own catches as soon as the bad policy is among the policies."""

    def __init__(self) -> None:
        self.seen: list[set[str]] = []
        self.harmless = False

    def __call__(self, snapshot: Snapshot, memory: Memory) -> Decisions:
        names = {seen.policy.key.name for seen in snapshot.observations}
        self.seen.append(names)
        if "bad" in names and not self.harmless:
            raise RuntimeError("poison")
        return decide(snapshot, memory)


def both(at: float = NOW) -> Snapshot:
    return Snapshot(at=at, observations=(observation(key=GOOD), observation(key=BAD)))


def test_the_others_get_their_plan() -> None:
    outcome = IsolatedDecisions(Poison())(both(), Memory())
    assert set(outcome.decisions.plans) == {GOOD}
    assert set(outcome.failed) == {BAD}


def test_it_is_left_out_for_a_while_and_for_longer_each_time() -> None:
    poison = Poison()
    isolated = IsolatedDecisions(poison)
    tried = []
    for second in range(0, 400, 10):
        poison.seen.clear()
        isolated(both(NOW + second), Memory())
        if any("bad" in names for names in poison.seen):
            tried.append(second)
    assert tried == [0, 30, 90, 210]


def test_it_comes_back_when_it_no_longer_fails() -> None:
    poison = Poison()
    isolated = IsolatedDecisions(poison)
    isolated(both(), Memory())
    poison.harmless = True
    outcome = isolated(both(NOW + 31), Memory())
    assert set(outcome.decisions.plans) == {GOOD, BAD}
    assert not outcome.failed


def test_its_memory_is_kept_and_that_of_a_deleted_policy_is_not() -> None:
    gone = PolicyKey(namespace="a", name="gone", uid="3")
    refused = PolicyKey(namespace="a", name="refused", uid="4")
    memory = Memory(
        policies={
            BAD: PolicyMemory(last_desired=7),
            gone: PolicyMemory(last_desired=8),
            refused: PolicyMemory(last_desired=9),
        }
    )
    refusal = PolicyRefusal(key=refused, generation=1, field="spec", message="no")
    outcome = IsolatedDecisions(Poison())(replace(both(), refusals=(refusal,)), memory)
    kept = outcome.decisions.memory.policies
    assert (kept[BAD].last_desired, kept[refused].last_desired) == (7, 9)
    assert gone not in kept
