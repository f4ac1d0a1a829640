"""InferenceCostCheckpoint: what the operator has learned for one policy. Its loss is harmless."""

from typing import Annotated

from pydantic import Field

from inference_cost.api.base import ApiModel
from inference_cost.api.fields import BASE64_PATTERN, Time
from inference_cost.api.group import API_VERSION, CHECKPOINT
from inference_cost.api.metadata import ObjectMeta, TopLevel

PAYLOAD_LENGTH = 262_144
"""Far above a learned state (kilobytes), far below what one object may hold (1.5 MiB)."""


class CheckpointData(ApiModel):
    """The learned state."""

    version: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        description="version is the format of payload; an unknown one is ignored."
    )
    written_by: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        description="writtenBy is the version of the operator that wrote it."
    )
    written_at: Time = Field(description="writtenAt is when it was written.")
    payload: Annotated[str, Field(max_length=PAYLOAD_LENGTH, pattern=BASE64_PATTERN)] = Field(
        description="payload is the state: JSON, compressed with zlib, in base64."
    )


class InferenceCostCheckpoint(TopLevel):
    """InferenceCostCheckpoint keeps what was learned for the policy of the same name, its owner."""

    names = CHECKPOINT

    api_version: str = API_VERSION
    kind: str = CHECKPOINT.kind
    metadata: ObjectMeta = ObjectMeta()
    data: CheckpointData = Field(description="data is the learned state.")
