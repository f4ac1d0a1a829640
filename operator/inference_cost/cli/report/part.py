"""What all parts of a report's document have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Money = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2,6}$")]


class Part(BaseModel):
    """Camel-case names in JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
        allow_inf_nan=False,
        extra="forbid",
    )
