"""Forms of the output."""

from enum import StrEnum


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
