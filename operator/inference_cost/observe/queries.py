"""The queries of a tick: the same few for one policy and for a thousand. No tenant's string enters them.

Counters are read raw, as range selectors: rates over a name pattern fail in PromQL, and resets, label flips and
gaps are judged here (`counters.py`). Gateways alone are summed on the server, for a mesh has a series per
sidecar, upstream and bucket.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.prometheus_client import Answer, MetricsReader
from inference_cost.observe.settings import GatewaySettings, PrometheusSettings

SUCCESS = "nv_inference_request_success"
FAILURE = "nv_inference_request_failure"
INFERENCES = "nv_inference_count"
EXECUTIONS = "nv_inference_exec_count"
REQUEST_MICROSECONDS = "nv_inference_request_duration_us"
QUEUE_MICROSECONDS = "nv_inference_queue_duration_us"
COMPUTE_MICROSECONDS = (
    "nv_inference_compute_input_duration_us",
    "nv_inference_compute_infer_duration_us",
    "nv_inference_compute_output_duration_us",
)
PENDING = "nv_inference_pending_request_count"
# Both only where `--metrics-config` asks for them. Of a decoupled model the first is about the first response alone.
RESPONSE_BUCKET = "nv_inference_first_response_histogram_ms_bucket"
REQUEST_SUMMARY = "nv_inference_request_summary_us"
# Where the backend reports tokens: vLLM with REPORT_CUSTOM_METRICS, TensorRT-LLM by the sums of its histograms.
TOKENS = (
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "nv_llm_input_token_len_sum",
    "nv_llm_output_token_len_sum",
)
TRITON_GPU = "nv_gpu_utilization"
DCGM_GPU = "DCGM_FI_DEV_GPU_UTIL"
DCGM_ENGINE = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"

ENVOY_TIME_BUCKET = "envoy_cluster_upstream_rq_time_bucket"
ENVOY_CLASSES = "envoy_cluster_upstream_rq_xx"
ENVOY_WAITING = "envoy_cluster_upstream_rq_pending_active"
ENVOY_TOTAL = "envoy_cluster_upstream_rq_total"
ENVOY_NO_UPSTREAM = "envoy_cluster_upstream_cx_none_healthy"
ENVOY_CLASS_LABEL = "envoy_response_code_class"

TRITON_QUERIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "requests": (SUCCESS, FAILURE),
        "executions": (INFERENCES, EXECUTIONS),
        "durations": (REQUEST_MICROSECONDS, QUEUE_MICROSECONDS, *COMPUTE_MICROSECONDS),
        "pending": (PENDING, RESPONSE_BUCKET, REQUEST_SUMMARY, *TOKENS),
        "gpu": (TRITON_GPU, DCGM_GPU, DCGM_ENGINE),
    }
)
REQUIRED_QUERIES = ("requests", "executions", "durations")
CLOCK_QUERY = "time()"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TickAnswers:
    """Answers of one tick by query name. `clock_offset_seconds`: the source's clock minus ours."""

    at: float  # the source's time that all queries were evaluated at
    clock_offset_seconds: float
    window_seconds: float
    answers: Mapping[str, Answer | Missing] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, name: str) -> Answer | Missing:
        return self.answers.get(name, Missing(reason=MissingReason.NOT_CONFIGURED, detail=name))

    @property
    def partial(self) -> bool:
        return any(isinstance(a, Answer) and a.partial for a in self.answers.values())


def build_queries(
    *, prometheus: PrometheusSettings, gateway: GatewaySettings, window_seconds: float
) -> dict[str, str]:
    """PromQL by name."""
    window = f"[{round(window_seconds * 1000)}ms]"
    queries = {
        name: _selector(families, prometheus.matchers) + window
        for name, families in TRITON_QUERIES.items()
    }
    if gateway.preset == "envoy":
        queries |= _envoy_queries(prometheus, gateway, window)
    return queries


def _selector(families: tuple[str, ...], matchers: str) -> str:
    name = f'__name__=~"{"|".join(families)}"' if len(families) > 1 else f'__name__="{families[0]}"'
    return f"{{{', '.join(part for part in (name, matchers.strip(' ,')) if part)}}}"


