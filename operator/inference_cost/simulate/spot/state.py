"""A world with spot replicas: the on-demand world, which serves with all of them, and what spot adds to it."""

from typing import Final, NamedTuple

from inference_cost.simulate.spot.market import Market
from inference_cost.simulate.world.state import Floats, Ints, World

ON_DEMAND: Final = -1  # in place of a zone

# Entries of `rows`.
MARKET_ROW: Final = 0  # of `market.times`, that holds now
DEMAND_ROW: Final = 1  # of `demand_at`, that holds now
ROWS: Final = 2


class SpotFleet(NamedTuple):
    """What is known of the world's replicas besides. Functions that need no more take no more: it compiles faster."""

    zone: Ints  # by slot; ON_DEMAND or the zone
    gone_at: Floats  # by slot: when the notice runs out; infinite without notice
    next_gone: Floats  # length 1: the soonest of them
    live: Ints  # by zone: replicas that are paid, those under notice included
    preempted: Ints  # by zone: replicas given notice since the last decision
    billed: Floats  # (zones, bins): replica-seconds


class SpotWorld(NamedTuple):
    """`world.course[BILLED_SECONDS]` has the replica-seconds of both kinds."""

    world: World
    market: Market
    fleet: SpotFleet
    demand_at: Floats  # seconds at which the demand changes, the first one 0
    demand: Ints  # replicas wanted from then on
    wanted: Ints  # by zone: what the rule asks for
    seen_available: Ints  # by zone: as at the last decision
    rows: Ints
    most_spot: int  # live at the same time; further launches fail, as at a cloud's quota
