"""Karpenter's NodeOverlays: where a cluster's administrators write prices that they negotiated. Pure.

An overlay holds for nodes whose labels meet all its requirements; of several with a price the one of the largest weight
does, among equals the name that comes last. It gives a price, or an amount or percentage to add to the cloud's.

Source: karpenter `pkg/apis/v1alpha1/nodeoverlay.go`; docs, concepts, NodeOverlays.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.reading import Missing
from inference_cost.observe.fields import condition, mapping, sequence, spec_edited_at
from inference_cost.observe.records import Labels, NodeOverlayRecord, NodeRequirement

_CENT_OF_A_CENT: Final = Decimal("0.0001")


def node_overlay_record(obj: Mapping[str, Any]) -> NodeOverlayRecord:
    metadata, spec = mapping(obj.get("metadata")), mapping(obj.get("spec"))
    refused = condition(mapping(obj.get("status")), "Ready").get("status") == "False"
    return NodeOverlayRecord(
        namespace="",
        name=str(metadata.get("name", "")),
        edited_at=spec_edited_at(metadata),
        weight=int(spec.get("weight") or 0),
        requirements=tuple(map(_requirement, sequence(spec.get("requirements")))),
        price=str(spec.get("price") or ""),
        adjustment=str(spec.get("priceAdjustment") or ""),
        refused=refused,
    )


def _requirement(found: Mapping[str, Any]) -> NodeRequirement:
    values = found.get("values")
    return NodeRequirement(
        key=str(found.get("key", "")),
        operator=str(found.get("operator", "")),
        values=tuple(map(str, values)) if isinstance(values, list) else (),
    )


def overlaid(
    overlays: Sequence[NodeOverlayRecord],
    labels: Labels,
    cloud: HourlyPrice | Missing | None,
    currency: str,
) -> HourlyPrice | None:
    """The price of a node by the overlay that holds for it; None where none does, or has nothing to add to.

    `overlays`: those of `with_prices`. `cloud`: what the cloud asks.
    """
    for overlay in overlays:
        if all(_meets(labels, one) for one in overlay.requirements):
            base = cloud if isinstance(cloud, HourlyPrice) and not overlay.price else None
            per_hour = _price(overlay, None if base is None else base.per_hour)
            if per_hour is not None:
                return HourlyPrice(
                    per_hour=per_hour,
                    currency=currency,
                    source=PriceSource.NODE_OVERLAY,
                    as_of=overlay.edited_at if base is None else base.as_of,
                    origin=f"NodeOverlay/{overlay.name}",
                    listed=None if base is None else base.source,
                )
    return None


def with_prices(overlays: Iterable[NodeOverlayRecord]) -> list[NodeOverlayRecord]:
    """Those that Karpenter did not refuse and that say something of prices, the one that goes first first."""
    telling = [one for one in overlays if not one.refused and (one.price or one.adjustment)]
    return sorted(
        sorted(telling, key=lambda one: one.name, reverse=True), key=lambda one: -one.weight
    )


def _price(overlay: NodeOverlayRecord, base: Decimal | None) -> Decimal | None:
    """None where it cannot be told. A price of zero would be a mistake or a node that nobody pays for: not known."""
    try:
        if overlay.price:
            found = Decimal(overlay.price)
        elif base is None:
            return None
        elif overlay.adjustment.endswith("%"):
            found = base * (1 + Decimal(overlay.adjustment.removesuffix("%")) / 100)
        else:
            found = base + Decimal(overlay.adjustment)
    except InvalidOperation:
        return None
    return found.quantize(_CENT_OF_A_CENT) if found.is_finite() and found > 0 else None


def _meets(labels: Labels, requirement: NodeRequirement) -> bool:
    """An operator that is not known meets nothing: a price is rather left out than given to the wrong node."""
    value, values = labels.get(requirement.key), requirement.values
    match requirement.operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" | "Gte" | "Lte":
            return _compares(requirement.operator, value, values)
        case _:
            return False


def _compares(operator: str, value: str | None, values: Sequence[str]) -> bool:
    try:
        mine, bound = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return {
        "Gt": mine > bound,
        "Lt": mine < bound,
        "Gte": mine >= bound,
        "Lte": mine <= bound,
    }[operator]
