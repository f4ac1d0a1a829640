"""What a CapacityPool's status says of its nodes, prices, losses and starts."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.act.pool_status import NOTHING, Learned, learned_by_pool, render_pool_status
from inference_cost.api.pool_status import CapacityPoolStatus
from inference_cost.decide.engine import decide
from inference_cost.decide.mix.losses import NOTHING_KNOWN
from inference_cost.model.memory import Memory
from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import Snapshot
from inference_cost.model.placement import Closure, PlacedDomain, ZoneRecord
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node
from tests.unit.decide.mix.two_variants import BOTH, SPOT, SPOT_POOL, TAKEN, remembering
from tests.unit.decide.worlds import NOON, key, snapshot

assert isinstance(SPOT.price, HourlyPrice)
UNPRICED = Missing(reason=MissingReason.PRICE_UNKNOWN)
RECORD = replace(NOTHING_KNOWN, losses=3.0, hours=16.0)
DOMAIN = PlacedDomain(name="spot", asked=1, alive=1, record=RECORD, can_be_lost=True)


def seen(*nodes: Node, pools: bool = True) -> Snapshot:
    shot = snapshot(nodes={node.name: node for node in nodes})
    return replace(shot, pools={"spot": SPOT_POOL} if pools else {})


def told(
    shot: Snapshot, learned: Learned = NOTHING, problem: str = "", **previous: Any
) -> dict[str, Any]:
    status = render_pool_status(
        "spot",
        shot,
        replace(learned, nodes=tuple(shot.nodes.values())),
        problem=problem,
        generation=2,
        previous=previous,
    )
    CapacityPoolStatus.model_validate(status)
    return status


def conditions(status: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


def with_domains(*domains: PlacedDomain) -> Learned:
    return replace(NOTHING, domains=domains)


def zone_lost_until(until: float) -> PlacedDomain:
    zone = ZoneRecord(name="b", record=replace(RECORD, away_until=until))
    return replace(DOMAIN, by_zone=(zone,))


def closed_until(until: float) -> PlacedDomain:
    return replace(DOMAIN, closed=Closure(since=NOON - 600, until=until, seconds=600))


ZONE_LOST = zone_lost_until(NOON + 60)

TOLD: dict[str, tuple[dict[str, Any], dict[str, tuple[str, str]]]] = {
    "a pool with a node that stays": (
        told(seen(SPOT)),
        {"Available": ("True", "NodesReady"), "PriceKnown": ("True", "PriceKnown")},
    ),
    "one whose nodes are all taken back": (
        told(seen(TAKEN)),
        {"Available": ("False", "NoNodeStays")},
    ),
    "one that is upgraded": (
        told(seen(replace(SPOT, cordoned=True))),
        {"Available": ("False", "Cordoned")},
    ),
    "one without a node has the price of its offering": (
        told(seen()),
        {"Available": ("Unknown", "NoNode"), "PriceKnown": ("True", "PriceKnown")},
    ),
    "one whose price jumped by more than is believed at once": (
        told(seen(replace(SPOT, price=replace(SPOT.price, unconfirmed=Decimal("3.00"))))),
        {"PriceKnown": ("True", "JumpHeld")},
    ),
    "one that nothing prices": (
        told(seen(replace(SPOT, price=UNPRICED), pools=False)),
        {"PriceKnown": ("False", "PriceUnknown")},
    ),
    "one that is not used": (
        told(seen(), problem="spec.offerings[0].perNodeHour: must be greater than 0"),
        {"PriceKnown": ("False", "NotUsed")},
    ),
    "one that no policy names": (told(seen(SPOT)), {"Scarce": ("Unknown", "NotAsked")}),
    "one that gives what is asked for": (
        told(seen(SPOT), replace(NOTHING, domains=(DOMAIN,))),
        {"Scarce": ("False", "NotScarce")},
    ),
    "one that some policy keeps away from": (
        told(
            seen(SPOT),
            replace(
                NOTHING, domains=(replace(DOMAIN, record=replace(RECORD, away_until=NOON + 60)),)
            ),
        ),
        {"Scarce": ("True", "KeptAway")},
    ),
    "one of whose zones was lost": (
        told(seen(SPOT), with_domains(ZONE_LOST, DOMAIN)),
        {"Scarce": ("True", "ZoneLost")},
    ),
    "one of whose zones was lost, but is not kept from any more": (
        told(seen(SPOT), with_domains(zone_lost_until(NOON - 60))),
        {"Scarce": ("False", "NotScarce")},
    ),
    "one that is upgraded, and where no more are asked for": (
        told(seen(SPOT), with_domains(ZONE_LOST, closed_until(NOON + 60))),
        {"Scarce": ("True", "Cordoned")},
    ),
    "one that is upgraded, and where one is tried": (
        told(seen(SPOT), with_domains(closed_until(NOON - 60))),
        {"Scarce": ("False", "NotScarce")},
    ),
}


def test_it_is_told_which_zones_were_lost_and_until_when_the_last_policy_counts_on_it() -> None:
    learned = with_domains(ZONE_LOST, zone_lost_until(NOON + 900))
    (scarce,) = [c for c in told(seen(SPOT), learned)["conditions"] if c["type"] == "Scarce"]
    assert "b until 2027-01-15T08:15Z." in scarce["message"]


@pytest.mark.parametrize("sentence", TOLD)
def test_conditions(sentence: str) -> None:
    status, expected = TOLD[sentence]
    found = conditions(status)
    assert {kind: found[kind] for kind in expected} == expected


def test_the_lowest_price_with_its_source_and_date() -> None:
    dearer = replace(SPOT, name="b", price=replace(SPOT.price, per_hour=Decimal("0.45")))
    status = told(seen(dearer, SPOT))
    assert (status["nodes"], status["perNodeHour"]) == (2, "0.30")
    assert status["priceSource"] == "ShippedTable"
    assert status["priceTime"]


def test_losses_of_all_policies_together() -> None:
    """Two that saw the same say the same as one, a little surer."""
    one = told(seen(SPOT), replace(NOTHING, domains=(DOMAIN,)))
    two = told(seen(SPOT), replace(NOTHING, domains=(DOMAIN, DOMAIN)))
    assert one["lossesPerHour"] == "0.19"
    assert two["lossesPerHour"] == "0.18"
    safe = replace(DOMAIN, can_be_lost=False)
    assert "lossesPerHour" not in told(seen(SPOT), replace(NOTHING, domains=(safe,)))


def test_lead_times_once_some_starts_were_seen() -> None:
    assert "leadTime" not in told(seen(SPOT), replace(NOTHING, start_seconds=(60.0, 70.0)))
    many = tuple(float(n) for n in range(1, 101))
    assert told(seen(SPOT), replace(NOTHING, start_seconds=many))["leadTime"] == {
        "starts": 100,
        "p50Seconds": 51,
        "p95Seconds": 96,
    }


def test_the_parts_of_starts_that_had_them() -> None:
    parts = (*(("spot", 60.0 * n, 20.0, 40.0) for n in (1, 2, 3)), ("spot", None, 30.0, 40.0))
    learned = replace(NOTHING, start_seconds=(90.0,) * 4, start_parts=parts)
    lead_time = told(seen(SPOT), learned)["leadTime"]
    assert lead_time["node"] == {"starts": 3, "p50Seconds": 120, "p95Seconds": 180}
    assert lead_time["image"] == {"starts": 4, "p50Seconds": 20, "p95Seconds": 30}
    assert lead_time["pod"] == {"starts": 4, "p50Seconds": 40, "p95Seconds": 40}
    few = replace(learned, start_parts=parts[1:])
    assert "node" not in told(seen(SPOT), few)["leadTime"]


def test_a_condition_keeps_its_time() -> None:
    before = told(seen(SPOT))
    later = told(replace(seen(SPOT), at=NOON + 600), **before)
    times = [{c["type"]: c["lastTransitionTime"] for c in s["conditions"]} for s in (before, later)]
    assert times[0] == times[1]


def test_what_the_policies_learned_is_put_together_by_pool() -> None:
    shot = BOTH.seen()
    memory = decide(shot, Memory(policies={key(): remembering(4, 4, total=4)})).memory
    started = replace(
        memory.policies[key()],
        start_up_seconds=(60.0, 90.0),
        start_up_pools=("spot", "g6"),
        start_parts=(("spot", None, 10.0, 50.0), ("g6", 30.0, 10.0, 50.0)),
    )
    found = learned_by_pool(shot, Memory(policies={key(): started}))
    assert found["spot"].pods == 4
    assert [node.name for node in found["spot"].nodes] == ["spot"]
    assert [one.name for one in found["spot"].domains] == ["spot"]
    assert found["spot"].start_parts == (("spot", None, 10.0, 50.0),)
    assert found["spot"].start_seconds == (60.0,)
    assert found["g6"].domains == ()


def test_a_policy_that_is_not_remembered_yet_says_nothing() -> None:
    assert learned_by_pool(BOTH.seen(), Memory())["spot"].domains == ()
