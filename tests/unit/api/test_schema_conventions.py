"""The generated schemas keep the Kubernetes API conventions (the rules that kube-api-linter checks)."""

import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from inference_cost.api.crds import all_crds
from tests.integration.api.constraints import nodes

Node = dict[str, Any]
FORBIDDEN: Final = {
    "$ref", "$defs", "title", "anyOf", "allOf", "oneOf", "not", "const", "nullable", "examples",
    "uniqueItems", "prefixItems", "discriminator", "exclusiveMinimum", "exclusiveMaximum",
    "x-kubernetes-preserve-unknown-fields", "readOnly", "deprecated", "propertyNames",
}  # fmt: skip
UNITS: Final = {
    "milliseconds": "Milliseconds",
    "microseconds": "Microseconds",
    "seconds": "Seconds",
}
# A third way to load images is not to be expected.
BOOLEANS: Final = {"CapacityPool spec.warm.prePullImages"}
VERBS: Final = r"(is|are|says?|names?|adds?|chooses|asks|limits?|binds)"
NODES: Final = {
    f"{crd['spec']['names']['kind']} {path}": node
    for crd in all_crds()
    for path, node in nodes(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    if path.startswith(("spec", "status", "data"))
}
RULES: Final = {
    f"{path} rule {rule['rule']}": rule["message"]
    for path, node in NODES.items()
    for rule in node.get("x-kubernetes-validations", ())
}


def _name(path: str) -> str:
    return re.split(r"[. ]", path)[-1]


def _is_field(path: str) -> bool:
    return not path.endswith(("[]", "*"))


def _is_structural(_: str, node: Node) -> bool:
    return not FORBIDDEN & node.keys()


def _is_neither_float_nor_boolean(path: str, node: Node) -> bool:
    allowed = {"object", "array", "string", "integer"}
    return node["type"] in allowed or (node["type"] == "boolean" and path in BOOLEANS)


def _starts_with_its_name(path: str, node: Node) -> bool:
    text = node.get("description", "")
    return not _is_field(path) or bool(re.match(rf"{_name(path)} {VERBS}\b.*\.$", text))


def _tells_its_default(_: str, node: Node) -> bool:
    return node.get("default", "") in ("", 0) or "Default" in node["description"]


def _has_bounds_if_integer(_: str, node: Node) -> bool:
    return node["type"] != "integer" or bool(node["minimum"] >= 0 and node["maximum"] < 2**53)


def _has_the_right_format_if_integer(_: str, node: Node) -> bool:
    small = node.get("maximum", 0) < 2**31
    return node["type"] != "integer" or str(node["format"]) == ("int32" if small else "int64")


def _names_its_unit(path: str, node: Node) -> bool:
    found = re.search(r", in (\w+)", node.get("description", ""))
    unit = UNITS.get(found[1]) if found and node["type"] == "integer" else None
    return unit is None or path.endswith(unit)


def _is_bounded_if_string(_: str, node: Node) -> bool:
    is_time = node.get("format") == "date-time"
    return node["type"] != "string" or is_time or bool(node.keys() & {"maxLength", "enum"})


def _is_bounded_if_list_or_map(_: str, node: Node) -> bool:
    limit = {"array": "maxItems"}.get(node["type"])
    limit = "maxProperties" if "additionalProperties" in node else limit
    return limit is None or node[limit] <= 64


def _has_a_list_type(_: str, node: Node) -> bool:
    types = {"atomic", "set", "map"}
    return node["type"] != "array" or node.get("x-kubernetes-list-type") in types


def _has_values_in_camel_case(_: str, node: Node) -> bool:
    return all(re.fullmatch(r"[A-Z][A-Za-z]*", value) for value in node.get("enum", ()))


def _requires_nothing_that_has_a_default(_: str, node: Node) -> bool:
    return not any("default" in node["properties"][name] for name in node.get("required", ()))


CONVENTIONS: Final[dict[str, Callable[[str, Node], bool]]] = {
    "only words of a structural schema": _is_structural,
    "no floats, no booleans": _is_neither_float_nor_boolean,
    "a description starts with the field's name": _starts_with_its_name,
    "a description tells the default": _tells_its_default,
    "an integer has bounds": _has_bounds_if_integer,
    "an integer has a format": _has_the_right_format_if_integer,
    "a number with a unit names it": _names_its_unit,
    "a string has a largest length": _is_bounded_if_string,
    "a list or map has a largest size": _is_bounded_if_list_or_map,
    "a list has a list type": _has_a_list_type,
    "enum values are in CamelCase": _has_values_in_camel_case,
    "a required field has no default": _requires_nothing_that_has_a_default,
}


@pytest.mark.parametrize("holds", CONVENTIONS.values(), ids=CONVENTIONS.keys())
def test_convention(holds: Callable[[str, Node], bool]) -> None:
    assert [path for path, node in NODES.items() if not holds(path, node)] == []


@pytest.mark.parametrize("message", RULES.values(), ids=RULES.keys())
def test_a_rule_says_what_to_do_in_words(message: str) -> None:
    assert re.search(r"\b(must|may)\b", message)
    assert "`" in message, "fields stand in backquotes"
    assert not re.search(r"[<>]|==", message), "words, not symbols"
    assert len(message) < 200


def test_there_is_something_to_check() -> None:
    assert len(NODES) > 100
    assert len(RULES) > 8
