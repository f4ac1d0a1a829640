"""A spot and an on-demand variant: what they ask of the on-demand pool at once, and when they rely on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import exp
from typing import Any

import pytest

from inference_cost.decide.case import case_of
from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.explain.warm_sentences import warm_words
from inference_cost.decide.mix.losses import NOTHING_KNOWN
from inference_cost.decide.warm.cover import with_cover
from inference_cost.model.memory import Decisions, Memory, PolicyMemory
from inference_cost.model.observation import Snapshot
from inference_cost.model.placement import AtOnce, LossRecord
from inference_cost.model.policy import Headroom, Mode, SpotRisk, Variant
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.warm import Holder, WarmMemory, WarmPool, WarmRecord, WarmSpec
from inference_cost.model.workload import CapacityType, NoWorkload, Pod, Pool, TargetProblem
from tests.unit.decide.mix.two_variants import (
    AWAY,
    ON_DEMAND,
    QUIET,
    SPOT,
    SPOT_POOL,
    World,
    ready,
    remembering,
    target,
    two,
    variants,
)
from tests.unit.decide.warm.warm_worlds import SPEC, STEADY, holder, record
from tests.unit.decide.worlds import NOON, key, pod

SAFE_POOL = Pool(name="g6", capacity_type=CapacityType.ON_DEMAND, examples=(ON_DEMAND,))
CHEAP = replace(SPOT, price=replace(SPOT.price, per_hour=ON_DEMAND.price.per_hour / 20))  # type: ignore[type-var,union-attr]
ON_SPOT, ON_SAFE = (ready("spot", 4), []), ([], ready("safe", 4))
OFTEN = replace(NOTHING_KNOWN, losses=2.0)  # once in two hours


def both(**spot: Any) -> tuple[Variant, ...]:
    of_spot, safe = variants(**spot)
    return of_spot, replace(safe, pool="g6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """As many policies as there are records, all alike, each with four replicas: on spot unless told otherwise."""

    records: Sequence[WarmRecord] = (record(), record())
    there: tuple[Sequence[Pod], Sequence[Pod]] = ON_SPOT  # of spot, and on demand
    of: tuple[Variant, ...] = both()
    policy: dict[str, Any] = field(default_factory=dict)
    losses: LossRecord = QUIET
    spec: WarmSpec | None = SPEC
    holders: tuple[Holder, ...] = ()
    declared: Pool = SAFE_POOL
    memory: WarmMemory | None = None
    unread: bool = False
    without_spot: bool = False
    gpus: int = 1  # of a node

    def seen(self) -> Snapshot:
        spot, safe = self.there
        fields: dict[str, Any] = {"headroom": Headroom()} | self.policy
        world = World(spot=(len(spot), spot), safe=(len(safe), safe), of=two(self.of, **fields))
        shot = world.seen()
        one = shot.observations[0]
        if self.unread:
            one = replace(one, signals=Missing(reason=MissingReason.STALE))
        if self.without_spot:
            gone = NoWorkload(target=target("spot"), problem=TargetProblem.NOT_FOUND, message="")
            one = replace(one, workloads=(gone, one.workloads[1]))
        many = [replace(one, policy=replace(one.policy, key=each)) for each in self.keys()]
        nodes = {
            **{f"spot-{zone}": replace(CHEAP, name=f"spot-{zone}", zone=zone) for zone in "abc"},
            **{one.node: replace(ON_DEMAND, name=one.node) for one in self.holders},
            **shot.nodes,
        }
        return replace(
            shot,
            observations=tuple(many),
            nodes={name: replace(n, allocatable_gpus=self.gpus) for name, n in nodes.items()},
            pools={"spot": replace(SPOT_POOL, examples=(CHEAP,)), "g6": self.declared},
            warm={} if self.spec is None else {"g6": self.pool()},
        )

    def pool(self) -> WarmPool:
        return WarmPool(name="g6", spec=self.spec, holders=self.holders)

    def keys(self) -> list[Any]:
        return [key(f"p{i}") for i in range(len(self.records))]

    def known(self) -> Memory:
        spot, safe = map(len, self.there)
        known = remembering(spot, safe, record=self.losses)
        starts = {"start_up_seconds": (180.0,) * 3, "start_up_pools": ("g6",) * 3}
        policies = {
            each: replace(known, warm=replace(one, starts=(20.0,) * 3), **starts)  # type: ignore[arg-type]
            for each, one in zip(self.keys(), self.records, strict=True)
        }
        return Memory(policies=policies, warm={} if self.memory is None else {"g6": self.memory})

    def decided(self, known: Memory | None = None) -> Decisions:
        return decide(self.seen(), known or self.known())

    def remembered(self) -> PolicyMemory:
        return self.decided().memory.policies[key("p0")]

    def asked(self) -> tuple[AtOnce, ...]:
        return tuple(one.at_once for one in self.remembered().placing.domains)


IN_ZONES = (
    [
        pod(f"spot-{i}", node=f"spot-{zone}", template_hash="spot-1")
        for i, zone in enumerate("abca")
    ],
    [],
)
SPREAD = Several(there=IN_ZONES)
# Sentence: (world, growth on spot and on demand, (zones, part of the replicas) lost that on demand is asked for).
ASKED: dict[str, tuple[Several, tuple[float, float], list[tuple[int, float]]]] = {
    "a load that grows goes to spot, what is lost there comes back on demand": (
        Several(), (1.0, 0.0), [(1, 1.0)],
    ),
    "while spot is kept away from all goes on demand": (
        Several(losses=AWAY), (0.0, 1.0), [(1, 1.0)],
    ),
    "where spot has no more room, more goes on demand": (
        Several(of=both(spot_most=4)), (0.0, 1.0), [(1, 1.0)],
    ),
    "where it has room for one, one of four goes there": (
        Several(of=both(spot_most=5)), (0.25, 0.75), [(1, 1.0)],
    ),
    "of three zones one is lost": (SPREAD, (1.0, 0.0), [(3, 0.5)]),
    "where nothing can be lost nothing is": (
        Several(there=ON_SAFE, losses=replace(NOTHING_KNOWN, losses=90.0)), (0.0, 1.0), [],
    ),
    "who keeps enough for the loss of a zone asks for nothing in its place": (
        replace(SPREAD, policy={"spot_risk": SpotRisk.SURVIVE_LARGEST_ZONE}, of=both(spot_most=40)),
        (1.0, 0.0), [],
    ),
    "where no pool keeps nodes ready nobody asks": (Several(spec=None), (0.0, 0.0), []),
}  # fmt: skip


@pytest.mark.parametrize("sentence", ASKED)
def test_what_is_asked_of_each_at_once(sentence: str) -> None:
    world, growth, lost = ASKED[sentence]
    spot, safe = world.asked()
    assert (spot.growth, safe.growth) == pytest.approx(growth)
    assert spot.losses == ()
    assert [(one.zones, one.part) for one in safe.losses] == lost
    assert all(one.domain == "spot" for one in safe.losses)


def test_a_loss_is_as_likely_as_the_mix_takes_it_to_be() -> None:
    """A start of 180 s, of which the notice takes 30, and 5 s until the operator reacts."""
    decisions = replace(SPREAD, losses=OFTEN).decided()
    (loss,) = decisions.memory.policies[key("p0")].placing.domains[1].at_once.losses
    per_hour = decisions.plans[key("p0")].variants[0].losses_per_hour
    assert loss.chance == pytest.approx(1 - exp(-per_hour * 155.0 / 3600))


def test_while_metrics_are_missing_it_stays_as_it_was() -> None:
    world = Several(losses=AWAY)
    before = world.decided().memory
    after = replace(world, unread=True).decided(before).memory.policies[key("p0")]
    assert after.placing.domains[1].at_once == before.policies[key("p0")].placing.domains[1].at_once
    assert after.placing.domains[1].at_once.growth == 1.0


STEADY_ONES = (record(STEADY),) * 4
SIZED: dict[str, tuple[Several, int, str]] = {
    "two that burst where spot is kept away from": (Several(losses=AWAY), 5, "warm-sized"),
    "two that burst onto spot want no node on demand": (Several(), 0, "warm-not-shared"),
    "a zone is lost to all: of small replicas several share the node for it": (
        replace(SPREAD, records=STEADY_ONES, losses=OFTEN, gpus=4), 2, "warm-sized",
    ),
    "one alone keeps its room itself": (
        replace(SPREAD, records=STEADY_ONES[:1], losses=replace(OFTEN, losses=6.0), gpus=4), 0, "warm-not-shared",
    ),
    "losses that are rare are worth none": (
        replace(SPREAD, records=STEADY_ONES, gpus=4), 0, "warm-not-shared",
    ),
    "in Recommend it is only told": (
        Several(losses=AWAY, policy={"mode": Mode.RECOMMEND}), 0, "warm-recommend",
    ),
    "never on spot": (
        Several(losses=AWAY, declared=replace(SAFE_POOL, capacity_type=CapacityType.SPOT)),
        0, "warm-spot",
    ),
    "one whose other workload is gone counts as one with one": (
        Several(there=ON_SAFE, without_spot=True), 5, "warm-sized",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SIZED)
def test_how_many_and_why(sentence: str) -> None:
    world, nodes, code = SIZED[sentence]
    decisions = world.decided()
    assert decisions.warm["g6"].wanted == nodes, warm_words(decisions.warm["g6"])
    assert code in [reason.code for reason in decisions.warm["g6"].reasons]


# Policies, a replica's part of a node: nodes kept, nodes for each by itself. As in docs/warm-capacity.md.
MEASURED = {
    (1, 4): (0, 1), (4, 4): (2, 4), (8, 4): (4, 8), (16, 4): (8, 16),
    (1, 1): (0, 2), (4, 1): (0, 8), (8, 1): (0, 16), (16, 1): (0, 32),
}  # fmt: skip


@pytest.mark.parametrize(("policies", "gpus"), MEASURED)
def test_a_zone_that_is_lost_once_an_hour(policies: int, gpus: int) -> None:
    """Policies on one pool are taken to have seen the losses of one, each its part."""
    seen = replace(NOTHING_KNOWN, losses=1 + 3 / policies)
    world = replace(
        SPREAD, records=STEADY_ONES[:1] * policies, losses=seen, gpus=gpus,
        spec=WarmSpec(least=0, most=50),
    )  # fmt: skip
    plan = world.decided().warm["g6"]
    told = dict(plan.reasons[0].values)
    assert (plan.wanted, told["separate"]) == MEASURED[policies, gpus]


ALL_FREE = (holder(0), holder(1))
RELIED = WarmMemory(wanted=2, cold_seconds=180.0, full_at=NOON - 15.0, relied=True)
# Sentence: (world, seconds that an order takes).
STARTS: dict[str, tuple[Several, float]] = {
    "more would go on demand, where nodes wait": (Several(losses=AWAY), 20.0),
    "more would go to spot": (Several(), 180.0),
    "some would go to spot": (Several(of=both(spot_most=5)), 180.0),
    "no node waits": (Several(losses=AWAY, holders=()), 180.0),
    "all run on demand": (
        Several(there=ON_SAFE, losses=replace(NOTHING_KNOWN, losses=90.0)), 20.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", STARTS)
def test_a_start_takes_as_long_as_where_more_would_go(sentence: str) -> None:
    world, seconds = STARTS[sentence]
    kept = replace(world, holders=ALL_FREE) if "no node" not in sentence else world
    known = kept.decided().memory.policies[key("p0")]
    shot = with_cover(kept.seen(), {"g6": RELIED})
    case = case_of(shot.observations[0], known, shot)
    assert case.hot_start_seconds == seconds
    assert case.start_up_seconds == 180.0


def test_before_the_first_look_it_is_not_known_where_more_would_go() -> None:
    world = Several(losses=AWAY, holders=ALL_FREE)
    shot = with_cover(world.seen(), {"g6": RELIED})
    known = world.known().policies[key("p0")]
    assert case_of(shot.observations[0], known, shot).hot_start_seconds == 180.0


def test_that_it_relies_on_them_is_said() -> None:
    world = Several(losses=AWAY, holders=ALL_FREE, memory=RELIED)
    known = replace(world.decided().memory, warm={"g6": RELIED})
    plan = world.decided(known).plans[key("p0")]
    said = explain(plan, world.seen().observations[0]).limited
    assert "Where it would ask for more replicas the pool keeps nodes ready" in said
    assert "in 20 s in place of 3 min" in said


def test_the_pool_says_what_variants_would_ask_for() -> None:
    said = warm_words(Several(losses=AWAY).decided().warm["g6"])
    assert (
        "2 of these have several variants: 2 would ask for more here when load grows, "
        "2 in place of what is taken away elsewhere." in said
    )


def test_of_two_pools_a_look_teaches_once() -> None:
    """The other variant's pool keeps nodes, too."""
    world = Several(losses=AWAY)
    shot = world.seen()
    both_kept = {**shot.warm, "spot": replace(shot.warm["g6"], name="spot")}
    after = decide(replace(shot, warm=both_kept), world.known()).memory.policies
    assert after[key("p0")].warm == world.remembered().warm
