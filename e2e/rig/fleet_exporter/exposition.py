"""A simulated server's page, written as Triton writes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from e2e.rig.fleet_exporter import families as f
from e2e.rig.fleet_exporter.batch_queue import TritonCounters

# Without a version, as Triton sends it.
CONTENT_TYPE = "text/plain; charset=utf-8"
Number = int | float
Series = tuple[Mapping[str, str], Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuReading:
    """One GPU as DCGM told Triton at its last poll."""

    uuid: str
    utilization: float
    memory_total_bytes: int
    memory_used_bytes: int
    power_watts: float
    power_limit_watts: float
    energy_joules: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReading:
    """What Triton reads from /proc, of the whole machine; zero until its first poll."""

    cpu_utilization: float = 0
    memory_total_bytes: int = 0
    memory_used_bytes: int = 0
    pinned_pool_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """Everything on a page.

    `instance_labels` are those that only series of model instances have: `gpu_uuid` where the model was loaded after
    start, else none. `failures` counts by reason.
    """

    model: str
    version: str
    counters: TritonCounters
    pending: int
    host: HostReading
    gpu: GpuReading | None = None
    instance_labels: Mapping[str, str] = field(default_factory=dict)


def page(state: ServerState) -> str:
    """The exposition of one server."""
    return "".join(
        f"{line}\n" for family, series in _families(state) for line in _lines(family, series)
    )


def _families(state: ServerState) -> Iterator[tuple[f.Family, list[Series]]]:
    yield from _model_families(state)
    host = state.host
    yield f.PINNED_TOTAL, [({}, host.pinned_pool_bytes)]
    yield f.PINNED_USED, [({}, 0)]
    if state.gpu:
        yield from _gpu_families(state.gpu)
    yield f.CPU_UTILIZATION, [({}, host.cpu_utilization)]
    yield f.CPU_MEMORY_TOTAL, [({}, host.memory_total_bytes)]
    yield f.CPU_MEMORY_USED, [({}, host.memory_used_bytes)]


def _model_families(state: ServerState) -> Iterator[tuple[f.Family, list[Series]]]:
    model = {"model": state.model, "version": state.version}
    instance = {**state.instance_labels, **model}
    counters = state.counters
    yield f.SUCCESS, [(instance, counters.request_success)]
    # Pre-created at zero. A simulated server does not fail.
    yield f.FAILURE, [(_failure_labels(state, reason), 0) for reason in f.FAILURE_REASONS]
    yield f.INFERENCES, [(instance, counters.inference_count)]
    yield f.EXECUTIONS, [(instance, counters.exec_count)]
    yield f.REQUEST_DURATION, [(instance, counters.request_microseconds)]
    yield f.QUEUE_DURATION, [(instance, counters.queue_microseconds)]
    yield f.INPUT_DURATION, [(instance, counters.compute_input_microseconds)]
    yield f.INFER_DURATION, [(instance, counters.compute_infer_microseconds)]
    yield f.OUTPUT_DURATION, [(instance, counters.compute_output_microseconds)]
    yield f.PENDING, [(model, state.pending)]


def _failure_labels(state: ServerState, reason: str) -> dict[str, str]:
    # The scheduler, which knows no instance, rejects and cancels.
    labels = state.instance_labels if reason in {"BACKEND", "OTHER"} else {}
    return {**labels, "model": state.model, "reason": reason, "version": state.version}


def _gpu_families(gpu: GpuReading) -> Iterator[tuple[f.Family, list[Series]]]:
    labels = {"gpu_uuid": gpu.uuid}
    yield f.GPU_UTILIZATION, [(labels, gpu.utilization)]
    yield f.GPU_MEMORY_TOTAL, [(labels, gpu.memory_total_bytes)]
    yield f.GPU_MEMORY_USED, [(labels, gpu.memory_used_bytes)]
    yield f.GPU_POWER_USAGE, [(labels, gpu.power_watts)]
    yield f.GPU_POWER_LIMIT, [(labels, gpu.power_limit_watts)]
    yield f.ENERGY, [(labels, gpu.energy_joules)]


def _lines(family: f.Family, series: list[Series]) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help}"
    yield f"# TYPE {family.name} {family.kind}"
    for labels, value in series:
        listed = ",".join(f'{name}="{_escaped(labels[name])}"' for name in sorted(labels))
        yield (
            f"{family.name}{{{listed}}} {_number(value)}"
            if listed
            else (f"{family.name} {_number(value)}")
        )


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: Number) -> str:
    return repr(int(value)) if value == int(value) else repr(value)