def _envoy_queries(
    prometheus: PrometheusSettings, gateway: GatewaySettings, window: str
) -> dict[str, str]:
    parts = (prometheus.matchers.strip(" ,"), gateway.matchers.strip(" ,"))
    matchers = ", ".join(p for p in parts if p)
    wanted = {
        "gateway_latency": ((ENVOY_TIME_BUCKET,), "le"),
        "gateway_classes": ((ENVOY_CLASSES,), ENVOY_CLASS_LABEL),
        # What was turned away before an attempt, no replica being there. That counter is there from the start on; a
        # class of responses appears with its first one, which no increase shows.
        "gateway_requests": ((ENVOY_TOTAL, ENVOY_NO_UPSTREAM), ""),
    }
    queries = {
        name: f"sum by ({', '.join(filter(None, (gateway.cluster_label, label)))}) "
        f"({_increases(families, matchers, window)})"
        for name, (families, label) in wanted.items()
    }
    waiting = f"sum by ({gateway.cluster_label}) ({ENVOY_WAITING}{{{matchers}}})"
    return queries | {"gateway_waiting": waiting}


def _increases(families: tuple[str, ...], matchers: str, window: str) -> str:
    """Of several families the increases are kept apart by a label, for `increase` takes the names away."""
    increases = {family: f"increase({family}{{{matchers}}}{window})" for family in families}
    if len(increases) == 1:
        return increases[families[0]]
    return " or ".join(
        f'label_replace({increase}, "family", "{family}", "", "")'
        for family, increase in increases.items()
    )


async def ask_all(
    reader: MetricsReader,
    queries: Mapping[str, str],
    *,
    now: float,
    window_seconds: float,
    deadline_seconds: float,
) -> TickAnswers | Missing:
    """All queries at one instant of the source's own clock, within one deadline for them together."""
    started = asyncio.get_running_loop().time()
    try:
        clock = await asyncio.wait_for(reader.query(CLOCK_QUERY, at=None), deadline_seconds)
    except TimeoutError:
        return _too_late(deadline_seconds)
    if isinstance(clock, Missing):
        return clock
    at = _scalar(clock)
    if at is None:
        return Missing(
            reason=MissingReason.QUERY_FAILED, detail="Prometheus: it does not tell its time"
        )
    left = deadline_seconds - (asyncio.get_running_loop().time() - started)
    return TickAnswers(
        at=at,
        clock_offset_seconds=at - now,
        window_seconds=window_seconds,
        answers=await _together(reader, queries, at=at, deadline_seconds=max(left, 0.0)),
    )


async def _together(
    reader: MetricsReader, queries: Mapping[str, str], *, at: float, deadline_seconds: float
) -> Mapping[str, Answer | Missing]:
    tasks = {
        name: asyncio.create_task(reader.query(promql, at=at)) for name, promql in queries.items()
    }
    try:
        await asyncio.wait(tasks.values(), timeout=deadline_seconds)
    finally:
        for task in tasks.values():
            task.cancel()
    return MappingProxyType({name: _result(task, deadline_seconds) for name, task in tasks.items()})


def _result(task: asyncio.Task[Answer | Missing], deadline_seconds: float) -> Answer | Missing:
    if not task.done() or task.cancelled():
        return _too_late(deadline_seconds)
    error = task.exception()
    if error is not None:
        _LOG.error("A Prometheus query failed in an unforeseen way", exc_info=error)
        return Missing(reason=MissingReason.QUERY_FAILED, detail="Prometheus: internal error")
    return task.result()


def _too_late(deadline_seconds: float) -> Missing:
    return Missing(
        reason=MissingReason.SOURCE_UNREACHABLE,
        detail=f"Prometheus: no answer within the {deadline_seconds:.1f} s for all queries",
    )


def _scalar(answer: Answer) -> float | None:
    match answer.result:
        case [_, str(text)]:
            try:
                return float(text)
            except ValueError:
                return None
    return None
