"""Parts that objects of many kinds share: labels, owners, selectors, conditions, pauses."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from inference_cost.api.annotations import PAUSED, PAUSED_REPLICAS
from inference_cost.observe.quantities import parse_time
from inference_cost.observe.records import NO_LABELS, Labels, Owner, Selector, SelectorTerm


def mapping(value: object) -> Mapping[str, Any]:
    """The value when it is a mapping, else an empty one: objects may lack any part."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def labels_of(value: object) -> Labels:
    """String labels with shared strings: a thousand pods repeat the same few."""
    found = {sys.intern(str(k)): sys.intern(str(v)) for k, v in mapping(value).items()}
    return found or NO_LABELS


def pause_annotations(metadata: Mapping[str, Any]) -> Labels:
    annotations = mapping(metadata.get("annotations"))
    keys = (PAUSED, PAUSED_REPLICAS)
    return {k: str(annotations[k]) for k in keys if k in annotations} or NO_LABELS


def spec_edited_at(metadata: Mapping[str, Any]) -> float:
    """When somebody last changed the spec, as far as the API server remembers; else when the object was made."""
    times = (
        parse_time(entry.get("time"))
        for entry in sequence(metadata.get("managedFields"))
        if not entry.get("subresource") and "f:spec" in mapping(entry.get("fieldsV1"))
    )
    made = parse_time(metadata.get("creationTimestamp")) or 0.0
    return max((at for at in times if at is not None), default=made)


def controller_of(metadata: Mapping[str, Any]) -> Owner | None:
    for reference in sequence(metadata.get("ownerReferences")):
        if reference.get("controller"):
            return Owner(
                api_version=str(reference.get("apiVersion", "")),
                kind=str(reference.get("kind", "")),
                name=str(reference.get("name", "")),
            )
    return None


def parse_selector(value: object) -> Selector:
    """A label selector as an object, or as the `a=b,c=d` string some kinds keep in their status."""
    if isinstance(value, str):
        pairs = (part.split("=", 1) for part in value.split(",") if "=" in part)
        return tuple(
            SelectorTerm(key=key.strip(), operator="In", values=frozenset({wanted.strip()}))
            for key, wanted in pairs
        )
    selector = mapping(value)
    exact = [
        SelectorTerm(key=str(k), operator="In", values=frozenset({str(v)}))
        for k, v in mapping(selector.get("matchLabels")).items()
    ]
    expressions = [
        SelectorTerm(
            key=str(e.get("key", "")),
            operator=str(e.get("operator", "")),
            values=frozenset(map(str, e.get("values") or ())),
        )
        for e in sequence(selector.get("matchExpressions"))
    ]
    return (*exact, *expressions)


def condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((c for c in sequence(status.get("conditions")) if c.get("type") == kind), {})
