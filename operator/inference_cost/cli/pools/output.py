"""Forms of the output."""

from enum import StrEnum


class Output(StrEnum):
    TEXT = "text"
    JSON = "json"
    YAML = "yaml"
