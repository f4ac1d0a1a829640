"""Losses that one policy saw count for all that have a variant in the same pool."""

from dataclasses import replace

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.mix.hazard import of_others, per_hour, seen_in, with_hazards
from inference_cost.decide.mix.losses import NOTHING_KNOWN
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import Snapshot
from inference_cost.model.placement import LossRecord
from inference_cost.model.plan import Plan
from tests.unit.decide.mix.two_variants import FULL_SAFE, QUIET, SPOT_POOL, orders, remembering, two
from tests.unit.decide.worlds import key

OFTEN = replace(NOTHING_KNOWN, losses=60.0, hours=64.0)
NEW, OLD = key("new"), key("old")


def seen(*, pool: str = "spot") -> Snapshot:
    """Both are on demand; `pool`: of the old one's spot variant."""
    shot = FULL_SAFE.seen()
    (one,) = shot.observations
    spot, safe = two().variants
    old = two((replace(spot, pool=pool), safe), key=OLD)
    both = (replace(one, policy=two(key=NEW)), replace(one, policy=old))
    other = replace(SPOT_POOL, name="other")
    return replace(shot, observations=both, pools={**shot.pools, "other": other})


def planned(shot: Snapshot, known: LossRecord) -> Plan:
    memory = Memory(
        policies={
            NEW: remembering(0, 4, record=NOTHING_KNOWN),
            OLD: remembering(0, 4, record=known),
        }
    )
    return decide(shot, memory).plans[NEW]


# Sentence: (what the other policy knows, its pool) → orders of spot and safe.
NEWCOMERS: dict[str, tuple[LossRecord, str, tuple[int, int]]] = {
    "one that is new on a pool begins with what the others lost there": (OFTEN, "spot", (0, 4)),
    "and with what they did not lose": (QUIET, "spot", (4, 4)),
    "what is lost in another pool says nothing": (OFTEN, "other", (2, 4)),
}


@pytest.mark.parametrize("sentence", NEWCOMERS)
def test_newcomers(sentence: str) -> None:
    known, pool, expected = NEWCOMERS[sentence]
    assert orders(planned(seen(pool=pool), known)) == expected


def test_losses_per_hour_are_those_of_the_pool() -> None:
    plan = planned(seen(), OFTEN)
    assert plan.variants[0].losses_per_hour == pytest.approx(60.0 / 64.0, rel=0.01)


def test_a_policy_alone_knows_what_it_saw_itself_once() -> None:
    shot = replace(seen(), observations=seen().observations[1:])
    memory = Memory(policies={OLD: remembering(0, 4, record=OFTEN)})
    pool = with_hazards(shot, memory).pools["spot"]
    others = of_others(pool, remembering(0, 4, record=OFTEN).placing.domains[0])
    assert per_hour(OFTEN, others) == OFTEN.per_hour


def test_what_many_saw_alike_is_the_rate_of_one() -> None:
    many = seen_in([OFTEN] * 50)
    assert per_hour(NOTHING_KNOWN, many) == pytest.approx(59.0 / 60.0, rel=0.01)


def test_what_cannot_be_lost_teaches_nothing() -> None:
    memory: PolicyMemory = remembering(0, 4, record=OFTEN)
    spot, safe = memory.placing.domains
    domains = (replace(spot, can_be_lost=False), safe)
    known = replace(memory, placing=replace(memory.placing, domains=domains))
    assert with_hazards(seen(), Memory(policies={OLD: known})).pools["spot"].seen.losses == 0.0
