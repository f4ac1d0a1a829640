"""Replicas come and go on spot and on demand: a placement is carried out, a zone is lost."""

import numpy as np

from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.spot.state import MARKET_ROW, ON_DEMAND, SpotFleet, SpotWorld
from inference_cost.simulate.world.replicas import (
    find_next_ready,
    pay,
    remove,
    start,
    start_up_seconds,
    stop,
)
from inference_cost.simulate.world.state import COUNTED_CHANGES, LIVE, NOW, ORDERED, Ints


@compiled
def place(spot: SpotWorld, on_demand: int) -> None:
    """Bring each zone to `spot.wanted`, and the on-demand replicas to their number; then look at the market."""
    world, changed = spot.world, 0
    for zone in range(ON_DEMAND, len(spot.wanted)):
        changed += _bring_to(spot, zone, on_demand if zone == ON_DEMAND else spot.wanted[zone])
    if changed > 0:
        find_next_ready(world)
        if world.numbers[NOW] >= world.conditions.exclude_first:
            world.counts[COUNTED_CHANGES] += 1
    spot.seen_available[:] = spot.market.available[spot.rows[MARKET_ROW]]
    spot.fleet.preempted[:] = 0


@compiled
def _bring_to(spot: SpotWorld, zone: int, wanted: int) -> int:
    """How many were started or stopped; launches into a zone that has nothing fail."""
    world = spot.world
    have = _alive(spot.fleet, world.replicas.listed[: world.counts[LIVE]], zone)
    more, fewer = max(wanted - have, 0), max(have - wanted, 0)
    if zone != ON_DEMAND:
        room = spot.most_spot - int(np.sum(spot.fleet.live))
        more = min(more, room) * spot.market.available[spot.rows[MARKET_ROW], zone]
    for _ in range(more):
        _launch(spot, zone)
    for _ in range(fewer):
        _stop_one(spot, zone)
    return more + fewer


@compiled
def _alive(fleet: SpotFleet, listed: Ints, zone: int) -> int:
    """Replicas that are not under notice."""
    count = 0
    for slot in listed:
        count += fleet.zone[slot] == zone and fleet.gone_at[slot] == np.inf
    return count


@compiled
def _launch(spot: SpotWorld, zone: int) -> None:
    """Warm replicas are on demand."""
    world, now = spot.world, spot.world.numbers[NOW]
    if zone == ON_DEMAND:
        seconds = start_up_seconds(world, now)
    else:
        seconds = world.starts[world.counts[ORDERED] % len(world.starts)]
        spot.fleet.live[zone] += 1
    slot = start(world, now, now + seconds)
    spot.fleet.zone[slot] = zone
    spot.fleet.gone_at[slot] = np.inf


@compiled
def _stop_one(spot: SpotWorld, zone: int) -> None:
    world, now = spot.world, spot.world.numbers[NOW]
    listed = world.replicas.listed[: world.counts[LIVE]]
    paid_until = stop(world, _youngest(spot.fleet, listed, world.replicas.serves, zone))
    if zone != ON_DEMAND:
        pay(spot.fleet.billed[zone], world.conditions, now, paid_until, 1.0)
        spot.fleet.live[zone] -= 1


@compiled
def _youngest(fleet: SpotFleet, listed: Ints, serves: Ints, zone: int) -> int:
    """Place in the list of the zone's youngest starting replica, or else of its youngest."""
    found = -1
    for i in range(len(listed) - 1, -1, -1):
        slot = listed[i]
        if fleet.zone[slot] != zone or fleet.gone_at[slot] < np.inf:
            continue
        if serves[slot] == 0:
            return i
        if found < 0:
            found = i
    return found


@compiled
def give_notice(fleet: SpotFleet, listed: Ints, zone: int, gone_at: float) -> None:
    """The zone is lost: all its replicas, starting ones too, will be gone then."""
    for slot in listed:
        if fleet.zone[slot] == zone and fleet.gone_at[slot] == np.inf:
            fleet.gone_at[slot] = gone_at
            fleet.preempted[zone] += 1
            fleet.next_gone[0] = min(fleet.next_gone[0], gone_at)


@compiled
def take_away(spot: SpotWorld) -> None:
    """Replicas whose notice has run out are gone, and paid no longer."""
    world, fleet, soonest = spot.world, spot.fleet, np.inf
    for i in range(world.counts[LIVE] - 1, -1, -1):
        slot = world.replicas.listed[i]
        if fleet.gone_at[slot] > world.numbers[NOW]:
            soonest = min(soonest, fleet.gone_at[slot])
            continue
        remove(world, i)
        fleet.live[fleet.zone[slot]] -= 1
    fleet.next_gone[0] = soonest
    find_next_ready(world)
