"""One look at where a policy's replicas run, and where they are to run from now on. State in, state out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Final

from inference_cost.decide.mix.budget import Cap, Prices, affordable
from inference_cost.decide.mix.cheapest import MOST, Domain, Risk, cheapest
from inference_cost.decide.mix.dwell import Move, dwelling, left_at
from inference_cost.decide.mix.grant import Grant
from inference_cost.decide.mix.hazard import NOBODY, per_hour
from inference_cost.decide.mix.losses import NOTHING_KNOWN, Happened, keeps_away, watched
from inference_cost.decide.mix.moves import asked
from inference_cost.decide.mix.zones import (
    LOST_AGAIN_PER_HOUR,
    ZonePods,
    kept_from,
    looked_at,
    stay_elsewhere,
    zones_in_use,
)
from inference_cost.model.placement import LossRecord, PlacedDomain, ZoneRecord
from inference_cost.model.workload import LossesSeen

LEAST_EXPOSURE_SECONDS: Final = 10.0
PROBE: Final = (
    1  # replica: what is asked of a domain that took some away or refused, until one is ready
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSeen:
    """What there is in a domain, what is about to be lost left out. `can_be_lost`: on demand cannot.

    `waiting`: of those that start, without a node. `vain`: that have waited for too long, and do not count.
    `refused`: what was asked for does not come. `parts`: zones that are lost one by one. `more`: that may be
    asked for beyond the sure ones, whatever was lost there. `zones`: where replicas are; `one_zone`: more cannot
    run in another one. `others`: what other policies saw. `dear_per_hour`: the highest price of late.
    `capped_per_hour`: what a cap counts, where the price is left out of the mix.
    """

    name: str
    price_per_hour: float
    can_be_lost: bool
    ready: int
    starting: int
    waiting: int = 0
    vain: int = 0
    lost: int = 0  # replicas taken, or about to be, since the last look
    silent: int = 0  # on nodes that do not answer, where these are many
    refused: bool = False
    lowest: int = 0
    highest: int = MOST
    parts: int = 1
    dear_per_hour: float = 0.0
    capped_per_hour: float | None = None
    more: int = MOST
    zones: tuple[ZonePods, ...] = ()
    one_zone: bool = False
    others: LossesSeen = NOBODY

    @property
    def alive(self) -> int:
        return self.ready + self.starting

    @property
    def paid_per_hour(self) -> float:
        """Counted by a cap."""
        return self.price_per_hour if self.capped_per_hour is None else self.capped_per_hour

    @property
    def sure(self) -> int:
        """That need no further node."""
        return self.alive - self.waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """By domain, in their order. `wanted`: the cheapest mix; `asked`: on the way there; `domains`: as reckoned with.

    `short`: replicas for which no domain has room now; some of them are asked for all the same. `dwelling`: some stay
    where they are for the only reason that they left the cheaper place a short while ago. `limited`: replicas that
    limits of pools hold back; `unpaid`: that the policy's cap does.
    """

    wanted: tuple[int, ...]
    asked: tuple[int, ...]
    domains: tuple[Domain, ...]
    remembered: tuple[PlacedDomain, ...]
    short: int = 0
    dwelling: bool = False
    limited: int = 0
    unpaid: int = 0


def exposure_seconds(start_seconds: float, notice_seconds: float, reaction_seconds: float) -> float:
    """From the end of a lost replica until one ordered `reaction_seconds` after its notice serves."""
    return max(reaction_seconds + start_seconds - notice_seconds, LEAST_EXPOSURE_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a mix was sought with, no limit of a pool looked at. `cap`: on its cost; `mix`: what was found.

    `was`: the domains at the last look; `plain`: before what goes back too soon is made dearer.
    """

    needed: int
    seen: tuple[DomainSeen, ...]
    was: tuple[PlacedDomain | None, ...]
    at: float
    records: tuple[LossRecord, ...]
    by_zone: tuple[tuple[ZoneRecord, ...], ...]
    plain: tuple[Domain, ...]
    domains: tuple[Domain, ...]
    risk: Risk
    cap: Cap | None
    mix: tuple[int, ...]

    @property
    def dear(self) -> tuple[float, ...]:
        """The highest prices of late."""
        return tuple(max(one.dear_per_hour, one.paid_per_hour) for one in self.seen)


def place(  # noqa: PLR0917 - all that counts
    needed: int,
    seen: Sequence[DomainSeen],
    risk: Risk,
    before: Sequence[PlacedDomain],
    at: float,
    cap: Cap | None = None,
) -> Placed:
    """What to ask each domain for, where no pool has a limit."""
    return settle(seek(needed, seen, risk, before, at, cap))


def seek(  # noqa: PLR0917 - all that counts
    needed: int,
    seen: Sequence[DomainSeen],
    risk: Risk,
    before: Sequence[PlacedDomain],
    at: float,
    cap: Cap | None = None,
) -> Sought:
    """The cheapest mix. Of a domain that was not there before nothing is known."""
    known = {one.name: one for one in before}
    was = tuple(known.get(one.name) for one in seen)
    by_zone = tuple(
        looked_at(() if before is None else before.by_zone, one.zones, at)
        for one, before in zip(seen, was, strict=True)
    )
    records = tuple(map(_watched, seen, was, by_zone, repeat(at)))
    plain = tuple(map(_domain_of, seen, records, by_zone, repeat(at)))
    sought = Sought(
        needed=needed,
        seen=tuple(seen),
        was=was,
        at=at,
        records=records,
        by_zone=by_zone,
        plain=plain,
        domains=plain if _lost_some(seen) else dwelling(plain, was, at),
        risk=risk,
        cap=cap,
        mix=(),
    )
    return replace(sought, mix=_found(sought, sought.domains))


