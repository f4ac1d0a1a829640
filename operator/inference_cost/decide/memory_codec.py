"""Learned state as a plain, versioned dictionary for the checkpoint object, and back.

What cannot be read (another version, a damaged object) is dropped: everything in it is learned again.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Final

from inference_cost.decide.finite import number, number_or_none
from inference_cost.decide.headroom.rules import RULES
from inference_cost.decide.mix.placing_codec import decode_placing
from inference_cost.decide.stretch import STRETCHES
from inference_cost.decide.warm.steps import ENDS
from inference_cost.model.memory import (
    Calibration,
    Compared,
    MixPart,
    PolicyMemory,
    ServiceTimeEstimate,
    SlowPod,
    StartParts,
    SuspectedOutage,
    TakeOver,
)
from inference_cost.model.plan import Evenness
from inference_cost.model.profile_key import UNKNOWN, ProfileKey
from inference_cost.model.reading import Missing
from inference_cost.model.warm import WarmRecord

VERSION: Final = 1
LARGEST_BYTES: Final = 100_000  # of what the headroom rules learned
_ESTIMATE_FIELDS: Final = {field.name for field in fields(ServiceTimeEstimate)}
_KEY_FIELDS: Final = {field.name for field in fields(ProfileKey)}
_MEMORY_FIELDS: Final = {field.name for field in fields(PolicyMemory)}


def encode(memory: PolicyMemory) -> dict[str, Any]:
    """JSON-ready; `decode(encode(memory)) == memory`."""
    return {
        "version": VERSION,
        **_lists(asdict(memory)),
        "headroom": b64encode(zlib.compress(memory.headroom)).decode("ascii"),
    }


def decode(data: Mapping[str, Any]) -> PolicyMemory | None:
    """The memory, or None where it is of another version or damaged."""
    if data.get("version") != VERSION:
        return None
    try:
        return _memory({name: value for name, value in data.items() if name in _MEMORY_FIELDS})
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, zlib.error):
        return None


def restore(data: Mapping[str, Any]) -> PolicyMemory | None:
    """As `decode`, with the profile marked as restored until something is learned again."""
    memory = decode(data)
    if memory is None:
        return None
    estimates = tuple(replace(one, source="Checkpoint") for one in memory.estimates)
    return replace(memory, estimates=estimates)


def _memory(data: dict[str, Any]) -> PolicyMemory:
    ended = data.get("rollout_ended_at")
    last_desired = data.get("last_desired")
    last_current = data.get("last_current")
    price = data.get("price_before_zero")
    return PolicyMemory(
        estimates=tuple(_estimate(one) for one in data.get("estimates", ())),
        headroom=_unpacked(str(data.get("headroom", ""))),
        looked_at=number(data.get("looked_at", 0.0)),
        take_over=_take_over(data.get("take_over")),
        calibration=_calibration(data.get("calibration", {})),
        evenness=_evenness(data.get("evenness", {})),
        needs=tuple((number(t), int(n)) for t, n in data.get("needs", ())),
        wanted=tuple((number(t), int(n)) for t, n in data.get("wanted", ())),
        gaps=tuple((number(t), number(r)) for t, r in data.get("gaps", ())),
        arrivals=tuple((number(t), number(a), number(h)) for t, a, h in data.get("arrivals", ())),
        changes=tuple((number(t), int(n)) for t, n in data.get("changes", ())),
        start_up_seconds=tuple(number(t) for t in data.get("start_up_seconds", ())),
        start_up_pools=tuple(str(pool) for pool in data.get("start_up_pools", ())),
        start_parts=tuple(_start_parts(*one) for one in data.get("start_parts", ())),
        attainment=tuple(
            (number(t), number(w), number(n)) for t, w, n in data.get("attainment", ())
        ),
        pods_seen_starting=tuple(str(uid) for uid in data.get("pods_seen_starting", ())),
        misses=int(data.get("misses", 0)),
        last_miss_at=number(data.get("last_miss_at", 0.0)),
        last_sampled_at=number(data.get("last_sampled_at", 0.0)),
        observed_at=number(data.get("observed_at", 0.0)),
        observed_since=number(data.get("observed_since", 0.0)),
        last_desired=None if last_desired is None else int(last_desired),
        last_current=None if last_current is None else int(last_current),
        rollout_ended_at=None if ended is None else number(ended),
        quiet_at=number(data.get("quiet_at", 0.0)),
        quiet_since=number(data.get("quiet_since", 0.0)),
        unseen_at=number(data.get("unseen_at", 0.0)),
        unseen_since=number(data.get("unseen_since", 0.0)),
        blind_at=number(data.get("blind_at", 0.0)),
        price_before_zero=None if price is None else number(price),
        outage=_outage(data.get("outage")),
        slow_pods=tuple(_slow_pod(one) for one in data.get("slow_pods", ())),
        leaving_nodes=tuple((str(n), number(t)) for n, t in data.get("leaving_nodes", ())),
        placing=decode_placing(data.get("placing", {})),
        priority=int(data.get("priority", 0)),
        dear_per_hour=number(data.get("dear_per_hour", 0.0)),
        dear_at=number(data.get("dear_at", 0.0)),
        warm=_warm(data.get("warm", {})),
    )


def _start_parts(pool: Any, node: Any, image: Any, pod: Any) -> StartParts:
    return str(pool), number_or_none(node), number_or_none(image), number_or_none(pod)


def _warm(data: Mapping[str, Any]) -> WarmRecord:
    """Steps in other classes than today's cannot be used."""
    if not data:
        return WarmRecord()
    steps = tuple(max(number(one), 0.0) for one in data["steps"])
    same = len(steps) == len(ENDS)
    return WarmRecord(
        recent=tuple((number(t), max(number(n), 0.0)) for t, n in data["recent"]),
        steps=steps if same else (),
        squares=max(number(data["squares"]), 0.0) if same else 0.0,
        looked_at=number(data["looked_at"]),
        together=number(data["together"]),
        apart=max(number(data["apart"]), 0.0),
        starts=tuple(number(one) for one in data["starts"]),
        uses=tuple(number(one) for one in data["uses"]),
    )


