"""Writes docs/reference/backtest.schema.json: `python -m inference_cost.cli.backtest.schema [--check]`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from inference_cost.cli.backtest.result_model import Document, FleetDocument

FILE = Path("docs/reference/backtest.schema.json")
TITLE = "kubectl inference-cost backtest -o json"


def schema_text() -> str:
    """JSON Schema (2020-12) of what `-o json` prints: of one policy, or of a fleet."""
    schema = TypeAdapter(Document | FleetDocument).json_schema(by_alias=True, mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": TITLE}
    return json.dumps(head | _without_own_titles(schema), indent=2, ensure_ascii=False) + "\n"


def _without_own_titles(value: object) -> dict[str, object]:
    """Without the titles that are only the name of the field again."""
    cleaned = _cleaned(value)
    assert isinstance(cleaned, dict)  # noqa: S101 - a schema is an object
    return cleaned


def _cleaned(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: _cleaned(inner)
            for key, inner in value.items()
            if not (key == "title" and isinstance(inner, str))
        }
    if isinstance(value, list):
        return [_cleaned(inner) for inner in value]
    return value


def main(arguments: Sequence[str]) -> int:
    """Writes the file, or with --check says whether it is out of date. Returns the exit code."""
    text = schema_text()
    stale = not FILE.is_file() or FILE.read_text(encoding="utf-8") != text
    if "--check" in arguments:
        if stale:
            sys.stderr.write(f"{FILE} is out of date; run `make generate`\n")
        return int(stale)
    if stale:
        FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
