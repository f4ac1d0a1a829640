"""One look at where a policy's replicas run, and where they are to run from now on. State in, state out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from inference_cost.decide.mix.cheapest import MOST, Domain, Risk, cheapest
from inference_cost.decide.mix.losses import Happened, LossRecord, keeps_away, watched
from inference_cost.decide.mix.moves import asked

LEAST_EXPOSURE_SECONDS: Final = 10.0
PROBE: Final = (
    1  # replica: what is asked of a domain that took some away or refused, until one is ready
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSeen:
    """What there is in a domain, what is about to be lost left out. `can_be_lost`: on demand cannot."""

    price_per_hour: float
    can_be_lost: bool
    ready: int
    starting: int
    lost: int = 0  # replicas taken, or about to be, since the last look
    lowest: int = 0
    highest: int = MOST

    @property
    def alive(self) -> int:
        return self.ready + self.starting


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """By domain, in their order: what was asked for last, what there was then, and what is known of losses."""

    asked: tuple[int, ...] = ()
    alive: tuple[int, ...] = ()
    records: tuple[LossRecord, ...] = ()


def exposure_seconds(start_seconds: float, notice_seconds: float, reaction_seconds: float) -> float:
    """From the end of a lost replica until one ordered `reaction_seconds` after its notice serves."""
    return max(reaction_seconds + start_seconds - notice_seconds, LEAST_EXPOSURE_SECONDS)


def place(
    needed: int, seen: Sequence[DomainSeen], risk: Risk, before: Placing, at: float
) -> Placing:
    """What to ask each domain for. Where their number changed nothing is known of any."""
    alive = tuple(one.alive for one in seen)
    if len(before.records) != len(seen):
        before = Placing(asked=alive, alive=alive, records=tuple(LossRecord() for _ in seen))
    records = tuple(
        watched(record, _happened(one, asked_before, alive_before), at)
        if one.can_be_lost
        else record
        for record, one, asked_before, alive_before in zip(
            before.records, seen, before.asked, before.alive, strict=True
        )
    )
    domains = [_domain(one, record, at) for one, record in zip(seen, records, strict=True)]
    wanted = cheapest(needed, domains, risk)
    asking = asked(wanted, [one.ready for one in seen], needed)
    return Placing(asked=asking, alive=alive, records=records)


def _happened(seen: DomainSeen, asked_before: int, alive_before: int) -> Happened:
    lost = seen.lost > 0
    return Happened(
        ready=seen.ready,
        alive=alive_before,
        lost=lost,
        refused=not lost and seen.alive < asked_before,
    )


def _domain(seen: DomainSeen, record: LossRecord, at: float) -> Domain:
    """Of one to keep away from what is there stays, and no more is asked for."""
    highest = seen.highest
    if seen.can_be_lost and keeps_away(record, at):
        highest = min(highest, seen.alive)
    elif seen.can_be_lost and not record.proven:
        highest = min(highest, max(seen.alive, PROBE))
    return Domain(
        price_per_hour=seen.price_per_hour,
        losses_per_hour=record.per_hour if seen.can_be_lost else 0.0,
        held=seen.alive,
        lowest=min(seen.lowest, highest),
        highest=highest,
    )
