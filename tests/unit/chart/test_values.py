"""The chart's files agree with each other and with the operator's settings."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.sync_chart_crds import template_of

CHART = Path("charts/inference-cost-operator")
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())


def objects(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every described value with its path."""
    for name, child in (schema.get("properties") or {}).items():
        yield f"{path}.{name}", child
        yield from objects(child, f"{path}.{name}")
        if isinstance(child.get("items"), dict):
            yield from objects(child["items"], f"{path}.{name}[]")


def test_every_value_is_described_with_a_whole_sentence() -> None:
    for path, child in objects(SCHEMA):
        assert child["description"].endswith("."), path


def test_a_typing_mistake_is_refused_at_every_level() -> None:
    closed = [SCHEMA, *(child for _, child in objects(SCHEMA) if "properties" in child)]
    assert all(child["additionalProperties"] is False for child in closed)


def leaves(schema: dict[str, Any], values: Any, path: str) -> Iterator[str]:
    if isinstance(values, dict) and "properties" in schema:
        for name, value in values.items():
            assert name in schema["properties"], f"{path}.{name} is not in the schema"
            yield from leaves(schema["properties"][name], value, f"{path}.{name}")
    yield path


def test_the_schema_has_every_default_and_nothing_without_a_default() -> None:
    described = set(leaves(SCHEMA, VALUES, ""))
    without = {path for path, _ in objects(SCHEMA) if "[]" not in path} - described
    assert without == {".global", ".resources.claims"}


def test_every_default_has_the_type_of_its_schema() -> None:
    types = {
        "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": int,
    }  # fmt: skip
    for path, child in objects(SCHEMA):
        if "[]" in path or path in (".global", ".resources.claims"):
            continue
        value = VALUES
        for part in path.strip(".").split("."):
            value = value[part]
        assert type(value) is types[child["type"]], path
        assert re.search(child.get("pattern", ""), value if isinstance(value, str) else ""), path


def test_the_copies_of_the_crds_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/sync_chart_crds.py", "--check"], check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["labels", "annotations"])
def test_a_crd_that_brings_metadata_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected one"):
        template_of(f"kind: X\nmetadata:\n  {name}:\n    a: b\n  name: x\nspec: {{}}\n")
    assert '{{ "{{" }} x }}' in template_of("kind: X\nmetadata:\n  name: x\nspec: '{{ x }}'\n")


def test_a_group_of_a_role_is_quoted_so_that_the_core_group_stays_a_string() -> None:
    for file in (CHART / "templates").glob("rbac-*.yaml"):
        assert "[{{ .group }}]" not in file.read_text(), file.name
