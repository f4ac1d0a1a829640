"""Exported totals over a change of leaders, read as Prometheus reads them: `increase()` neither misses nor doubles.

The first process dies, the second one takes over 20 s later with a checkpoint that is older than that, and with or
without what was scraped; or the first one leads again. What it should come to is told by the ledger, from the nodes'
and pods' lifetimes.
"""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from inference_cost.account.hand_over import handed_over, pools_handed_over
from inference_cost.account.ledger.build import ledger
from inference_cost.account.ledger.history import (
    History,
    NodeLife,
    Owner,
    PriceChange,
    Span,
    Stay,
    Use,
)
from inference_cost.account.month import AccountMemory
from inference_cost.model.policy import PolicyKey
from inference_cost.observe.recorded_costs import build_query, sort_recorded
from tests.unit.account.worlds import NOON, key, node, pod, price
from tests.unit.control.leaders import (
    LIVES,
    TICK,
    Process,
    Turn,
    by_instance,
    increase,
    merged,
    run,
)

DIES = NOON + 1800.0
TAKES_OVER = DIES + 20.0
ENDS = NOON + 3600.0
CHECKPOINT = NOON + 600.0
ONCE = (("a", NOON, DIES), ("b", TAKES_OVER, ENDS))
AND_BACK = (("a", NOON, NOON + 900), ("b", NOON + 920, NOON + 2500), ("a", NOON + 2520, ENDS))


def by_the_ledger() -> tuple[Decimal, Decimal]:
    """The policy's, and the pool's idle rest."""
    lives, stays = [], []
    for i, (begin, end) in enumerate(LIVES):
        since, until = NOON + begin, NOON + end
        on = node(f"n{i}", created_at=since, allocatable_gpus=2)
        change = PriceChange(since=since, price=price("3.60"))
        lives.append(NodeLife(node=on, ready_at=since, gone_at=until, prices=(change,)))
        owner = Owner(use=Use.REPLICA, policy=key(), variant="default")
        there = pod(f"p{i}", f"n{i}")
        stays.append(Stay(pod=there, owner=owner, bound_at=since, ready_at=since, ended_at=until))
    window = Span(begin=NOON, end=ENDS)
    made = ledger(History(nodes=tuple(lives), stays=tuple(stays)), window)
    ours = sum((x.total.amount for x in made.lines if x.key.policy), Decimal(0))
    return ours, made.total.amount - ours


POLICY, POOL = "inference_cost_policy_cost_total", "inference_cost_pool_cost_total"
RATE = 3 * 1.80 / 3600  # the most that is charged per second
SCRAPE = 15.0
EARLY = (
    1.80 * TICK / 3600
)  # of a replica that goes between two looks: it counts until the second one


@pytest.mark.parametrize("name", [POLICY, POOL])
def test_with_what_was_scraped_the_total_goes_on(name: str) -> None:
    series, second = run(*ONCE)
    expected = float(by_the_ledger()[0 if name == POLICY else 1])
    one = merged(series, name)
    assert all(after >= before for (_, before), (_, after) in pairwise(one)), "it was reset"
    # The policy misses nothing; the pool the 20 s and a tick in which nobody looked at its idle rests.
    missed = 0.0 if name == POLICY else RATE * (TAKES_OVER - DIES + TICK)
    assert expected - missed - EARLY <= one[-1][1] <= expected + EARLY
    assert expected - missed - EARLY <= increase(one) <= expected + EARLY, "it was counted twice"
    between = RATE * (TAKES_OVER - DIES + TICK + SCRAPE)
    assert expected - between <= by_instance(series, name) <= expected + EARLY
    assert second.policies[key()].gap_seconds == 0


def test_the_time_that_a_pools_lines_lack_is_told_and_goes_on() -> None:
    """Three leaders: what each told is where the next one begins."""
    scraped: list[dict[str, Any]] = []
    lacked = 0.0
    for instance, begin, end in (("a", 0, 60), ("b", 100, 160), ("c", 180, 240)):
        process = Process(instance)
        process.pools = pools_handed_over([key()], sort_recorded(scraped, "USD"))
        for at in range(begin, end, 15):
            process.tick(NOON + at)
        scraped = process.scraped(NOON + end)
        found = process.metrics.registry.get_sample_value(
            "inference_cost_pool_cost_unknown_seconds_total", {"pool": "l4", "reason": "away"}
        )
        lacked += {0: 0, 100: 55, 180: 35}[begin]  # since the last tick of the one before
        assert found == lacked


