"""What is remembered of where replicas run: what was asked of each domain, and what became of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LossRecord:
    """Of one domain (decide/mix/losses.py). Times are epoch seconds.

    `losses`: of all that is lost together, in `hours` with replicas. `away_seconds`: for how long to keep away at the
    next loss. `lately`: share that was lost within a short time until `lately_at`. `held_since`: replicas are ready,
    since then or since this was last counted. `proven`: False from a loss or a refusal on until a replica gets ready.
    """

    losses: float
    hours: float
    away_seconds: float
    looked_at: float | None = None
    away_until: float | None = None
    lately: float = 0.0
    lately_at: float = 0.0
    held_since: float | None = None
    proven: bool = True

    @property
    def per_hour(self) -> float:
        return self.losses / self.hours


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRecord:
    """What is known of one zone of a variant. Of its record only the times away count, and what they are learned by."""

    name: str
    record: LossRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Nodes of a pool are cordoned `since` then.

    `until`: nothing is asked for there, and then one replica, `seconds` after the last one that did not come.
    """

    since: float
    until: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What would be asked for here in place of one zone of another variant, a `part` of the policy's replicas.

    `domain`: the pool of that variant, of which `zones` are in use. `chance`: that one of them is lost within the time
    that is late until others serve in its place.
    """

    domain: str
    zones: int
    chance: float
    part: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce:
    """What would be asked for here without warning. `growth`: of replicas beyond those needed now, this part."""

    growth: float = 0.0
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedDomain:
    """`asked`: replicas at the last look; `alive`: that were there then, starting ones too.

    `price_per_hour`: of a replica, when last known, at `priced_at`; `price_old_since`: the day of its source's figure,
    epoch seconds, where that was too old to move for; `offered_per_hour`: what its pool asked for one
    then; `dear_per_hour`: the highest price of late, at `dear_at`. `zones`: that its replicas were seen to be spread
    over, 0 before that; `by_zone`: what is known of each. `taken`: nodes whose loss is counted. `left_at`: when
    replicas were last moved away from here to save money. `closed`: nodes of its pool are cordoned. `at_once`: looked
    for only where one of the policy's pools keeps nodes ready.
    """

    name: str
    asked: int
    alive: int
    record: LossRecord
    price_per_hour: float | None = None
    priced_at: float = 0.0
    price_old_since: float | None = None
    offered_per_hour: float | None = None
    can_be_lost: bool = False
    zones: int = 0
    taken: tuple[str, ...] = ()
    left_at: float | None = None
    dear_per_hour: float = 0.0
    dear_at: float = 0.0
    closed: Closure | None = None
    by_zone: tuple[ZoneRecord, ...] = ()
    at_once: AtOnce = AtOnce()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """`total`: replicas decided on at the last look; more are asked for while some are moved or replaced.

    `ordered`: of each domain then, those included that were about to be lost; () where nothing is written. `before`:
    that were asked for when it was decided. `late_price`: the last that the headroom rules found.
    """

    domains: tuple[PlacedDomain, ...] = ()
    total: int = 0
    before: tuple[int, ...] = ()
    ordered: tuple[int, ...] = ()
    late_price: float | None = None
