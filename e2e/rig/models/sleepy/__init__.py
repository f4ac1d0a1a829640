"""`sleepy`: a model whose batch of b requests takes alpha + beta·b, with Triton's own queueing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CONFIGURATION = """\
name: "{name}"
backend: "python"
max_batch_size: {max_batch_size}
input [ {{ name: "INPUT0" data_type: TYPE_FP32 dims: [ 1 ] }} ]
output [ {{ name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 1 ] }} ]
instance_group [ {{ kind: KIND_CPU count: {instances} }} ]
dynamic_batching {{ {batching}}}
parameters: {{ key: "alpha_milliseconds" value: {{ string_value: "{alpha_milliseconds:g}" }} }}
parameters: {{ key: "beta_milliseconds" value: {{ string_value: "{beta_milliseconds:g}" }} }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepyModel:
    """Parameters of one model. Capacity is instances · max_batch_size / (alpha + beta·max)."""

    name: str = "sleepy"
    alpha_milliseconds: float = 40.0
    beta_milliseconds: float = 5.0
    max_batch_size: int = 8
    instances: int = 1
    queue_delay_microseconds: int = 0
    preferred_batch_size: int = 0  # 0: left out
    max_queue_size: int = 0  # 0: left out; any other is a queue policy

    @property
    def capacity_per_second(self) -> float:
        """Requests per second that one server completes when every batch is full."""
        batch_milliseconds = self.alpha_milliseconds + self.beta_milliseconds * self.max_batch_size
        return 1000 * self.instances * self.max_batch_size / batch_milliseconds

    def configuration(self) -> str:
        """Return the text of config.pbtxt."""
        return _CONFIGURATION.format(
            name=self.name,
            max_batch_size=self.max_batch_size,
            instances=self.instances,
            alpha_milliseconds=self.alpha_milliseconds,
            beta_milliseconds=self.beta_milliseconds,
            batching="".join(f"{option} " for option in self._batching()),
        )

    def _batching(self) -> Iterator[str]:
        if self.queue_delay_microseconds:
            yield f"max_queue_delay_microseconds: {self.queue_delay_microseconds}"
        if self.preferred_batch_size:
            yield f"preferred_batch_size: [ {self.preferred_batch_size} ]"
        if self.max_queue_size:
            yield f"default_queue_policy {{ max_queue_size: {self.max_queue_size} }}"

    def write_repository(self, folder: Path) -> None:
        """Write a model repository that holds this model alone."""
        version = folder / self.name / "1"
        version.mkdir(parents=True)
        (version / "model.py").write_text(model_source())
        (version.parent / "config.pbtxt").write_text(self.configuration())

    def config_map_data(self) -> dict[str, str]:
        """Return the `data` of a ConfigMap; mount it with `config_map_items`."""
        return {
            f"{self.name}.config.pbtxt": self.configuration(),
            f"{self.name}.model.py": model_source(),
        }

    def config_map_items(self) -> list[dict[str, Any]]:
        """Return the volume's `items`, which give the files their place in the repository."""
        return [
            {"key": f"{self.name}.config.pbtxt", "path": f"{self.name}/config.pbtxt"},
            {"key": f"{self.name}.model.py", "path": f"{self.name}/1/model.py"},
        ]


def model_source() -> str:
    """Return the text of model.py."""
    return (Path(__file__).parent / "model.py").read_text()
