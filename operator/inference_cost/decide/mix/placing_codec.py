"""Where replicas were placed, as the checkpoint has it, and back."""

from collections.abc import Mapping
from typing import Any

from inference_cost.decide.finite import number, number_or_none
from inference_cost.decide.mix.losses import PRIOR_HOURS
from inference_cost.model.placement import (
    AtOnce,
    Closure,
    Loss,
    LossRecord,
    PlacedDomain,
    Placing,
    ZoneRecord,
)


def decode_placing(data: Mapping[str, Any]) -> Placing:
    return Placing(
        domains=tuple(_placed(one) for one in data.get("domains", ())),
        total=int(data.get("total", 0)),
        before=tuple(int(count) for count in data.get("before", ())),
        late_price=number_or_none(data.get("late_price")),
        ordered=tuple(int(count) for count in data.get("ordered", ())),
    )


def _placed(data: Mapping[str, Any]) -> PlacedDomain:
    return PlacedDomain(
        name=str(data["name"]),
        asked=int(data["asked"]),
        alive=int(data["alive"]),
        record=_loss_record(data["record"]),
        price_per_hour=number_or_none(data["price_per_hour"]),
        priced_at=number(data["priced_at"]),
        price_old_since=number_or_none(data.get("price_old_since")),
        offered_per_hour=number_or_none(data["offered_per_hour"]),
        can_be_lost=bool(data["can_be_lost"]),
        zones=max(int(data["zones"]), 0),
        taken=tuple(str(name) for name in data["taken"]),
        left_at=number_or_none(data.get("left_at")),
        dear_per_hour=number(data.get("dear_per_hour", 0.0)),
        dear_at=number(data.get("dear_at", 0.0)),
        closed=_closure(data.get("closed")),
        by_zone=tuple(
            ZoneRecord(name=str(one["name"]), record=_loss_record(one["record"]))
            for one in data.get("by_zone", ())
        ),
        at_once=_at_once(data.get("at_once", {})),
    )


def _at_once(data: Mapping[str, Any]) -> AtOnce:
    return AtOnce(
        growth=max(number(data.get("growth", 0.0)), 0.0),
        losses=tuple(
            Loss(
                domain=str(one["domain"]),
                zones=max(int(one["zones"]), 0),
                chance=max(number(one["chance"]), 0.0),
                part=max(number(one["part"]), 0.0),
            )
            for one in data.get("losses", ())
        ),
    )


def _closure(data: Mapping[str, Any] | None) -> Closure | None:
    if data is None:
        return None
    return Closure(
        since=number(data["since"]),
        until=number(data["until"]),
        seconds=number(data["seconds"]),
    )


def _loss_record(data: Mapping[str, Any]) -> LossRecord:
    return LossRecord(
        losses=max(number(data["losses"]), 0.0),
        hours=max(number(data["hours"]), PRIOR_HOURS),
        away_seconds=number(data["away_seconds"]),
        looked_at=number_or_none(data["looked_at"]),
        away_until=number_or_none(data["away_until"]),
        lately=max(number(data.get("lately", 0.0)), 0.0),
        lately_at=number(data.get("lately_at", 0.0)),
        held_since=number_or_none(data["held_since"]),
        proven=bool(data["proven"]),
    )
