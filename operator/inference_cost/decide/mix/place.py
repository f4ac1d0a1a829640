"""One look at where a policy's replicas run, and where they are to run from now on. State in, state out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from inference_cost.decide.mix.budget import Cap, affordable
from inference_cost.decide.mix.cheapest import MOST, Domain, Risk, cheapest
from inference_cost.decide.mix.dwell import Move, dwelling, left_at
from inference_cost.decide.mix.losses import NOTHING_KNOWN, Happened, keeps_away, watched
from inference_cost.decide.mix.moves import asked
from inference_cost.model.placement import LossRecord, PlacedDomain

LEAST_EXPOSURE_SECONDS: Final = 10.0
PROBE: Final = (
    1  # replica: what is asked of a domain that took some away or refused, until one is ready
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSeen:
    """What there is in a domain, what is about to be lost left out. `can_be_lost`: on demand cannot.

    `waiting`: of those that start, without a node. `vain`: that have waited for too long, and do not count.
    `refused`: what was asked for does not come. `parts`: zones that are lost one by one. `closed`: nothing new lands
    there for now, because somebody wants it so. `granted`: replicas for which a pool with limits has room, those there
    included; `at_once`: of these that may be asked for now. `dear_per_hour`: the highest price of late.
    """

    name: str
    price_per_hour: float
    can_be_lost: bool
    ready: int
    starting: int
    waiting: int = 0
    vain: int = 0
    lost: int = 0  # replicas taken, or about to be, since the last look
    refused: bool = False
    lowest: int = 0
    highest: int = MOST
    parts: int = 1
    granted: int = MOST
    at_once: int = MOST
    dear_per_hour: float = 0.0
    closed: bool = False

    @property
    def alive(self) -> int:
        return self.ready + self.starting

    @property
    def sure(self) -> int:
        """That need no further node."""
        return self.alive - self.waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """By domain, in their order. `wanted`: the cheapest mix; `asked`: on the way there; `domains`: as reckoned with.

    `short`: replicas for which no domain has room now; some of them are asked for all the same. `limited`: that the
    limits of pools hold back; `unpaid`: that the policy's cap does. `free`: `domains` and `unlimited` the mix without
    limits of pools. `dwelling`: some stay where they are for the only reason that they left the cheaper place a short
    while ago.
    """

    wanted: tuple[int, ...]
    asked: tuple[int, ...]
    domains: tuple[Domain, ...]
    remembered: tuple[PlacedDomain, ...]
    free: tuple[Domain, ...]
    unlimited: tuple[int, ...]
    short: int = 0
    limited: int = 0
    unpaid: int = 0
    dwelling: bool = False


def exposure_seconds(start_seconds: float, notice_seconds: float, reaction_seconds: float) -> float:
    """From the end of a lost replica until one ordered `reaction_seconds` after its notice serves."""
    return max(reaction_seconds + start_seconds - notice_seconds, LEAST_EXPOSURE_SECONDS)


def place(  # noqa: PLR0917 - all that counts
    needed: int,
    seen: Sequence[DomainSeen],
    risk: Risk,
    before: Sequence[PlacedDomain],
    at: float,
    cap: Cap | None = None,
) -> Placed:
    """What to ask each domain for. Of one that was not there before nothing is known. `cap`: on its cost."""
    known = {one.name: one for one in before}
    records = tuple(_watched(one, known, at) for one in seen)
    plain = tuple(_domain_of(one, record, at) for one, record in zip(seen, records, strict=True))
    was = [known.get(one.name) for one in seen]
    nothing_missing = sum(one.alive for one in seen) >= needed
    free = dwelling(plain, was, at) if nothing_missing else plain
    domains = tuple(map(_granted, free, seen))
    unlimited = _found(needed, free, seen, risk, cap)
    found = unlimited if domains == free else _found(needed, domains, seen, risk, cap)
    unpaid = 0
    if cap is not None:
        unpaid = _missing(needed, found) - _missing(needed, cheapest(needed, domains, risk))
    payable = needed - max(unpaid, 0)
    wanted = found if unpaid > 0 else _last_resort(payable, found, seen)
    going = asked(wanted, [one.ready for one in seen], payable)
    asking = tuple(min(count, one.at_once) for count, one in zip(going, seen, strict=True))
    moves = [
        Move(alive=one.alive, wanted=n, forced=not nothing_missing or keeps_away(record, at))
        for one, n, record in zip(seen, wanted, records, strict=True)
    ]
    left = left_at(moves, was, at)
    remembered = tuple(
        PlacedDomain(name=one.name, asked=count, alive=one.alive, record=record, left_at=since)
        for one, count, record, since in zip(seen, asking, records, left, strict=True)
    )
    limited = max(_missing(needed, found) - _missing(needed, unlimited), 0)
    waiting = max(min(payable, sum(going)) - sum(asking), 0)
    return Placed(
        wanted=wanted,
        asked=asking,
        domains=domains,
        remembered=remembered,
        free=free,
        unlimited=unlimited,
        short=max(payable - sum(found) - limited, 0),
        limited=max(limited, waiting),
        unpaid=max(unpaid, 0),
        dwelling=free != plain
        and _found(needed, tuple(map(_granted, plain, seen)), seen, risk, cap) != found,
    )


def _found(
    needed: int,
    domains: Sequence[Domain],
    seen: Sequence[DomainSeen],
    risk: Risk,
    cap: Cap | None,
) -> tuple[int, ...]:
    if cap is None:
        return cheapest(needed, domains, risk)
    dear = [max(one.dear_per_hour, one.price_per_hour) for one in seen]
    return affordable(needed, domains, risk, dear, cap)


def _missing(needed: int, counts: Sequence[int]) -> int:
    return max(needed - sum(counts), 0)


def _granted(domain: Domain, seen: DomainSeen) -> Domain:
    if seen.granted >= domain.highest:
        return domain
    highest = max(seen.granted, 0)
    return replace(domain, lowest=min(domain.lowest, highest), highest=highest)


def _last_resort(needed: int, found: Sequence[int], seen: Sequence[DomainSeen]) -> tuple[int, ...]:
    """Where there is nowhere room, what waits goes on waiting, and one more is asked for, on demand before spot."""
    counts, missing = list(found), needed - sum(found)
    order = sorted(range(len(seen)), key=lambda i: (seen[i].can_be_lost, seen[i].price_per_hour))
    for i in order if missing > 0 else ():
        one = seen[i]
        room = (
            min(one.highest, one.granted, one.sure + max(one.waiting + one.vain, PROBE)) - counts[i]
        )
        more = min(missing, max(room, 0))
        counts[i] += more
        missing -= more
    return tuple(counts)


def _watched(seen: DomainSeen, known: Mapping[str, PlacedDomain], at: float) -> LossRecord:
    before = known.get(seen.name)
    record = NOTHING_KNOWN if before is None else before.record
    had, asked_before = (seen.alive, seen.alive) if before is None else (before.alive, before.asked)
    of = max(min(had, asked_before), seen.lost, 1)
    happened = Happened(
        ready=seen.ready,
        alive=had,
        lost=seen.parts * seen.lost / of,
        refused=seen.refused,
        parts=seen.parts,
    )
    return watched(record, happened, at)


def _domain_of(seen: DomainSeen, record: LossRecord, at: float) -> Domain:
    """Of one to keep away from what needs no further node stays, and no more is asked for."""
    highest = seen.highest
    if seen.closed or keeps_away(record, at):
        highest = min(highest, seen.sure)
    elif not record.proven:
        highest = min(highest, max(seen.sure, PROBE))
    return Domain(
        price_per_hour=seen.price_per_hour,
        losses_per_hour=record.per_hour if seen.can_be_lost else 0.0,
        parts=seen.parts,
        held=seen.alive,
        lowest=min(seen.lowest, highest),
        highest=highest,
    )
