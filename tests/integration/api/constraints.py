"""Every single thing that a generated schema can refuse, and how to take it away."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

BOUNDS = {
    "minimum": -1,
    "maximum": +1,
    "minLength": -1,
    "maxLength": +1,
    "minItems": -1,
    "maxItems": +1,
    "minProperties": -1,
    "maxProperties": +1,
}
"""By keyword: the step that admits one value more."""
REMOVABLE = ("enum", "pattern", "format")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Constraint:
    """`path` is that of the field, with `[]` for list items and `*` for map values.

    `keyword` is the schema's own word; `required`, `unique` and `rule` have a `detail`.
    """

    path: str
    keyword: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.path} {self.keyword} {self.detail}".strip()


def constraints_of(crd: dict[str, Any]) -> frozenset[Constraint]:
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return frozenset(
        constraint for path, node in nodes(schema) for constraint in _own_constraints(path, node)
    )


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every schema node below and including `schema`, with its path."""
    yield path.removeprefix("."), schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}.*")


def _own_constraints(path: str, node: Schema) -> Iterator[Constraint]:
    for keyword in (*BOUNDS, "enum", "pattern"):
        if keyword in node:
            yield Constraint(path=path, keyword=keyword)
    if node.get("format") == "date-time":
        yield Constraint(path=path, keyword="format")
    for name in node.get("required", ()):
        yield Constraint(path=path, keyword="required", detail=name)
    if node.get("x-kubernetes-list-type") in {"set", "map"}:
        yield Constraint(path=path, keyword="unique")
    for rule in node.get("x-kubernetes-validations", ()):
        yield Constraint(path=path, keyword="rule", detail=rule["rule"])


def relaxed(crd: dict[str, Any], without: frozenset[Constraint]) -> dict[str, Any]:
    """The same definition, each of these constraints gone, or for bounds one step wider."""
    out = copy.deepcopy(crd)
    schema = out["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    by_path = dict(nodes(schema))
    for constraint in without:
        _relax(by_path[constraint.path], constraint)
    return out


def _relax(node: Schema, constraint: Constraint) -> None:
    match constraint.keyword:
        case keyword if keyword in BOUNDS:
            node[keyword] += BOUNDS[keyword]
        case keyword if keyword in REMOVABLE:
            del node[keyword]
        case "required":
            node["required"] = [n for n in node["required"] if n != constraint.detail]
        case "unique" if _compares_with_stored(node):
            # An atomic list could not be compared entry by entry any more.
            node["x-kubernetes-list-map-keys"].append(_with_default(node["items"]["properties"]))
        case "unique":
            node["x-kubernetes-list-type"] = "atomic"
            node.pop("x-kubernetes-list-map-keys", None)
        case "rule":
            node["x-kubernetes-validations"] = [
                rule
                for rule in node["x-kubernetes-validations"]
                if rule["rule"] != constraint.detail
            ]
        case other:
            raise AssertionError(other)


def _compares_with_stored(node: Schema) -> bool:
    rules = (
        rule["rule"]
        for _, inner in nodes(node.get("items", {}))
        for rule in inner.get("x-kubernetes-validations", ())
    )
    return any("oldSelf" in rule for rule in rules)


def _with_default(properties: Schema) -> str:
    """The name of a number that is always there, as a key must be."""
    return next(
        name for name, one in properties.items() if "default" in one and one["type"] == "integer"
    )
