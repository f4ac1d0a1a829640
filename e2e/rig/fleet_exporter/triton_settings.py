"""How a simulated server behaves, written as JSON into an annotation of its pod template.

In the template, so that a rollout to a slower image is one: a new template hash with other numbers.
"""

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from e2e.rig.fleet_exporter.batch_queue import QueueLimits
from inference_cost.simulate.batcher import BatchService

ANNOTATION = "inferencecost.dev/simulated-triton"

Milliseconds = Annotated[float, Field(ge=0, le=600_000)]


class TritonSettings(BaseModel):
    """One server with one model; the defaults are those of the model `sleepy`."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )

    model: str = "sleepy"
    version: str = "1"
    alpha_milliseconds: Milliseconds = 40.0
    beta_milliseconds: Milliseconds = 5.0
    max_batch_size: Annotated[int, Field(ge=1, le=4096)] = 8
    inferences_per_request: Annotated[int, Field(ge=1, le=4096)] = 1
    # 0: no limit. Requests over it are refused and counted nowhere but at the gateway.
    max_queue_size: Annotated[int, Field(ge=0)] = 0
    # Counted like any other, before the pod is Ready.
    warmup_requests: Annotated[int, Field(ge=0, le=1000)] = 0
    # nv_gpu_* series, as of a Triton that finds a GPU.
    gpu_metrics: bool = False
    # Models loaded after start have gpu_uuid on the series of their instances, others do not.
    loaded_after_start: bool = False
    # False: --metrics-config counter_latencies=false, which freezes every counter.
    counter_latencies: bool = True

    @property
    def service(self) -> BatchService:
        return BatchService(
            alpha_seconds=self.alpha_milliseconds / 1000,
            beta_seconds=self.beta_milliseconds / 1000,
            max_batch_size=self.max_batch_size,
        )

    @property
    def limits(self) -> QueueLimits:
        return QueueLimits(
            max_queue_size=self.max_queue_size,
            inferences_per_request=self.inferences_per_request,
        )

    def annotation(self) -> dict[str, str]:
        """Return the pod template's annotation, with what differs from the defaults."""
        changed = self.model_dump(by_alias=True, exclude_defaults=True)
        return {ANNOTATION: json.dumps(changed, sort_keys=True)}


def read_settings(annotations: Mapping[str, str]) -> TritonSettings:
    """Read them from a pod's annotations, the defaults where there are none.

    Raises:
        pydantic.ValidationError: with the name of the wrong field.
    """
    text = annotations.get(ANNOTATION)
    return TritonSettings.model_validate_json(text) if text else TritonSettings()
