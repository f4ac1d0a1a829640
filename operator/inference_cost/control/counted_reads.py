"""Counts reads of metrics by outcome, around the ports that do them."""

from collections.abc import Sequence

from inference_cost.control.metrics import Metrics
from inference_cost.model.reading import Missing
from inference_cost.model.signals import ModelConfiguration
from inference_cost.observe.history import RangeReader
from inference_cost.observe.prometheus_client import Answer, MetricsReader
from inference_cost.observe.triton_client import TritonReader


class CountedMetricsReader:
    """Prometheus: ok, partial, empty, or the reason why there was no answer."""

    def __init__(self, reader: MetricsReader, metrics: Metrics) -> None:
        self._reader = reader
        self._metrics = metrics

    async def query(self, promql: str, *, at: float | None) -> Answer | Missing:
        answer = await self._reader.query(promql, at=at)
        self._metrics.metric_reads.labels("prometheus", _outcome(answer)).inc()
        return answer


class CountedRangeReader:
    """As above, for queries of the past."""

    def __init__(self, reader: RangeReader, metrics: Metrics) -> None:
        self._reader = reader
        self._metrics = metrics

    async def query_range(
        self, promql: str, *, start: float, end: float, step_seconds: float
    ) -> Answer | Missing:
        answer = await self._reader.query_range(
            promql, start=start, end=end, step_seconds=step_seconds
        )
        self._metrics.metric_reads.labels("prometheus", _outcome(answer)).inc()
        return answer


class CountedTritonReader:
    """Triton's own endpoint: ok, or the reason why there was no answer."""

    def __init__(self, reader: TritonReader, metrics: Metrics) -> None:
        self._reader = reader
        self._metrics = metrics

    async def read(
        self, pod_ip: str, models: Sequence[str]
    ) -> tuple[ModelConfiguration, ...] | Missing:
        answer = await self._reader.read(pod_ip, models)
        outcome = answer.reason.value if isinstance(answer, Missing) else "ok"
        self._metrics.metric_reads.labels("triton", outcome).inc()
        return answer


def _outcome(answer: Answer | Missing) -> str:
    if isinstance(answer, Missing):
        return answer.reason.value
    if answer.partial:
        return "partial"
    return "ok" if answer.result else "empty"
