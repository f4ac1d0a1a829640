"""`chargeback` of policies that were made anew, and what its amounts lack: late begins, gaps and prices."""

from decimal import Decimal

import pytest

from inference_cost.account.chargeback import By, ByLabel, rows_of
from inference_cost.cli.chargeback.grouping import grouping_of
from inference_cost.cli.chargeback.listing import within
from inference_cost.cli.failure import CommandError
from tests.unit.cli.chargeback.store import RESNET, Store, amounts, spending


async def test_a_policy_made_anew_is_charged_for_both_that_had_the_name() -> None:
    """The second one's total passes the first one's: its highest value alone would hide what the first one cost."""
    store = Store()
    store.record(0, *(10.0 * day for day in range(8)), **RESNET)
    store.live(0, 7, uid="one")
    store.record(8, *(50.0 * day for day in range(13)), instance="b", **RESNET)
    store.live(8, 20, uid="two")
    found = await spending(store, 5, 20)
    assert amounts(found) == [("team-a/resnet", Decimal(20 + 600))]
    assert [str(one) for one in found.missed] == [
        "team-a/resnet: it was made anew at 2026-01-08T23:59:50Z: these amounts are of both that had the name"
    ]
    assert len({(one.begin, one.end) for one in found.spent}) == 2


async def test_a_policy_made_anew_does_not_cut_what_others_cost() -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(21)), **RESNET | {"policy": "bert"})
    store.live(0, 20, policy="bert")
    store.live(0, 7, uid="one")
    store.live(8, 20, uid="two")
    store.record(0, *(1.0 * day for day in range(21)))
    assert amounts(await spending(store, 5, 20)) == [
        ("team-a/bert", Decimal(150)),
        ("(nobody)", Decimal(15)),
    ]


async def test_a_late_begin_and_an_early_end_are_named() -> None:
    store = Store()
    store.record(7, 0.0, 10.0, 20.0, **RESNET)
    store.live(7, 9)
    found = await spending(store, 5, 15)
    assert amounts(found) == [("team-a/resnet", Decimal(20))]
    assert [str(one) for one in found.missed] == [
        (
            "team-a/resnet: nothing is recorded from 2026-01-06T00:00:00Z to 2026-01-07T23:59:50Z: it was made then, or"
            " the store does not reach back"
        ),
        "team-a/resnet: nothing is recorded from 2026-01-09T23:59:50Z to 2026-01-16T00:00:00Z",
    ]


async def test_what_is_recorded_throughout_lacks_nothing() -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(20)), **RESNET)
    store.live(0, 19)
    store.unknown("price", 0, *(3.0,) * 20)
    assert (await spending(store, 5, 15)).missed == ()


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("price", "a price was not known"),
        ("away", "the operator was away, and pods or nodes came or went"),
    ],
)
async def test_time_that_is_not_known_is_named(reason: str, why: str) -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(20)), **RESNET)
    store.live(0, 19)
    store.unknown(reason, 0, *(0.5 * day for day in range(20)))
    (missed,) = (await spending(store, 5, 15)).missed
    assert missed.what == f"of 5.00 h not all is in these amounts: {why}"


async def test_hours_of_no_price_are_those_of_both_that_had_the_name() -> None:
    """One hour of the first one's, three of the second one's, whose count has not come so far."""
    store = Store()
    store.live(0, 7, uid="one")
    store.live(8, 20, uid="two")
    store.record(0, *(10.0 * day for day in range(21)), **RESNET)
    store.unknown("price", 0, *(0.5 * day for day in range(8)))
    store.unknown("price", 8, *(0.25 * day for day in range(13)))
    told = [one.what for one in (await spending(store, 5, 20)).missed]
    assert "of 4.00 h not all is in these amounts: a price was not known" in told


async def test_a_count_that_began_anew_in_another_month_counts_from_zero() -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(31)), **RESNET)
    store.record(31, *(1.0 * day for day in range(10)), instance="b", **RESNET)
    found = await spending(store, 21, 40)
    assert amounts(found) == [("team-a/resnet", Decimal(90 + 9))]


async def test_hours_are_those_of_the_replicas_where_they_are_recorded() -> None:
    store = Store()
    store.record(0, *(10.0 * day for day in range(80)), **RESNET)
    store.charged(0, *(48.0 * day for day in range(80)))
    store.record(0, *(1.0 * day for day in range(80)))
    found = (await spending(store, 10, 40)).spent
    assert [one.hours for one in found] == [Decimal(21 * 48), Decimal(9 * 48), None, None]


async def test_one_namespace_alone_is_without_what_is_nobodys() -> None:
    store = Store()
    store.record(0, 0.0, 10.0, **RESNET)
    store.record(0, 0.0, 7.0, **RESNET | {"namespace": "team-b"})
    store.record(0, 0.0, 1.5)
    found = await spending(store, 0, 1)
    assert amounts(within(found, "team-b")) == [("team-b/resnet", Decimal(7))]
    assert within(found, "") == found


POLICIES = [
    {"metadata": {"namespace": "team-a", "name": "resnet", "labels": {"team": "vision"}}},
    {"metadata": {"namespace": "team-a", "name": "bert"}},
]


async def test_rows_by_a_label_of_the_policies() -> None:
    store = Store()
    store.record(0, 0.0, 10.0, **RESNET)
    store.record(0, 0.0, 5.0, **RESNET | {"policy": "bert"})
    store.record(0, 0.0, 3.0, **RESNET | {"policy": "t5"})
    store.record(0, 0.0, 1.5)
    by = grouping_of("label:team", lambda: POLICIES)
    assert isinstance(by, ByLabel)
    assert by.value == "label:team"
    rows = rows_of((await spending(store, 0, 1)).spent, by)
    assert [(row.name, row.total) for row in rows] == [
        ("vision", Decimal(10)),
        ("(no label)", Decimal(5)),
        ("(policy gone)", Decimal(3)),
        ("(nobody)", Decimal("1.5")),
    ]


@pytest.mark.parametrize("by", By)
def test_other_rows_ask_no_cluster(by: By) -> None:
    assert grouping_of(by.value, lambda: pytest.fail("asked")) is by


@pytest.mark.parametrize("text", ["team", "label:", "Pool"])
def test_rows_that_are_none_are_refused_with_what_may_be(text: str) -> None:
    with pytest.raises(CommandError, match=f"--by {text}: must be one of cost-center, .*label:KEY"):
        grouping_of(text, lambda: POLICIES)
