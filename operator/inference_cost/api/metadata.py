"""What every custom resource has around its spec. The API server owns the schema of this part."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from inference_cost.api.base import ApiModel
from inference_cost.api.group import Names


def _empty_for_null(value: Any) -> Any:
    return {} if value is None else value


StringMap = Annotated[dict[str, str], BeforeValidator(_empty_for_null)]


class ObjectMeta(ApiModel):
    """The part of `metav1.ObjectMeta` that the operator reads."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: str = ""
    labels: StringMap = Field(default_factory=dict)
    annotations: StringMap = Field(default_factory=dict)


class TopLevel(ApiModel):
    """A custom resource. Its schema is that of its own parts: `spec`, `status`, `data`."""

    names: ClassVar[Names]
    metadata: ObjectMeta = ObjectMeta()
