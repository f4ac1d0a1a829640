"""Savings that go on with what the last leader exported after its checkpoint."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from inference_cost.account.calendar import month_of
from inference_cost.account.savings.savings import Kept, SavingsMemory, Sum
from inference_cost.model.policy import Baseline

Pair = tuple[Baseline, bool]  # and whether it is potential


def brought_up(memory: SavingsMemory, recorded: Iterable[Kept], counted_at: float) -> SavingsMemory:
    """No sum falls. Of the time since the checkpoint, what was not compared is unknown.

    A month that has begun since, begins at `counted_at`: how much of what was exported is of it is not told.
    """
    stored = {_pair(one): one for one in memory.kept}
    kept = dict(stored)
    for one in recorded:
        kept[_pair(one)] = _higher(_of(stored, _pair(one)), one)
    gone_on = replace(memory, kept=tuple(kept.values()), last_at=counted_at)
    if month_of(memory.since) != month_of(counted_at):
        return SavingsMemory(
            baseline=memory.baseline,
            potential=memory.potential,
            since=counted_at,
            last_at=counted_at,
            shadows=memory.shadows,
            kept=gone_on.kept,
        )
    now = (memory.baseline, memory.potential)
    return _month_with(gone_on, _of(stored, now), _of(kept, now), counted_at - memory.last_at)


def _pair(one: Kept) -> Pair:
    return one.baseline, one.potential


def _of(kept: Mapping[Pair, Kept], pair: Pair) -> Kept:
    baseline, potential = pair
    return kept.get(pair) or Kept(baseline=baseline, potential=potential)


def _month_with(
    memory: SavingsMemory, before: Kept, now: Kept, elapsed_seconds: float
) -> SavingsMemory:
    compared = min(now.seconds - before.seconds, elapsed_seconds)
    return replace(
        memory,
        ours=_with(memory.ours, before.ours, now.ours),
        theirs=_with(memory.theirs, before.theirs, now.theirs),
        requests=memory.requests + now.requests - before.requests,
        seconds=memory.seconds + compared,
        unknown_seconds=memory.unknown_seconds + elapsed_seconds - compared,
    )


def _with(month: Sum, before: Sum, now: Sum) -> Sum:
    return replace(
        month,
        amount=month.amount + now.amount - before.amount,
        late=month.late + now.late - before.late,
    )


def _higher(stored: Kept, told: Kept) -> Kept:
    return replace(
        stored,
        ours=_highest(stored.ours, told.ours),
        theirs=_highest(stored.theirs, told.theirs),
        requests=max(stored.requests, told.requests),
        seconds=max(stored.seconds, told.seconds),
    )


def _highest(stored: Sum, told: Sum) -> Sum:
    return replace(stored, amount=max(stored.amount, told.amount), late=max(stored.late, told.late))
