"""From a model to a structural OpenAPI schema, as the API server demands it.

Pydantic emits JSON Schema 2020-12. Kubernetes takes a subset of OpenAPI 3.0: no references, no null
type, no titles. What has no counterpart is an error here rather than a refusal by the API server.
"""

from collections.abc import Mapping
from typing import Any, Final

from inference_cost.api.base import ApiModel
from inference_cost.api.metadata import TopLevel

Schema = dict[str, Any]

_COPIED: Final = frozenset(
    {
        "description", "enum", "format", "maxItems", "maxLength", "maxProperties",
        "maximum", "minItems", "minLength", "minProperties", "minimum", "pattern", "required",
        "type", "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-validations",
    }
)  # fmt: skip
_INT32_MAX: Final = 2**31 - 1
_DROPPED: Final = frozenset({"title", "$defs"})

_OWNED_BY_API_SERVER: Final[Mapping[str, Schema]] = {
    "apiVersion": {
        "description": "apiVersion is the group and version of this representation.",
        "type": "string",
    },
    "kind": {"description": "kind is the kind of this object.", "type": "string"},
    "metadata": {"type": "object"},
}


class SchemaError(TypeError):
    """A model uses something that a structural schema cannot say."""


def top_level_schema(model: type[TopLevel]) -> Schema:
    """The `openAPIV3Schema` of a kind."""
    schema = model.model_json_schema(by_alias=True)
    for name in _OWNED_BY_API_SERVER:
        del schema["properties"][name]
    own = _convert(schema, schema["$defs"], (model.__name__,))
    return own | {"properties": {**_OWNED_BY_API_SERVER, **own["properties"]}}


def structural_schema(model: type[ApiModel]) -> Schema:
    """The schema of a model, without references.

    Raises:
        SchemaError: names the place and what cannot be said there.
    """
    schema = model.model_json_schema(by_alias=True)
    return _convert(schema, schema.get("$defs", {}), (model.__name__,))


def _convert(
    node: Mapping[str, Any], definitions: Mapping[str, Any], path: tuple[str, ...]
) -> Schema:
    node, path = _resolve(_without_null(node), definitions, path)
    out: Schema = {}
    for key, value in node.items():
        if key == "properties":
            out[key] = {name: _convert(p, definitions, (*path, name)) for name, p in value.items()}
        elif key in {"items", "additionalProperties"} and isinstance(value, dict):
            out[key] = _convert(value, definitions, (*path, key))
        elif key == "default":
            out[key] = _without_absent(value)
        elif key in _COPIED:
            out[key] = value
        elif key not in _DROPPED:
            raise SchemaError(f"{'.'.join(path)}: `{key}` has no structural form")
    return _finish(out, path)


def _finish(schema: Schema, path: tuple[str, ...]) -> Schema:
    """Integer formats, keys in order. Defaults stay whole: rules are checked before nested defaults fill in."""
    if schema.get("type") == "integer":
        if "maximum" not in schema:
            raise SchemaError(f"{'.'.join(path)}: an integer must have a maximum")
        schema["format"] = "int32" if schema["maximum"] <= _INT32_MAX else "int64"
    return dict(sorted(schema.items()))


def _without_null(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """`X | None = None` is an optional field: absent, never null."""
    if "anyOf" not in node:
        return node
    options = [option for option in node["anyOf"] if option != {"type": "null"}]
    rest = {k: v for k, v in node.items() if k != "anyOf" and (k, v) != ("default", None)}
    return {**options[0], **rest} if len(options) == 1 else node


def _without_absent(default: Any) -> Any:
    """A default object has only the fields that it sets."""
    if isinstance(default, dict):
        return {k: _without_absent(v) for k, v in default.items() if v is not None}
    return default


def _resolve(
    node: Mapping[str, Any], definitions: Mapping[str, Any], path: tuple[str, ...]
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Put the definition in place of a reference; what stands beside the reference wins."""
    if "$ref" not in node:
        return node, path
    name = node["$ref"].removeprefix("#/$defs/")
    if name in path:
        raise SchemaError(f"{'.'.join(path)}: `{name}` contains itself")
    rest = {key: value for key, value in node.items() if key != "$ref"}
    return {**definitions[name], **rest}, (*path, name)
