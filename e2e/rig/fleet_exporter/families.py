"""The metric families of Triton 2.51.0 in the order of its page; nothing else knows names and texts.

GPU families: names, texts and place as in Triton's `src/metrics.cc` (repository triton-inference-server/core) and in
the recording tests/fixtures/expositions/triton-gpu.txt.
"""

from dataclasses import dataclass

NOT_CACHED = "(does not include cached requests)"
WITH_CACHED = "(includes cached requests)"
FAILURE_REASONS = ("BACKEND", "OTHER", "CANCELED", "REJECTED")


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    kind: str  # counter or gauge
    help: str


SUCCESS = Family(
    "nv_inference_request_success",
    "counter",
    "Number of successful inference requests, all batch sizes",
)
FAILURE = Family(
    "nv_inference_request_failure",
    "counter",
    "Number of failed inference requests, all batch sizes",
)
INFERENCES = Family("nv_inference_count", "counter", f"Number of inferences performed {NOT_CACHED}")
EXECUTIONS = Family(
    "nv_inference_exec_count", "counter", f"Number of model executions performed {NOT_CACHED}"
)
REQUEST_DURATION = Family(
    "nv_inference_request_duration_us",
    "counter",
    f"Cumulative inference request duration in microseconds {WITH_CACHED}",
)
QUEUE_DURATION = Family(
    "nv_inference_queue_duration_us",
    "counter",
    f"Cumulative inference queuing duration in microseconds {WITH_CACHED}",
)
INPUT_DURATION = Family(
    "nv_inference_compute_input_duration_us",
    "counter",
    f"Cumulative compute input duration in microseconds {NOT_CACHED}",
)
INFER_DURATION = Family(
    "nv_inference_compute_infer_duration_us",
    "counter",
    f"Cumulative compute inference duration in microseconds {NOT_CACHED}",
)
OUTPUT_DURATION = Family(
    "nv_inference_compute_output_duration_us",
    "counter",
    f"Cumulative inference compute output duration in microseconds {NOT_CACHED}",
)
PENDING = Family(
    "nv_inference_pending_request_count",
    "gauge",
    "Instantaneous number of pending requests awaiting execution per-model.",
)
PINNED_TOTAL = Family(
    "nv_pinned_memory_pool_total_bytes", "gauge", "Pinned memory pool total memory size, in bytes"
)
PINNED_USED = Family(
    "nv_pinned_memory_pool_used_bytes", "gauge", "Pinned memory pool used memory size, in bytes"
)
GPU_UTILIZATION = Family("nv_gpu_utilization", "gauge", "GPU utilization rate [0.0 - 1.0)")
GPU_MEMORY_TOTAL = Family("nv_gpu_memory_total_bytes", "gauge", "GPU total memory, in bytes")
GPU_MEMORY_USED = Family("nv_gpu_memory_used_bytes", "gauge", "GPU used memory, in bytes")
GPU_POWER_USAGE = Family("nv_gpu_power_usage", "gauge", "GPU power usage in watts")
GPU_POWER_LIMIT = Family("nv_gpu_power_limit", "gauge", "GPU power management limit in watts")
ENERGY = Family(
    "nv_energy_consumption",
    "counter",
    "GPU energy consumption in joules since the Triton Server started",
)
CPU_UTILIZATION = Family("nv_cpu_utilization", "gauge", "CPU utilization rate [0.0 - 1.0]")
CPU_MEMORY_TOTAL = Family("nv_cpu_memory_total_bytes", "gauge", "CPU total memory (RAM), in bytes")
CPU_MEMORY_USED = Family("nv_cpu_memory_used_bytes", "gauge", "CPU used memory (RAM), in bytes")
