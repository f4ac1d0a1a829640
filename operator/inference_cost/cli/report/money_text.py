"""Amounts in a report's document: text, with as many decimals as they need."""

from typing import Annotated

from pydantic import Field

Money = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2,6}$")]
