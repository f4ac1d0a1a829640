"""From the dict that the API server or a file holds to a model, or to an error that says what to fix."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from inference_cost.api.base import ApiModel, Rule
from inference_cost.api.capacity_pool import CapacityPool
from inference_cost.api.checkpoint import InferenceCostCheckpoint
from inference_cost.api.fields import PATTERN_HINTS
from inference_cost.api.metadata import TopLevel
from inference_cost.api.policy import InferenceCostPolicy

T = TypeVar("T", bound=TopLevel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong: the field's path (`spec.slo.latency.target`) and what to do."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class InvalidObjectError(ValueError):
    """A custom resource that this version cannot act on."""

    def __init__(self, kind: str, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.kind = kind
        self.problems = problems


def parse_policy(obj: Mapping[str, Any], *, strict: bool = False) -> InferenceCostPolicy:
    """Parse an InferenceCostPolicy. With `strict`, a field that the schema lacks is an error.

    Raises:
        InvalidObjectError: names each wrong field and the fix.
    """
    return _parse(InferenceCostPolicy, obj, strict=strict)


def parse_capacity_pool(obj: Mapping[str, Any], *, strict: bool = False) -> CapacityPool:
    """Parse a CapacityPool; see `parse_policy`."""
    return _parse(CapacityPool, obj, strict=strict)


def parse_checkpoint(obj: Mapping[str, Any], *, strict: bool = False) -> InferenceCostCheckpoint:
    """Parse an InferenceCostCheckpoint; see `parse_policy`."""
    return _parse(InferenceCostCheckpoint, obj, strict=strict)


def update_problems(old: TopLevel, new: TopLevel) -> tuple[Problem, ...]:
    """What the API server would refuse in the step from `old` to `new`."""
    return tuple(_update_problems(old, new, path=""))


def _parse(model: type[T], obj: Mapping[str, Any], *, strict: bool) -> T:
    try:
        parts = _without_nulls({key: value for key, value in obj.items() if key != "metadata"})
        parsed = model.model_validate(parts, extra="forbid" if strict else None)
        metadata = type(parsed.metadata).model_validate(obj.get("metadata") or {})
    except ValidationError as error:
        problems = tuple(_problem(detail) for detail in error.errors(include_url=False))
        raise InvalidObjectError(model.names.kind, problems) from None
    return parsed.model_copy(update={"metadata": metadata})


def _without_nulls(value: Any) -> Any:
    """A null field counts as absent, as for the API server: the default applies where there is one."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _problem(detail: ErrorDetails) -> Problem:
    context = detail.get("ctx") or {}
    blamed = (*detail["loc"], context["field"]) if context.get("field") else detail["loc"]
    return Problem(field=_path(blamed), message=_message(detail, context))


def _path(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def _message(detail: ErrorDetails, context: Mapping[str, Any]) -> str:
    match detail["type"]:
        case "missing":
            return "is required; set it"
        case "extra_forbidden":
            return "is not a field of this version; remove it or correct its name"
        case "string_pattern_mismatch":
            return PATTERN_HINTS.get(context["pattern"], f"must match {context['pattern']}")
        case "value_error":
            return str(context["error"])
        case _:
            return detail["msg"].replace("Input should", "must").replace("should", "must")


def _update_problems(old: Any, new: Any, *, path: str) -> list[Problem]:
    if isinstance(old, tuple) and isinstance(new, tuple):
        return _problems_of_items(old, new, path=path)
    if not isinstance(old, ApiModel) or not isinstance(new, ApiModel):
        return []
    own = [_rule_problem(rule, path) for rule in new.rules if _breaks(rule, new, old)]
    nested = [
        problem
        for name, field in type(new).model_fields.items()
        for problem in _update_problems(
            getattr(old, name), getattr(new, name), path=f"{path}.{field.alias}"
        )
    ]
    return own + nested


def _problems_of_items(old: tuple[Any, ...], new: tuple[Any, ...], *, path: str) -> list[Problem]:
    """Of a list whose entries have names; others are not compared, as by the API server."""
    before = {item.name: item for item in old if hasattr(item, "name")}
    return [
        problem
        for i, item in enumerate(new)
        if getattr(item, "name", None) in before
        for problem in _update_problems(before[item.name], item, path=f"{path}[{i}]")
    ]


def _breaks(rule: Rule, new: BaseModel, old: BaseModel) -> bool:
    return rule.on_update is not None and not rule.on_update(new, old)


def _rule_problem(rule: Rule, path: str) -> Problem:
    blamed = f"{path}.{rule.field}" if rule.field else path
    return Problem(field=blamed.removeprefix("."), message=rule.message)
