"""One look at where a policy's replicas run, and where they are to run from now on. State in, state out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

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
    there for now, because somebody wants it so.
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

    `short`: replicas for which no domain has room now; some of them are asked for all the same. `dwelling`: some stay
    where they are for the only reason that they left the cheaper place a short while ago.
    """

    wanted: tuple[int, ...]
    asked: tuple[int, ...]
    domains: tuple[Domain, ...]
    remembered: tuple[PlacedDomain, ...]
    short: int = 0
    dwelling: bool = False


def exposure_seconds(start_seconds: float, notice_seconds: float, reaction_seconds: float) -> float:
    """From the end of a lost replica until one ordered `reaction_seconds` after its notice serves."""
    return max(reaction_seconds + start_seconds - notice_seconds, LEAST_EXPOSURE_SECONDS)


def place(
    needed: int,
    seen: Sequence[DomainSeen],
    risk: Risk,
    before: Sequence[PlacedDomain],
    at: float,
) -> Placed:
    """What to ask each domain for. Of one that was not there before nothing is known."""
    known = {one.name: one for one in before}
    records = tuple(_watched(one, known, at) for one in seen)
    plain = tuple(_domain_of(one, record, at) for one, record in zip(seen, records, strict=True))
    was = [known.get(one.name) for one in seen]
    nothing_missing = sum(one.alive for one in seen) >= needed
    domains = dwelling(plain, was, at) if nothing_missing else plain
    found = cheapest(needed, domains, risk)
    wanted = _last_resort(needed, found, seen)
    asking = asked(wanted, [one.ready for one in seen], needed)
    moves = [
        Move(alive=one.alive, wanted=n, forced=not nothing_missing or keeps_away(record, at))
        for one, n, record in zip(seen, wanted, records, strict=True)
    ]
    left = left_at(moves, was, at)
    remembered = tuple(
        PlacedDomain(name=one.name, asked=count, alive=one.alive, record=record, left_at=since)
        for one, count, record, since in zip(seen, asking, records, left, strict=True)
    )
    return Placed(
        wanted=wanted,
        asked=asking,
        domains=domains,
        remembered=remembered,
        short=max(needed - sum(found), 0),
        dwelling=domains != plain and cheapest(needed, plain, risk) != found,
    )


def _last_resort(needed: int, found: Sequence[int], seen: Sequence[DomainSeen]) -> tuple[int, ...]:
    """Where there is nowhere room, what waits goes on waiting, and one more is asked for, on demand before spot."""
    counts, missing = list(found), needed - sum(found)
    order = sorted(range(len(seen)), key=lambda i: (seen[i].can_be_lost, seen[i].price_per_hour))
    for i in order if missing > 0 else ():
        one = seen[i]
        room = min(one.highest, one.sure + max(one.waiting + one.vain, PROBE)) - counts[i]
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
