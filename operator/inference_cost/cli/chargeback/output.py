"""Forms of the output."""

from enum import StrEnum


class Output(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"
    FOCUS = "focus"
