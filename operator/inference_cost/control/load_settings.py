"""Reads the settings, or says which field is wrong and how to put it right."""

import difflib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from inference_cost.control.settings import (
    CONFIG_FILE_VARIABLE,
    ENV_PREFIX,
    Settings,
    config_file,
)

FIX = "see docs/settings.md"
# Set by the build scripts and tests, not settings of the operator.
OTHER_VARIABLES = (CONFIG_FILE_VARIABLE, f"{ENV_PREFIX}CACHE")


class InvalidSettingsError(Exception):
    """One line per wrong field: its name, what is wrong, and the fix."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        InvalidSettingsError: a value, a name or the file is wrong.
    """
    problems = list(_file_problems())
    if problems:
        raise InvalidSettingsError(problems)
    try:
        return Settings()
    except ValidationError as error:
        raise InvalidSettingsError([_sentence(detail) for detail in error.errors()]) from None
    except SettingsError as error:
        raise InvalidSettingsError([f"{_cause(error)}; {FIX}"]) from None


def unknown_variables() -> list[str]:
    """Variables that look like ours and are none: for a warning (service links may add such names)."""
    sections = tuple(f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields)
    return [
        name
        for name in sorted(os.environ)
        if name.startswith(ENV_PREFIX)
        and name not in OTHER_VARIABLES
        and not name.startswith(sections)
    ]


def _cause(error: SettingsError) -> str:
    return f"{error}: {error.__cause__}" if error.__cause__ else str(error)


def _file_problems() -> Iterator[str]:
    file = config_file()
    if file is None:
        return
    problem = _problem_of(file)
    if problem:
        yield f"{CONFIG_FILE_VARIABLE}={file}: {problem}; {FIX}"


def _problem_of(file: Path) -> str:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return f"is not YAML ({' '.join(str(error).split())})"
    if content is not None and not isinstance(content, dict):
        return "must be a mapping of sections"
    return ""


def _sentence(detail: ErrorDetails) -> str:
    path = [str(part) for part in detail["loc"]]
    variable = ENV_PREFIX + "__".join(path).upper()
    if detail["type"] == "extra_forbidden":
        return f"{'.'.join(path)} ({variable}) is not a setting{_suggestion(path)}; {FIX}"
    given = detail["input"]
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    message = detail["msg"].removeprefix("Value error, ")
    return f"{'.'.join(path)} ({variable}): {message}{shown}; {FIX}"


def _suggestion(path: list[str]) -> str:
    close = difflib.get_close_matches(".".join(path), setting_names(), n=1)
    return f"; did you mean {close[0]}?" if close else ""


@cache
def setting_names() -> tuple[str, ...]:
    """Dotted names of all settings."""
    names: list[str] = []
    for section, field in Settings.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        names += [f"{section}.{name}" for name in inner] if inner else [section]
    return tuple(names)
