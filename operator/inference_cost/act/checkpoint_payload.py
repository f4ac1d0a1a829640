"""What is kept of one policy across restarts, as the payload of its InferenceCostCheckpoint. Pure.

JSON, compressed with zlib, in base64. A payload that cannot be read is dropped: everything in it is learned again.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose
from typing import Any

from inference_cost.account import checkpoint as account_codec
from inference_cost.account.month import AccountMemory
from inference_cost.api.checkpoint import PAYLOAD_LENGTH
from inference_cost.decide import memory_codec
from inference_cost.decide.calibration import WRONG_SECONDS
from inference_cost.decide.evenness import LASTING_WINDOWS, effective_share
from inference_cost.decide.replica.service_time import solve
from inference_cost.decide.replica.shared import busy
from inference_cost.decide.zero import BLIND_SECONDS
from inference_cost.model.memory import (
    Calibration,
    PolicyMemory,
    ServiceTimeEstimate,
    SuspectedOutage,
)
from inference_cost.model.placement import Placing
from inference_cost.model.plan import Evenness

FORMAT = 1
LARGEST_INFLATED = 8 * 1024 * 1024  # a payload that grows beyond this is not ours

# Relative moves below these would not change a decision noticeably.
SERVICE_TIME_MOVE = 0.05
START_UP_MOVE = 0.10
HEADROOM_SECONDS = 3600.0  # what was learned of the demand in so short a time is soon learned again
CALIBRATION_MOVE = 0.02
EVENNESS_MOVE = 0.05
HISTORY_MOVE = 0.1  # of how far back a rule looks
MONEY_MOVE = 0.01
LOSSES_MOVE = 0.1
TYPICAL_BATCH = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """All that one policy's checkpoint holds."""

    memory: PolicyMemory = field(default_factory=PolicyMemory)
    account: AccountMemory | None = None


def encode(learned: Learned) -> str:
    """Payload of a checkpoint.

    Raises:
        ValueError: it would be longer than the schema allows.
    """
    state: dict[str, Any] = {"memory": memory_codec.encode(learned.memory)}
    if learned.account is not None:
        state["account"] = account_codec.to_dict(learned.account)
    text = json.dumps(state, separators=(",", ":"), allow_nan=False)
    payload = base64.b64encode(zlib.compress(text.encode())).decode()
    if len(payload) > PAYLOAD_LENGTH:
        raise ValueError(f"checkpoint of {len(payload)} characters is too long")
    return payload


def decode(payload: str) -> Learned | None:
    """The learned state, its profile marked as restored; None when damaged."""
    try:
        state = json.loads(_inflate(base64.b64decode(payload, validate=True)))
    except (binascii.Error, zlib.error, ValueError):
        return None
    if not isinstance(state, dict):
        return None
    memory, account = (_mapping(state.get(part)) for part in ("memory", "account"))
    return Learned(
        memory=memory_codec.restore(memory) or PolicyMemory(),
        account=account_codec.from_dict(account),
    )


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(data, LARGEST_INFLATED)
    if inflater.unconsumed_tail:
        raise ValueError("too long")
    return text


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def moved(old: Learned, new: Learned) -> bool:
    """Whether a learned value is beyond its tolerance from what is stored."""
    before, after = old.memory, new.memory
    return (
        _estimates_moved(before.estimates, after.estimates)
        or not _near(_mean(before), _mean(after), START_UP_MOVE)
        or _watched_at(after) - _watched_at(before) >= HEADROOM_SECONDS
        or _calibration_moved(before.calibration, after.calibration)
        or _evenness_moved(before.evenness, after.evenness)
        or before.take_over != after.take_over
        or _when(before.outage) != _when(after.outage)
        or _losses_moved(before.placing, after.placing)
        or after.blind_at - before.blind_at >= HISTORY_MOVE * BLIND_SECONDS
        or after.warm.starts != before.warm.starts
        or _account_moved(old.account, new.account)
    )


def pressing(old: Learned, new: Learned) -> bool:
    """Whether a new leader could not find out what is not stored yet, and would decide otherwise."""
    before, after = old.memory, new.memory
    outage = after.outage
    begun = outage is not None and not outage.over and _when(before.outage) != _when(outage)
    lost = bool(_away(after.placing) - _away(before.placing))
    lost = lost or _moves(after.placing) != _moves(before.placing)
    asleep = _asleep(after) and not _asleep(before)
    return begun or lost or asleep or _backlog_moved(before, after)


