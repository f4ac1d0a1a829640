"""GPU utilization of a pod: Triton's own gauge, else DCGM's; the mean over its GPUs and the window.

A duty cycle (share of time with a kernel running): fit for a guard and for reports, not for capacity.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from inference_cost.model.reading import Missing, MissingReason, Reading, Sample
from inference_cost.observe import queries as q
from inference_cost.observe.series import Series, mean

PodKey = tuple[str, str]  # (namespace, pod)

# Name and what its full scale is, most trusted first.
_SOURCES = ((q.TRITON_GPU, 1.0), (q.DCGM_GPU, 100.0), (q.DCGM_ENGINE, 1.0))
_GPU_LABELS = ("gpu_uuid", "UUID", "gpu", "device", "pci_bus_id")
NOT_EXPORTED: Reading[float] = Missing(
    reason=MissingReason.NOT_EXPORTED,
    detail=f"neither {q.TRITON_GPU} nor {q.DCGM_GPU} nor {q.DCGM_ENGINE} for this pod",
)


def gpu_series_by_pod(
    many: Iterable[Series], *, namespace_label: str, pod_label: str
) -> dict[PodKey, list[Series]]:
    """Group by the pod that uses the GPU. DCGM's exporter keeps it in `exported_*` unless labels are honored."""
    found: dict[PodKey, list[Series]] = defaultdict(list)
    for series in many:
        exported = "exported_pod" in series.labels and series.name != q.TRITON_GPU
        prefix = ("exported_namespace", "exported_pod")
        namespace, pod = prefix if exported else (namespace_label, pod_label)
        key = (series.labels.get(namespace, ""), series.labels.get(pod, ""))
        if all(key):
            found[key].append(series)
    return found


def gpu_utilization(
    many: Iterable[Series], *, clock_offset_seconds: float = 0.0, busy: bool = False
) -> Reading[float]:
    """Fraction of one from a pod's GPU series. `busy`: it computed, so a gauge stuck at zero is not believed."""
    by_name: dict[str, list[Series]] = defaultdict(list)
    for series in many:
        by_name[series.name].append(series)
    for name, full_scale in _SOURCES:
        reading = _reading(by_name.get(name, []), full_scale, clock_offset_seconds)
        if reading is not None and not (name == q.TRITON_GPU and busy and reading.value == 0):
            return reading
    return NOT_EXPORTED


def _reading(
    many: list[Series], full_scale: float, clock_offset_seconds: float
) -> Sample[float] | None:
    per_gpu: Mapping[str, list[Series]] = _by_gpu(many, full_scale)
    if not per_gpu:
        return None
    means = [max(mean(s.samples) for s in same) for same in per_gpu.values()]
    newest = max(s.last_at for same in per_gpu.values() for s in same)
    return Sample(
        value=min(1.0, sum(means) / len(means) / full_scale), at=newest - clock_offset_seconds
    )


def _by_gpu(many: list[Series], full_scale: float) -> Mapping[str, list[Series]]:
    """A GPU may be reported by several scrapers, and a value above full scale is an exporter's blank."""
    found: dict[str, list[Series]] = defaultdict(list)
    for series in many:
        if series.samples and all(value <= full_scale for _, value in series.samples):
            identity = next((series.labels[k] for k in _GPU_LABELS if k in series.labels), "")
            found[identity].append(series)
    return found
