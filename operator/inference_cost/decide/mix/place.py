"""One look at where a policy's replicas run, and where they are to run from now on. State in, state out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    """By domain: what was asked for last, and what is known of losses."""

    asked: tuple[int, ...] = ()
    records: tuple[LossRecord, ...] = ()


def exposure_seconds(start_seconds: float, notice_seconds: float, reaction_seconds: float) -> float:
    """From the end of a lost replica until one ordered `reaction_seconds` after its notice serves."""
    return max(start_seconds - notice_seconds, LEAST_EXPOSURE_SECONDS) + reaction_seconds


def place(
    needed: int, seen: Sequence[DomainSeen], risk: Risk, before: Placing, at: float
) -> Placing:
    """What to ask each domain for. A domain of another number than before starts with nothing known."""
    known = len(before.records) == len(seen)
    records = before.records if known else tuple(LossRecord() for _ in seen)
    asked_before = before.asked if known else tuple(one.alive for one in seen)
    records = tuple(
        watched(record, _happened(one, last), at) if one.can_be_lost else record
        for record, one, last in zip(records, seen, asked_before, strict=True)
    )
    domains = [_domain(one, record, at) for one, record in zip(seen, records, strict=True)]
    wanted = cheapest(needed, domains, risk)
    asking = asked(wanted, [one.ready for one in seen], [one.alive for one in seen], needed)
    return replace(before, asked=asking, records=records)


def _happened(seen: DomainSeen, asked_before: int) -> Happened:
    lost = seen.lost > 0
    return Happened(ready=seen.ready, lost=lost, refused=not lost and seen.alive < asked_before)


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