def _away(placing: Placing) -> set[tuple[str, float]]:
    """A new leader would ask at once what was just lost."""
    records = [(one.name, one.record.away_until) for one in placing.domains]
    for one in placing.domains:
        records += [(f"{one.name}/{zone.name}", zone.record.away_until) for zone in one.by_zone]
    return {(name, until) for name, until in records if until is not None}


def _moves(placing: Placing) -> tuple[int, ...]:
    """Orders of a move under way: a new leader would take the surplus for what is needed."""
    return placing.ordered if sum(placing.ordered) > placing.total else ()


def _losses_moved(old: Placing, new: Placing) -> bool:
    before = {one.name: one.record.per_hour for one in old.domains}
    after = {one.name: one.record.per_hour for one in new.domains}
    if before.keys() != after.keys():
        return True
    return any(not _near(before[name], after[name], LOSSES_MOVE) for name in after)


def _asleep(memory: PolicyMemory) -> bool:
    """On purpose: a new leader whose first look fails would wake one that it knows nothing of."""
    return memory.last_current == 0 and memory.quiet_at > 0


def _backlog_moved(old: PolicyMemory, new: PolicyMemory) -> bool:
    """Since when it waits is told by the history alone, which reaches back as far as the deadline."""
    if not new.arrivals or new.arrivals[-1][2] <= 0:
        return False
    newest, reach = new.arrivals[-1][0], new.arrivals[-1][0] - new.arrivals[0][0]
    return not old.arrivals or newest - old.arrivals[-1][0] > HISTORY_MOVE * reach


def _watched_at(memory: PolicyMemory) -> float:
    return max(memory.looked_at, memory.arrivals[-1][0] if memory.arrivals else 0.0)


def _when(outage: SuspectedOutage | None) -> tuple[float, bool] | None:
    return None if outage is None else (outage.began_at, outage.over)


def _calibration_moved(old: Calibration, new: Calibration) -> bool:
    wrong = [one.wrong_seconds >= WRONG_SECONDS for one in (old, new)]
    return wrong[0] != wrong[1] or not _near(old.factor, new.factor, CALIBRATION_MOVE)


def _evenness_moved(old: Evenness, new: Evenness) -> bool:
    """Only a verdict is acted on."""
    lasting = [one.windows >= LASTING_WINDOWS for one in (old, new)]
    if not all(lasting):
        return lasting[0] != lasting[1]
    near = _near(effective_share(old), effective_share(new), EVENNESS_MOVE)
    return not near or bool(old.idle) != bool(new.idle)


def _estimates_moved(
    old: tuple[ServiceTimeEstimate, ...], new: tuple[ServiceTimeEstimate, ...]
) -> bool:
    before = {e.key: e for e in old}
    after = {e.key: e for e in new}
    if before.keys() != after.keys():
        return True
    return any(_estimate_moved(before[key], after[key]) for key in after)


def _estimate_moved(old: ServiceTimeEstimate, new: ServiceTimeEstimate) -> bool:
    """A time or load moved, or what it rests on doubled."""
    if not _near(_held_at(old), _held_at(new), SERVICE_TIME_MOVE):
        return True
    before, after = solve(old), solve(new)
    if before is None or after is None:
        return (before is None) != (after is None)
    return (
        not _near(before.alpha_seconds, after.alpha_seconds, SERVICE_TIME_MOVE)
        or not _near(before.seconds(TYPICAL_BATCH), after.seconds(TYPICAL_BATCH), SERVICE_TIME_MOVE)
        or new.executions > 2 * old.executions
    )


def _held_at(estimate: ServiceTimeEstimate) -> float:
    return busy(estimate.held_mix) or estimate.largest_load_seen


def _account_moved(old: AccountMemory | None, new: AccountMemory | None) -> bool:
    if old is None or new is None:
        return new is not None
    return (
        old.month != new.month
        or old.per_hour != new.per_hour
        or not _near(float(old.amount), float(new.amount), MONEY_MOVE)
    )


def _mean(memory: PolicyMemory) -> float:
    seconds = memory.start_up_seconds
    return sum(seconds) / len(seconds) if seconds else 0.0


def _near(old: float, new: float, tolerance: float) -> bool:
    return isclose(old, new, rel_tol=tolerance, abs_tol=1e-9)
