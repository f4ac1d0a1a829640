"""How often a failure domain is lost, and for how long to keep away from it.

A domain (a zone of a spot pool) mostly goes as a whole, so it is one unit. The rate of its losses has a Gamma posterior
(losses ÷ hours with replicas, starting ones too), which fades back to the prior: one loss in four hours, what zones of
AWS lost a V100 at (github.com/skypilot-org/spot-traces: 0.1 to 1.4 per hour). Only what a cloud takes counts, never
what is removed here.
"""

from dataclasses import dataclass, replace
from typing import Final

from inference_cost.model.placement import LossRecord

PRIOR_LOSSES: Final = 1.0
PRIOR_HOURS: Final = 4.0
HALF_LIFE_SECONDS: Final = 48 * 3600.0
# Half of the spells without capacity are over within half an hour, others last for hours: the time away doubles with
# each loss or refusal, and halves with each spell of twice its length without one.
FIRST_AWAY_SECONDS: Final = 600.0
SILENT_AWAY_SECONDS: Final = 120.0  # after the last look at which many did not answer
LONGEST_AWAY_SECONDS: Final = 7_200.0


LONGEST_LOOK_SECONDS: Final = (
    300.0  # between looks: what a pause or an outage hid is no time without a loss
)
GROUP: Final = (
    0.5  # of what is lost together: fewer are single machines, and say little of those beside them
)
TOGETHER_SECONDS: Final = (
    180.0  # within which most machines of one kind and zone go that the cloud takes at one time
)
NOTHING_KNOWN: Final = LossRecord(
    losses=PRIOR_LOSSES, hours=PRIOR_HOURS, away_seconds=FIRST_AWAY_SECONDS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """In one domain since the last look. `alive`: replicas then, starting ones too.

    `lost`: share of what is lost together; of replicas in several zones that of all zones, added up. `parts`: zones.
    `refused`: what was asked for did not come. `silent`: many do not answer. `elsewhere`: some stay in zones that were
    not lost, where more may come.
    """

    ready: int  # now
    alive: int
    lost: float = 0.0
    refused: bool = False
    silent: bool = False
    parts: int = 1
    elsewhere: bool = False


def watched(record: LossRecord, happened: Happened, at: float) -> LossRecord:
    """With one look more."""
    seconds = 0.0 if record.looked_at is None else max(at - record.looked_at, 0.0)
    kept = 0.5 ** (seconds / HALF_LIFE_SECONDS)
    present = happened.parts * min(seconds, LONGEST_LOOK_SECONDS) / 3600 if happened.alive else 0.0
    faded = replace(
        record,
        losses=PRIOR_LOSSES + (record.losses - PRIOR_LOSSES) * kept + happened.lost,
        hours=PRIOR_HOURS + (record.hours - PRIOR_HOURS) * kept + present,
        looked_at=at if record.looked_at is None else max(at, record.looked_at),
    )
    if happened.lost:
        before = record.lately if 0 <= at - record.lately_at <= TOGETHER_SECONDS else 0.0
        faded = replace(faded, lately=before + happened.lost, lately_at=at)
    together = happened.lost and faded.lately >= GROUP and not happened.elsewhere
    if happened.refused or together:
        return _away(faded, at)
    if happened.silent and not happened.elsewhere:
        return _aside(faded, at)
    if keeps_away(faded, at):  # what is left there does not say that more is to be had
        return faded
    return _held(faded, at) if happened.ready else replace(faded, held_since=None)


def keeps_away(record: LossRecord, at: float) -> bool:
    return record.away_until is not None and at < record.away_until


def is_silent(silent: int, others: int) -> bool:
    """Half or more of the replicas on nodes do not answer: fewer are single machines."""
    return silent > 0 and silent >= others


def _aside(record: LossRecord, at: float) -> LossRecord:
    """They may answer again, so nothing is learned from it: neither a loss nor a longer time away."""
    until = max(at + SILENT_AWAY_SECONDS, record.away_until or 0.0)
    return replace(record, away_until=until, held_since=None, proven=False)


def _away(record: LossRecord, at: float) -> LossRecord:
    return replace(
        record,
        away_until=at + record.away_seconds,
        lately=0.0,
        away_seconds=min(2 * record.away_seconds, LONGEST_AWAY_SECONDS),
        held_since=None,
        proven=False,
    )


def _held(record: LossRecord, at: float) -> LossRecord:
    if record.held_since is None:
        return replace(record, held_since=at, proven=True, away_until=None)
    if at - record.held_since <= 2 * record.away_seconds:
        return record
    shorter = max(record.away_seconds / 2, FIRST_AWAY_SECONDS)
    return replace(record, held_since=at, away_seconds=shorter)
