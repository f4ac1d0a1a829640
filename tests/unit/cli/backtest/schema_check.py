"""Whether a document is as a JSON Schema says, for the keywords that the schema of a backtest uses."""

import re
from collections.abc import Callable, Iterator
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "const": lambda value, given: bool(value == given),
    "enum": lambda value, given: value in given,
    "pattern": lambda value, given: re.search(given, value) is not None,
    "minimum": lambda value, given: bool(value >= given),
    "exclusiveMinimum": lambda value, given: bool(value > given),
    "maximum": lambda value, given: bool(value <= given),
    "required": lambda value, given: set(given) <= set(value),
}
BELOW = {"properties", "items", "additionalProperties"}
ANNOTATIONS = {"$schema", "$defs", "title", "description", "type"}


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "$") -> list[str]:
    """Where the document differs; a key that the schema does not name is a fault too."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return faults(value, root["$defs"][name], root, path)
    if "anyOf" in schema:
        tried = [faults(value, one, root, path) for one in schema["anyOf"]]
        return [] if [] in tried else max(tried, key=len)
    if not _has_type(value, schema.get("type")):
        return [f"{path}: is no {schema['type']}"]
    return [*_own(value, schema, path), *_below(value, schema, root, path)]


def _has_type(value: Any, name: str | None) -> bool:
    """A truth value is no number, though Python takes it for one."""
    if name is None:
        return True
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _own(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    for keyword in schema.keys() - ANNOTATIONS - BELOW:
        if not CHECKS[keyword](value, schema[keyword]):
            yield f"{path}: {keyword} {schema[keyword]}"


def _below(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            given = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            place = f"{path}.{key}"
            yield from [f"{place}: unknown"] if given is None else faults(inner, given, root, place)
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from faults(inner, schema["items"], root, f"{path}[{number}]")