def _lost_some(seen: Sequence[DomainSeen]) -> bool:
    """What is to be replaced may be so where replicas have just left. A load that grows is no reason to go back."""
    troubled = any(one.lost or one.refused or one.vain or one.silent for one in seen)
    return troubled or not any(one.alive for one in seen)


def settle(sought: Sought, grant: Grant | None = None) -> Placed:
    """What to ask each domain for; `grant`: what pools with limits leave to it."""
    needed, seen, domains, found = sought.needed, sought.seen, sought.domains, sought.mix
    if grant is not None:
        domains = tuple(map(_no_more_than, domains, grant.goal))
        found = _found(sought, domains)
    unpaid = 0
    if sought.cap is not None:
        afford = cheapest(needed, domains, sought.risk)
        unpaid = max(_missing(needed, found) - _missing(needed, afford), 0)
    payable = needed - unpaid
    wanted = found if unpaid else _last_resort(payable, found, seen, grant)
    going = asked(wanted, [one.ready for one in seen], payable)
    asking = going if grant is None else tuple(map(min, going, grant.now))
    limited = max(_missing(needed, found) - _missing(needed, sought.mix), 0)
    waiting = max(min(payable, sum(going)) - sum(asking), 0)
    return Placed(
        wanted=wanted,
        asked=asking,
        domains=domains,
        remembered=_remembered(sought, wanted, asking),
        short=max(payable - sum(found) - limited, 0),
        dwelling=sought.domains != sought.plain
        and grant is None
        and _found(sought, sought.plain) != found,
        limited=max(limited, waiting),
        unpaid=unpaid,
    )


def _remembered(
    sought: Sought, wanted: Sequence[int], asking: Sequence[int]
) -> tuple[PlacedDomain, ...]:
    lost = _lost_some(sought.seen)
    moves = [
        Move(alive=one.alive, wanted=n, forced=lost or keeps_away(record, sought.at))
        for one, n, record in zip(sought.seen, wanted, sought.records, strict=True)
    ]
    left = left_at(moves, sought.was, sought.at)
    rows = zip(sought.seen, asking, sought.records, left, sought.by_zone, strict=True)
    return tuple(
        PlacedDomain(
            name=one.name,
            asked=count,
            alive=one.alive,
            record=record,
            left_at=since,
            by_zone=zones,
        )
        for one, count, record, since, zones in rows
    )


def _found(sought: Sought, domains: Sequence[Domain]) -> tuple[int, ...]:
    if sought.cap is None:
        return cheapest(sought.needed, domains, sought.risk)
    prices = Prices(dear=sought.dear, today=tuple(one.paid_per_hour for one in sought.seen))
    return affordable(sought.needed, domains, sought.risk, prices, sought.cap)


def _no_more_than(domain: Domain, most: int) -> Domain:
    if most >= domain.highest:
        return domain
    return replace(domain, lowest=min(domain.lowest, most), highest=most)


def _missing(needed: int, counts: Sequence[int]) -> int:
    return max(needed - sum(counts), 0)


def _last_resort(
    needed: int, found: Sequence[int], seen: Sequence[DomainSeen], grant: Grant | None
) -> tuple[int, ...]:
    """Where there is nowhere room, what waits goes on waiting, and one more is asked for, on demand before spot."""
    counts, missing = list(found), needed - sum(found)
    order = sorted(range(len(seen)), key=lambda i: (seen[i].can_be_lost, seen[i].price_per_hour))
    for i in order if missing > 0 else ():
        one = seen[i]
        most = one.highest if grant is None else min(one.highest, grant.goal[i])
        room = min(most, one.sure + max(one.waiting + one.vain, one.silent, PROBE)) - counts[i]
        more = min(missing, max(room, 0))
        counts[i] += more
        missing -= more
    return tuple(counts)


def _watched(
    seen: DomainSeen, before: PlacedDomain | None, zones: Sequence[ZoneRecord], at: float
) -> LossRecord:
    record = NOTHING_KNOWN if before is None else before.record
    had, asked_before = (seen.alive, seen.alive) if before is None else (before.alive, before.asked)
    of = max(min(had, asked_before), seen.lost, 1)
    happened = Happened(
        ready=seen.ready,
        alive=had,
        lost=seen.parts * seen.lost / of,
        refused=seen.refused,
        silent=seen.silent > 0,
        parts=seen.parts,
        elsewhere=not seen.one_zone and stay_elsewhere(seen.zones, zones, at),
    )
    return watched(record, happened, at)


def _domain_of(
    seen: DomainSeen, record: LossRecord, zones: Sequence[ZoneRecord], at: float
) -> Domain:
    """Of one to keep away from what needs no further node stays, and no more is asked for."""
    away = kept_from(zones, at)
    parts = max(seen.parts, zones_in_use(seen.zones, away)) if away else seen.parts
    highest = min(seen.highest, seen.sure + seen.more)
    if keeps_away(record, at):
        highest = min(highest, seen.sure)
    elif not record.proven:
        highest = min(highest, max(seen.sure, PROBE))
    return Domain(
        price_per_hour=seen.price_per_hour,
        losses_per_hour=per_hour(record, seen.others) if seen.can_be_lost else 0.0,
        parts=max(parts - len(away), 1),
        settled=seen.sure,
        unsettled_losses_per_hour=LOST_AGAIN_PER_HOUR * len(away) / parts,
        held=seen.alive,
        lowest=min(seen.lowest, highest),
        highest=highest,
    )
