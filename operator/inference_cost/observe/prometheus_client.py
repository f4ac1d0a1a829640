"""Queries to Prometheus or a compatible store: a port, and its adapter over prometheus-api-client."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.prometheus_session import (
    HTTP_OK,
    AnswerTooLongError,
    AnswerTooSlowError,
    CredentialsUnreadableError,
    PrometheusSession,
)
from inference_cost.observe.settings import PrometheusSettings

_LONGEST_WAIT_SECONDS = 60.0  # of a Retry-After that we honor
_ERROR_TYPES = frozenset(
    {"timeout", "canceled", "execution", "bad_data", "internal", "unavailable", "not_found"}
)
_FAILURES = (
    PrometheusApiClientException,
    requests.RequestException,
    HTTPError,
    AnswerTooLongError,
    AnswerTooSlowError,
    CredentialsUnreadableError,
    LookupError,
    TypeError,
    ValueError,
    OSError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Result of a query: series as the HTTP API has them. `partial`: the source warned."""

    result: list[Any]
    partial: bool = False


class MetricsReader(Protocol):
    async def query(self, promql: str, *, at: float | None) -> Answer | Missing:
        """An instant query, at the source's own present when `at` is None. Never raises for its faults."""
        ...


class PrometheusReader:
    """Runs the synchronous client in a few threads of its own, each query within its own time limit."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._session = PrometheusSession(settings)
        self._client = PrometheusConnect(
            url=settings.url, session=self._session, retry=Retry(total=0)
        )
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="prometheus")
        self._wait_until = 0.0
        self.queries = 0  # sent since the start

    async def query(self, promql: str, *, at: float | None) -> Answer | Missing:
        params = {} if at is None else {"time": f"{at}"}
        return await self._in_thread(partial(self._client.custom_query, promql), params)

    async def query_range(
        self, promql: str, *, start: float, end: float, step_seconds: float
    ) -> Answer | Missing:
        """The client rounds `start` and `end` to whole seconds."""
        first, last = (datetime.fromtimestamp(at, UTC) for at in (start, end))
        ask = partial(self._client.custom_query_range, promql, first, last, f"{step_seconds:g}")
        return await self._in_thread(ask, {})

    async def _in_thread(
        self, ask: Callable[..., object], params: dict[str, str]
    ) -> Answer | Missing:
        if time.monotonic() < self._wait_until:
            return _unreachable("it asked to wait before the next query")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._ask, ask, params)

    def close(self) -> None:
        """Threads under way end by their own time limits."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    def _ask(self, ask: Callable[..., object], params: dict[str, str]) -> Answer | Missing:
        self.queries += 1
        limit = self._settings.query_timeout_seconds
        params = {"timeout": f"{int(limit * 1000)}ms"} | params
        try:
            result = ask(params=params, timeout=(self._settings.connect_timeout_seconds, limit))
        except _FAILURES as error:
            return self._explain(error)
        if not isinstance(result, list):
            return _failed("the answer is not that of a Prometheus")
        warnings = self._session.answered.payload.get("warnings")
        return Answer(result=result, partial=bool(warnings))

    def _explain(self, error: Exception) -> Missing:
        """Words for a failure: status codes and causes, never text that came from the other side."""
        answered = self._session.answered
        if isinstance(error, CredentialsUnreadableError):
            return Missing(
                reason=MissingReason.UNAUTHORIZED,
                detail="a file of prometheus.bearer_token_file or header_files cannot be read",
            )
        if isinstance(error, AnswerTooLongError):
            return _failed(f"the answer exceeds {self._settings.max_response_mebibytes} MiB")
        if isinstance(error, AnswerTooSlowError) or answered.status == 0:
            return _unreachable(self._cause(error))
        if answered.status != HTTP_OK:
            self._note_wait(answered.retry_after)
            return refusal(answered.status)
        return _failed(_error_of(answered.payload))

    def _note_wait(self, retry_after: str) -> None:
        if retry_after.isdecimal():
            wait = min(float(retry_after), _LONGEST_WAIT_SECONDS)
            self._wait_until = time.monotonic() + wait

    def _cause(self, error: Exception) -> str:
        if isinstance(error, requests.exceptions.SSLError):
            return "its certificate is not trusted; check prometheus.ca_file"
        if isinstance(error, requests.Timeout | AnswerTooSlowError):
            return f"no answer within {self._settings.query_timeout_seconds:g} s"
        return "the connection failed; check prometheus.url"


def refusal(status: int) -> Missing:
    """What an HTTP status other than 200 means."""
    if status in (401, 403):
        return Missing(
            reason=MissingReason.UNAUTHORIZED,
            detail=f"Prometheus answered {status}; check prometheus.bearer_token_file and headers",
        )
    if 300 <= status < 400:  # noqa: PLR2004  # the class of HTTP redirects
        return _unreachable(f"it redirects ({status}); set prometheus.url to the final address")
    if status in (408, 429) or status >= 500:  # noqa: PLR2004  # the class of server errors
        return _unreachable(f"it answered {status}")
    return _failed(f"it answered {status}")


def _error_of(payload: Any) -> str:
    if not isinstance(payload, Mapping) or payload.get("status") != "error":
        return "the answer is not that of a Prometheus; check prometheus.url"
    kind = payload.get("errorType")
    return f"it reports an error ({kind if kind in _ERROR_TYPES else 'unknown'})"


def _unreachable(cause: str) -> Missing:
    return Missing(reason=MissingReason.SOURCE_UNREACHABLE, detail=f"Prometheus: {cause}")


def _failed(cause: str) -> Missing:
    return Missing(reason=MissingReason.QUERY_FAILED, detail=f"Prometheus: {cause}")
