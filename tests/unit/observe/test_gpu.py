"""GPU utilization from Triton or DCGM, or the reason why there is none."""

import pytest

from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.observe import queries as q
from inference_cost.observe.gpu import gpu_series_by_pod, gpu_utilization
from inference_cost.observe.series import parse_series
from tests.unit.observe.world import Entry, entry

TRITON = {"namespace": "vision", "pod": "a"}
EXPORTER = {"namespace": "gpu-operator", "pod": "dcgm-7", "UUID": "GPU-1"}
WORKLOAD = {"exported_namespace": "vision", "exported_pod": "a"}

READ: dict[str, tuple[list[Entry], float]] = {
    "Triton's gauge is a fraction": (
        [entry(q.TRITON_GPU, {**TRITON, "gpu_uuid": "GPU-1"}, (-15, 0.4), (0, 0.6))],
        0.5,
    ),
    "the mean over the pod's GPUs": (
        [
            entry(q.TRITON_GPU, {**TRITON, "gpu_uuid": "GPU-1"}, (0, 0.2)),
            entry(q.TRITON_GPU, {**TRITON, "gpu_uuid": "GPU-2"}, (0, 0.6)),
        ],
        0.4,
    ),
    "DCGM counts in percent and names the workload in exported_pod": (
        [entry(q.DCGM_GPU, {**EXPORTER, **WORKLOAD}, (-15, 40), (0, 60))],
        0.5,
    ),
    "DCGM with honored labels": ([entry(q.DCGM_GPU, {**TRITON, "UUID": "GPU-1"}, (0, 30))], 0.3),
    "Triton goes before DCGM": (
        [
            entry(q.DCGM_GPU, {**EXPORTER, **WORKLOAD}, (0, 90)),
            entry(q.TRITON_GPU, {**TRITON, "gpu_uuid": "GPU-1"}, (0, 0.1)),
        ],
        0.1,
    ),
    "on MIG only the engine's activity": (
        [entry(q.DCGM_ENGINE, {**EXPORTER, **WORKLOAD}, (0, 0.7))],
        0.7,
    ),
    "one GPU reported by two scrapers": (
        [
            entry(q.DCGM_GPU, {**EXPORTER, **WORKLOAD, "job": "a"}, (0, 50)),
            entry(q.DCGM_GPU, {**EXPORTER, **WORKLOAD, "job": "b"}, (0, 50)),
        ],
        0.5,
    ),
}


@pytest.mark.parametrize(("entries", "expected"), READ.values(), ids=READ)
def test_utilization(entries: list[Entry], expected: float) -> None:
    series = gpu_series_by_pod(
        map(parse_series, entries), namespace_label="namespace", pod_label="pod"
    )
    found = gpu_utilization(series["vision", "a"])
    assert isinstance(found, Sample)
    assert found.value == pytest.approx(expected)


MISSING: dict[str, tuple[list[Entry], bool]] = {
    "nothing, as on a CPU": ([], False),
    "a blank sentinel": ([entry(q.DCGM_GPU, TRITON, (0, 9223372036854775794))], False),
    "a value above full scale": ([entry(q.DCGM_GPU, TRITON, (0, 5000))], False),
    "NaN": ([entry(q.TRITON_GPU, TRITON, (0, "NaN"))], False),
    "Triton's gauge stuck at zero while the pod computes": (
        [entry(q.TRITON_GPU, TRITON, (-15, 0), (0, 0))],
        True,
    ),
}


@pytest.mark.parametrize(("entries", "busy"), MISSING.values(), ids=MISSING)
def test_missing_names_what_was_tried(entries: list[Entry], busy: bool) -> None:
    found = gpu_utilization(map(parse_series, entries), busy=busy)
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.NOT_EXPORTED
    assert q.TRITON_GPU in found.detail
    assert q.DCGM_GPU in found.detail


def test_zero_of_an_idle_pod_is_zero() -> None:
    found = gpu_utilization([parse_series(entry(q.TRITON_GPU, TRITON, (0, 0)))])
    assert isinstance(found, Sample)
    assert found.value == 0.0


def test_a_gpu_that_nobody_uses_belongs_to_no_pod() -> None:
    idle = entry(q.DCGM_GPU, {"UUID": "GPU-9", "namespace": "", "pod": ""}, (0, 0))
    assert not gpu_series_by_pod([parse_series(idle)], namespace_label="namespace", pod_label="pod")
