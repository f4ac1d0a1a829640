"""Costs of policies and pools in one tick."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.account.costs import account
from inference_cost.account.ledger.lines import Kind
from inference_cost.model.reading import Missing
from inference_cost.model.warm import Holder, WarmPool
from inference_cost.model.workload import Conflict, ConflictKind, Pod, Stranger
from tests.unit.account.worlds import NOON, key, node, observation, plan, pod, snapshot


def test_a_policy_costs_its_share_of_each_pool() -> None:
    nodes = (node("n1"), node("n2", "1.20", pool="l4-spot", allocatable_gpus=2))
    world = snapshot(observation(pod("p1", "n1"), pod("p2", "n2")), nodes=nodes)
    cost = account(world, {key(): plan(2)}, {}).policies[key()]
    assert cost.per_hour == Decimal("4.60")
    assert [(p.pool, p.replicas, p.per_hour) for p in cost.pools] == [
        ("l4", 1, Decimal(4)),
        ("l4-spot", 1, Decimal("0.60")),
    ]
    assert cost.unpriced == ()


def test_an_empty_node_of_a_pool_in_use_is_idle_and_no_policy_pays_it() -> None:
    nodes = (node("n1"), node("n2"), node("other", "9", pool="training"))
    costs = account(snapshot(observation(pod("p1", "n1")), nodes=nodes), {}, {})
    (pool,) = costs.pools
    assert (pool.pool, pool.nodes) == ("l4", 2)
    assert pool.per_hour == Decimal(8)
    assert pool.allocated_per_hour == Decimal(4)
    assert pool.idle_per_hour == Decimal(4)


def kept(*nodes: str) -> dict[str, WarmPool]:
    holders = (
        Holder(uid=f"h-{name}", node=name, created_at=NOON, ready_at=NOON, gpus=1)
        for name in (*nodes, "")
    )
    return {"l4": WarmPool(name="l4", spec=None, holders=tuple(holders))}


def test_a_node_that_is_kept_ready_is_on_the_pools_line_and_no_policy_pays_it() -> None:
    world = snapshot(observation(pod("p1", "n1")), nodes=(node("n1"), node("n2"), node("n3")))
    plain, warm = account(world, {}, {}), account(replace(world, warm=kept("n2")), {}, {})
    (pool,) = warm.pools
    assert (pool.per_hour, pool.allocated_per_hour) == (Decimal(12), Decimal(4))
    assert (pool.warm_per_hour, pool.idle_per_hour) == (Decimal(4), Decimal(4))
    assert warm.policies == plain.policies
    assert plain.pools[0].warm_per_hour == Decimal(0)


def test_what_was_kept_ready_adds_up_on_a_line_of_its_own() -> None:
    world = replace(snapshot(nodes=(node("n1"), node("n2"))), warm=kept("n2"))
    first = account(world, {}, {})
    later = replace(world, at=world.at + 15.0)
    counted = account(later, {}, {}, pool_memory=first.pool_memory).pool_memory["l4"]
    kinds = {rate.line.kind for rate in counted.rates}
    assert kinds == {Kind.IDLE, Kind.WARM}


def test_system_pods_and_strangers_are_on_lines_of_their_own_and_make_no_replica_cheaper() -> None:
    big = node(allocatable_gpus=4, allocatable_cpu_millicores=4000)
    others = tuple(
        Stranger(name=n, uid=n, gpus=0, cpu_millicores=cpu, memory_bytes=0, system=n != "batch")
        for n, cpu in (("ds", 500), ("batch", 1000), ("asks-nothing", 0))
    )
    plain = snapshot(observation(pod()), nodes=(big, node("n2", ready=False)))
    costs = account(replace(plain, strangers={"n1": others, "n2": others}), {}, {})
    assert costs.policies[key()].per_hour == account(plain, {}, {}).policies[key()].per_hour == 1
    rates = {r.line.kind: r.per_hour for r in costs.pool_memory["l4"].rates}
    assert rates == {
        Kind.IDLE: Decimal("1.5"),
        Kind.OVERHEAD: Decimal("0.5"),
        Kind.OTHER: Decimal(1),
        Kind.BOOT: Decimal(4),
    }
    shown = costs.pools[0]
    assert shown.allocated_per_hour == 1
    assert shown.per_hour == 8


def test_a_pool_with_no_more_than_kept_nodes_is_paid_for() -> None:
    (pool,) = account(replace(snapshot(nodes=(node(),)), warm=kept("n1")), {}, {}).pools
    assert (pool.warm_per_hour, pool.idle_per_hour) == (Decimal(4), Decimal(0))


def test_a_kept_node_without_a_price_is_named() -> None:
    world = replace(snapshot(nodes=(node(per_hour=None),)), warm=kept("n1"))
    (pool,) = account(world, {}, {}).pools
    assert (pool.warm_per_hour, pool.unpriced_nodes) == (Decimal(0), ("n1",))


def test_a_replica_that_drains_has_served() -> None:
    pods = (pod("p1", "n1", ready_at=None), pod("p2", "n2", ready_at=None, terminating=True))
    world = snapshot(observation(*pods), nodes=(node("n1"), node("n2", "2")))
    rates = account(world, {}, {}).memory[key()].rates
    assert {r.line.kind: r.per_hour for r in rates} == {Kind.BOOT: 4, Kind.SERVING: 2}


def test_pods_that_are_not_ready_yet_or_on_their_way_out_are_paid_for() -> None:
    pods = (pod("p1", "n1", ready_at=None), pod("p2", "n2", terminating=True))
    world = snapshot(observation(*pods), nodes=(node("n1"), node("n2")))
    assert account(world, {}, {}).policies[key()].per_hour == Decimal(8)


def test_a_pending_pod_costs_nothing() -> None:
    world = snapshot(observation(pod(on="")), nodes=(node(),))
    costs = account(world, {}, {})
    assert costs.policies[key()].per_hour == Decimal(0)
    assert costs.pools == ()


def test_an_unknown_price_is_missing_in_the_total_and_named() -> None:
    nodes = (node("n1"), node("n2", None, pool="a100"))
    world = snapshot(observation(pod("p1", "n1"), pod("p2", "n2")), nodes=nodes)
    costs = account(world, {key(): plan(3)}, {})
    cost = costs.policies[key()]
    assert isinstance(cost.per_hour, Missing)
    assert isinstance(cost.desired_per_hour, Missing)
    assert cost.priced_per_hour == Decimal(4)
    assert cost.unpriced == ("pool a100 has no price",)
    assert {p.pool: p.unpriced_nodes for p in costs.pools} == {"a100": ("n2",), "l4": ()}


def test_a_pod_on_a_node_nobody_knows_is_named() -> None:
    cost = account(snapshot(observation(pod(on="gone"))), {}, {}).policies[key()]
    assert cost.unpriced == ("node gone is not known",)


def test_two_policies_share_a_node_by_what_they_request() -> None:
    first = observation(pod("p1", gpus=1))
    second = observation(pod("p2", gpus=2), name="bert")
    costs = account(snapshot(first, second, nodes=(node(allocatable_gpus=4),)), {}, {})
    assert costs.policies[key()].per_hour == Decimal(1)
    assert costs.policies[key("bert")].per_hour == Decimal(2)
    assert costs.pools[0].idle_per_hour == Decimal(1)


def test_a_pod_claimed_by_two_policies_is_charged_once_to_the_one_without_a_conflict() -> None:
    clash = Conflict(kind=ConflictKind.POLICY, other="team-a/bert", message="")
    older = observation(pod(), created_at=NOON - 60, conflict=clash)
    younger = observation(pod(), name="bert")
    costs = account(snapshot(older, younger, nodes=(node(),)), {}, {})
    assert costs.policies[key()].per_hour == Decimal(0)
    assert costs.policies[key("bert")].per_hour == Decimal(4)


def test_the_desired_replicas_are_priced_like_the_running_ones() -> None:
    world = snapshot(
        observation(pod("p1", "n1"), pod("p2", "n2")), nodes=(node("n1"), node("n2", "2"))
    )
    assert account(world, {key(): plan(3)}, {}).policies[key()].desired_per_hour == Decimal(9)


SAVES: dict[str, tuple[tuple[Pod, ...], int, str]] = {
    "one of two on a node goes: it stays": ((pod("p1"), pod("p2")), 1, "0"),
    "both go: it goes": ((pod("p1"), pod("p2")), 0, "4"),
    "each of two nodes has room for one more": ((pod("p1"), pod("p2", "n2")), 4, "0"),
    "two more than there is room for need a node": ((pod("p1"), pod("p2", "n2")), 6, "-4"),
    "as it is": ((pod("p1"),), 1, "0"),
}


@pytest.mark.parametrize("sentence", SAVES)
def test_what_a_decision_would_save_is_nodes_that_empty(sentence: str) -> None:
    pods, desired, expected = SAVES[sentence]
    nodes = tuple(node(name, allocatable_gpus=2) for name in {p.node for p in pods})
    world = snapshot(observation(*pods), nodes=nodes)
    cost = account(world, {key(): plan(desired)}, {}).policies[key()]
    assert cost.would_save_per_hour == Decimal(expected)


def test_what_starts_after_zero_goes_back_to_the_nodes_that_were_left() -> None:
    ran = account(snapshot(observation(pod()), nodes=(node(),)), {key(): plan(1)}, {})
    left = snapshot(observation(), nodes=(node(),), at=NOON + 15)
    gone = snapshot(observation(), at=NOON + 15)
    for world, expected in ((left, 0), (gone, -4)):
        cost = account(world, {key(): plan(1)}, ran.memory).policies[key()]
        assert cost.would_save_per_hour == expected


def test_desired_zero_costs_nothing_and_an_unpriced_first_replica_is_missing() -> None:
    empty = snapshot(observation())
    assert account(empty, {key(): plan(0)}, {}).policies[key()].desired_per_hour == Decimal(0)
    first = account(empty, {key(): plan(2)}, {}).policies[key()].desired_per_hour
    assert isinstance(first, Missing)


def test_without_replicas_the_plan_knows_the_price_of_one() -> None:
    priced = replace(plan(2), replica_price_per_hour=Decimal("1.5"))
    cost = account(snapshot(observation()), {key(): priced}, {}).policies[key()]
    assert cost.desired_per_hour == Decimal(3)


def test_without_a_plan_the_desired_cost_is_missing() -> None:
    world = snapshot(observation(pod()), nodes=(node(),))
    cost = account(world, {}, {}).policies[key()]
    assert isinstance(cost.desired_per_hour, Missing)
    assert isinstance(cost.would_save_per_hour, Missing)


def test_the_month_runs_on_and_a_deleted_policy_is_forgotten() -> None:
    nodes = (node(),)
    one = account(snapshot(observation(pod()), nodes=nodes), {}, {})
    two = account(snapshot(observation(pod()), nodes=nodes, at=NOON + 45), {}, one.memory)
    assert two.policies[key()].month_to_date.amount == Decimal("0.05")
    away = account(snapshot(observation(pod("p2")), nodes=nodes, at=NOON + 91), {}, two.memory)
    assert away.policies[key()].month_to_date.gap_seconds == 0  # as many, at the same price
    gone = account(snapshot(observation(), nodes=nodes, at=NOON + 91), {}, two.memory)
    assert gone.policies[key()].month_to_date.gap_seconds == 46
    assert gone.policies[key()].month_to_date.amount == Decimal("0.05")
    assert account(snapshot(nodes=nodes, at=NOON + 60), {}, two.memory).memory == {}


BOUND: dict[str, tuple[dict[str, float], str]] = {
    "pending until five minutes into the absence": ({"scheduled_at": NOON + 300}, "0.3333"),
    "bound all the time": ({"scheduled_at": NOON - 60}, "0.6667"),
    "one that does not say when": ({}, "0.6667"),
    "made in the absence, and bound at once": (
        {"created_at": NOON + 300, "scheduled_at": NOON + 300},
        "0.3333",
    ),
}


@pytest.mark.parametrize("sentence", BOUND)
def test_after_an_absence_a_pod_is_charged_from_its_binding_on(sentence: str) -> None:
    """Beside one that was there all along, at 4 an hour each."""
    changes, amount = BOUND[sentence]
    nodes = tuple(node(name, created_at=NOON - 900) for name in ("n1", "n2"))
    before = account(snapshot(observation(pod()), nodes=nodes), {}, {})
    new = pod("p2", "n2", **({"created_at": NOON - 60} | changes))
    seen = snapshot(observation(pod(), new), nodes=nodes, at=NOON + 600)
    month = account(seen, {}, before.memory).policies[key()].month_to_date
    assert month.amount - Decimal(4) / 6 == pytest.approx(Decimal(amount), abs=Decimal("0.0001"))
    assert month.gap_seconds == 0
