"""A Prometheus that a command asks: at one instant or over time. Its failures are one sentence."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from pydantic import ValidationError
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from inference_cost.cli.failure import CommandError, usage
from inference_cost.cli.prometheus_access import PrometheusAccess
from inference_cost.observe.prometheus_client import refusal
from inference_cost.observe.prometheus_session import (
    HTTP_OK,
    AnswerTooLongError,
    AnswerTooSlowError,
    CredentialsUnreadableError,
    PrometheusSession,
)
from inference_cost.observe.settings import PrometheusSettings

MOST_POINTS = 10_000  # per query; Prometheus refuses more than 11,000
QUERY_SECONDS = 60.0
LONGEST_CAUSE = 120  # characters
_FAILURES = (
    PrometheusApiClientException,
    HTTPError,
    AnswerTooLongError,
    AnswerTooSlowError,
    CredentialsUnreadableError,
    LookupError,
    TypeError,
    ValueError,
    OSError,
)
_ORIGIN = datetime.fromtimestamp(0, UTC)


class Prometheus:
    """Raises `CommandError` with the exit code of wrong usage where `access` cannot be used as it is."""

    def __init__(self, access: PrometheusAccess) -> None:
        self.settings = prometheus_settings(access)
        self._session = PrometheusSession(self.settings)
        self._client = PrometheusConnect(
            url=self.settings.url, session=self._session, retry=Retry(total=0)
        )

    def at(self, query: str, at: float) -> list[Any]:
        """An instant vector at epoch seconds.

        Raises:
            CommandError: it cannot be asked, or does not answer as a Prometheus.
        """
        return self._ask(
            lambda: self._client.custom_query(
                query, params={"time": f"{at:.3f}"}, timeout=QUERY_SECONDS
            )
        )

    def over(self, query: str, start: float, end: float, step: float) -> Iterator[Any]:
        """Series over time, asked for in parts that Prometheus accepts. Epoch seconds, both ends included.

        Raises:
            CommandError: as `at`.
        """
        while start <= end:
            until = min(start + (MOST_POINTS - 1) * step, end)
            yield from self._range(query, start, until, step)
            start = until + step

    def _range(self, query: str, start: float, end: float, step: float) -> list[Any]:
        return self._ask(
            lambda: self._client.custom_query_range(
                query,
                _ORIGIN + timedelta(seconds=start),
                _ORIGIN + timedelta(seconds=end),
                step=f"{step:g}",
                timeout=QUERY_SECONDS,
            )
        )

    def _ask(self, ask: Any) -> list[Any]:
        try:
            found = ask()
        except _FAILURES as error:
            raise CommandError(self._cause(error)) from None
        if not isinstance(found, list):
            raise CommandError(f"{self.settings.url}: the answer is not that of a Prometheus")
        return found

    def _cause(self, error: Exception) -> str:
        status = self._session.answered.status
        if isinstance(error, CredentialsUnreadableError):
            return "a file of --prometheus-bearer-token-file or --prometheus-header-file cannot be read"
        if isinstance(error, AnswerTooLongError | AnswerTooSlowError):
            return (
                f"{self.settings.url}: its answer is too long or too slow; ask for a shorter time"
            )
        if status not in {0, HTTP_OK}:
            return f"{self.settings.url}: {refusal(status).detail}"
        return f"{self.settings.url}: cannot be asked: {_root_cause(error)}"


def prometheus_settings(access: PrometheusAccess) -> PrometheusSettings:
    """How to ask it.

    Raises:
        CommandError: an option is not what it must be.
    """
    headers = dict(one.partition("=")[::2] for one in access.header_files)
    if not all(headers.values()):
        raise usage("--prometheus-header-file must be NAME=FILE")
    try:
        return PrometheusSettings(
            url=access.url,
            bearer_token_file=access.bearer_token_file,
            header_files=headers,
            ca_file=access.ca_file,
            matchers=access.matchers,
            namespace_label=access.namespace_label,
            pod_label=access.pod_label,
            query_timeout_seconds=QUERY_SECONDS,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]).replace("_", "-")
        if name == "url":
            raise usage(
                f"--prometheus-url {access.url}: must begin with http:// or https://, without ? and #"
            ) from None
        raise usage(f"--prometheus-{name}: {first['msg']}") from None


def _root_cause(error: BaseException) -> str:
    """What the operating system said, without the query that the libraries wrap around it."""
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) and inner not in chain:
        chain.append(inner)
    for one in reversed(chain):
        if isinstance(one, TimeoutError):
            return "it does not answer in time"
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
    first = str(error).partition("\n")[0]
    return first if 0 < len(first) <= LONGEST_CAUSE else type(error).__name__