def _slow_pod(data: Mapping[str, Any]) -> SlowPod:
    return SlowPod(
        uid=str(data["uid"]),
        name=str(data["name"]),
        times=max(number(data["times"]), 1.0),
        since=number(data["since"]),
        seen_at=number(data["seen_at"]),
    )


def _take_over(data: Mapping[str, Any] | None) -> TakeOver | None:
    """None where a rule of another version is meant."""
    if data is None:
        return None
    rule, replaced = int(data["rule"]), int(data["replaced"])
    if not (0 <= rule < len(RULES) and 0 <= replaced < len(RULES)):
        return None
    return TakeOver(rule=rule, replaced=replaced, at=number(data["at"]))


def _outage(data: Mapping[str, Any] | None) -> SuspectedOutage | None:
    if data is None:
        return None
    return SuspectedOutage(
        began_at=number(data["began_at"]),
        seen_at=number(data["seen_at"]),
        before_per_second=number(data["before_per_second"]),
        spare_seconds=number(data["spare_seconds"]),
        over=bool(data["over"]),
    )


def _estimate(data: Mapping[str, Any]) -> ServiceTimeEstimate:
    s11, s12, s22 = map(number, data["information"])
    v1, v2 = map(number, data["vector"])
    numbers = {
        name: number(data[name])
        for name in _ESTIMATE_FIELDS
        - {*_KEY_FIELDS, "information", "vector", "source", "rejected_in_a_row", "held_mix"}
        if name in data
    }
    return ServiceTimeEstimate(
        template_hash=str(data["template_hash"]),
        gpu_product=_known(data.get("gpu_product")),
        model_version=_known(data.get("model_version")),
        information=(s11, s12, s22),
        vector=(v1, v2),
        held_mix=tuple(map(_mix_part, data.get("held_mix", ()))),
        rejected_in_a_row=int(data.get("rejected_in_a_row", 0)),
        source=str(data.get("source", "Counters")),
        **numbers,
    )


def _known(part: Any) -> str | Missing:
    """A checkpoint from before product and version were told has neither."""
    return part if isinstance(part, str) else UNKNOWN


def _mix_part(data: Mapping[str, Any]) -> MixPart:
    return MixPart(
        model=str(data["model"]),
        per_second=number(data["per_second"]),
        seconds=number(data["seconds"]),
    )


def _calibration(data: Mapping[str, Any]) -> Calibration:
    """A checkpoint from before there was one begins with nothing."""
    if not data:
        return Calibration()
    return Calibration(
        template_hash=str(data["template_hash"]),
        gpu_product=_known(data.get("gpu_product")),
        model_version=_known(data.get("model_version")),
        queue=_compared(data["queue"]),
        late=_compared(data["late"]),
        bound_seconds=number(data["bound_seconds"]),
        doubtful=number(data["doubtful"]),
        estimate=number(data["estimate"]),
        factor=number(data["factor"]),
        wrong_seconds=number(data["wrong_seconds"]),
        compared_at=number(data["compared_at"]),
        disturbed_at=number(data["disturbed_at"]),
    )


def _evenness(data: Mapping[str, Any]) -> Evenness:
    if not data:
        return Evenness()
    return Evenness(
        pods=int(data["pods"]),
        effective=number(data["effective"]),
        hottest=str(data["hottest"]),
        hottest_fraction=number(data["hottest_fraction"]),
        idle=int(data["idle"]),
        windows=int(data["windows"]),
        looked_at=number(data["looked_at"]),
    )


def _compared(data: Mapping[str, Any]) -> Compared:
    """What was predicted at other relative loads than today's cannot be used."""
    predicted = tuple(map(number, data["predicted"]))
    if len(predicted) != len(STRETCHES):
        return Compared()
    return Compared(
        windows=number(data["windows"]),
        requests=number(data["requests"]),
        observed=number(data["observed"]),
        variance=number(data["variance"]),
        predicted=predicted,
    )


def _unpacked(text: str) -> bytes:
    """Bounded, whatever stands in the object."""
    return zlib.decompressobj().decompress(b64decode(text, validate=True), LARGEST_BYTES)


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lists(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_lists(inner) for inner in value]
    return value
