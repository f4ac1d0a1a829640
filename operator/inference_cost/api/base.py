"""Base of the API models: camelCase names, and CEL rules beside their Python counterpart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One validation across fields: for the API server in CEL, for Python as `holds(self)`.

    `message` says what to do. `field` is the serialized name of the field to blame, if one.
    A rule with `on_update` compares with the stored object, as `on_update(new, old)`.
    """

    cel: str
    message: str
    field: str = ""
    holds: Callable[[Any], bool] | None = None
    on_update: Callable[[Any, Any], bool] | None = None

    def to_schema(self) -> dict[str, str]:
        rule = {"rule": self.cel, "message": self.message}
        return rule | {"fieldPath": f".{self.field}"} if self.field else rule


class ApiModel(BaseModel):
    """Fields unknown to this version are ignored, so that an older operator survives a newer CRD."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        for rule in self.rules:
            if rule.holds is not None and not rule.holds(self):
                raise PydanticCustomError("rule", "{message}", vars_of(rule))
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core_schema))
        if cls.rules:
            schema["x-kubernetes-validations"] = [rule.to_schema() for rule in cls.rules]
        return schema

    def to_object(self) -> dict[str, Any]:
        """The JSON form: camelCase, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def vars_of(rule: Rule) -> dict[str, Any]:
    return {"message": rule.message, "field": rule.field}