@pytest.mark.parametrize("name", [POLICY, POOL])
def test_one_that_leads_again_neither_resets_nor_doubles_the_total(name: str) -> None:
    """Its own series jumps to where the other was, so each replica's increase holds what the other counted, too."""
    series, _ = run(*AND_BACK)
    expected = float(by_the_ledger()[0 if name == POLICY else 1])
    one = merged(series, name)
    assert all(after >= before for (_, before), (_, after) in pairwise(one)), "it was reset"
    missed = 0.0 if name == POLICY else 2 * RATE * (TAKES_OVER - DIES + TICK)
    assert expected - missed - EARLY <= increase(one) <= expected + EARLY, "it was counted twice"
    assert by_instance(series, name) > 1.2 * expected


def test_without_it_the_total_goes_on_from_the_checkpoint_and_lifetimes() -> None:
    """The replica that came after the checkpoint is still there: nothing is missed."""
    series, second = run(*ONCE, scrapes_are_read=False)
    expected = float(by_the_ledger()[0])
    one = merged(series, POLICY)
    assert all(after >= before for (_, before), (_, after) in pairwise(one))
    assert one[-1][1] == pytest.approx(expected, abs=EARLY)
    assert second.policies[key()].gap_seconds == TAKES_OVER - CHECKPOINT  # longer than is believed


CHARGED = {
    "inference_cost_policy_charged_seconds_total": 0.0,
    "inference_cost_pool_charged_seconds_total": 2
    * (TAKES_OVER - DIES + TICK),  # of rests, nobody looked
}


@pytest.mark.parametrize("turns", [ONCE, AND_BACK], ids=["once", "and back"])
@pytest.mark.parametrize("name", CHARGED)
def test_time_that_is_charged_is_that_of_the_lives(name: str, turns: tuple[Turn, ...]) -> None:
    series, _ = run(*turns)
    lived = sum(end - begin for begin, end in LIVES)
    missed = CHARGED[name] * 2 * (len(turns) - 1)
    assert lived - missed - TICK <= increase(merged(series, name)) <= lived + TICK


def test_the_month_is_what_the_ledger_says() -> None:
    _, second = run(*ONCE)
    assert float(second.policies[key()].amount) == pytest.approx(
        float(by_the_ledger()[0]), abs=EARLY
    )


def test_nothing_is_inherited_by_a_policy_made_anew() -> None:
    process = Process("a")
    for at in (NOON, NOON + 15):
        process.tick(at)
    recorded = sort_recorded(process.scraped(NOON + 15), "USD")
    assert pools_handed_over([key()], recorded).keys() == {"l4"}
    anew = PolicyKey(namespace="team-a", name="resnet", uid="another")
    made = {anew: AccountMemory(month="2025-11", amount=Decimal(0), since=NOON, last_at=NOON)}
    assert handed_over(made, recorded)[anew].totals == ()
    assert pools_handed_over([anew], recorded) == {}, "of another cluster, for all that is known"


ENTRIES: dict[str, dict[str, Any]] = {
    "another currency": {"currency": "EUR"},
    "a line of a newer version": {"line": "quantum"},
    "a capacity type of a newer version": {"capacity_type": "orbital"},
}


@pytest.mark.parametrize("sentence", ENTRIES)
def test_of_what_was_scraped_is_left_out(sentence: str) -> None:
    process = Process("a")
    for at in (NOON, NOON + 15):
        process.tick(at)
    entries = process.scraped(NOON + 15)
    for entry in entries:
        if entry["metric"]["__name__"] == POLICY:
            entry["metric"] |= ENTRIES[sentence]
    (teller,) = sort_recorded(entries, "USD").tellers
    assert teller.policies[key()].totals == ()


def test_values_that_are_no_amounts_and_totals_without_a_time_are_left_out() -> None:
    labels = {"namespace": "a", "policy": "b", "line": "idle", "pool": "l4", "currency": "USD"}
    total = {"metric": {"__name__": POLICY, **labels}, "value": [0, "5"]}
    broken = {"metric": {"__name__": POLICY, **labels}, "value": [0, "NaN"]}
    (teller,) = sort_recorded([total, broken], "USD").tellers
    assert (teller.policies, teller.pools) == ({}, {})


def test_the_query_has_the_installations_matchers() -> None:
    assert build_query('cluster="a", ').endswith('cluster="a"}[7200s])')
