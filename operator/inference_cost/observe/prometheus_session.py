"""A `requests` session for one metrics source that cannot hang, grow without bound, or leak credentials."""

import io
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from inference_cost.observe.settings import PrometheusSettings

_CHUNK_BYTES = 65_536
HTTP_OK = 200


class AnswerTooLongError(Exception):
    """The body exceeds the limit."""


class AnswerTooSlowError(Exception):
    """The body was not complete in time, though bytes kept coming."""


class CredentialsUnreadableError(Exception):
    """A file with a token or a header cannot be read."""


@dataclass(slots=True)
class Answered:
    """What the client library does not tell of an answer. `payload` is None when the body is not JSON."""

    status: int = 0
    retry_after: str = ""
    payload: Any = None


class FileCredentials(AuthBase):
    """Adds headers from files, read again for every query: tokens are rotated."""

    def __init__(self, *, bearer_token_file: str, header_files: dict[str, str]) -> None:
        self._bearer_token_file = bearer_token_file
        self._header_files = header_files

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        for name, file in self._header_files.items():
            request.headers[name] = _read_secret(file)
        if self._bearer_token_file:
            request.headers["Authorization"] = f"Bearer {_read_secret(self._bearer_token_file)}"
        return request


def _read_secret(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise CredentialsUnreadableError(str(error)) from error


class PrometheusSession(requests.Session):
    """Follows no redirect, ignores the environment, bounds time and size, and keeps what it saw per thread."""

    def __init__(self, settings: PrometheusSettings) -> None:
        super().__init__()
        self._seen = threading.local()
        self._max_bytes = settings.max_response_mebibytes * 2**20
        self._max_seconds = settings.query_timeout_seconds
        self.trust_env = False  # proxies, .netrc and CA bundles are settings of ours, or nothing
        self.verify = settings.ca_file or True
        if settings.client_certificate_file:
            certificate, key = settings.client_certificate_file, settings.client_key_file
            self.cert = (certificate, key) if key else certificate
        self.headers.update(settings.headers)
        self.auth = FileCredentials(
            bearer_token_file=settings.bearer_token_file, header_files=settings.header_files
        )
        # The longer prefix wins over the adapter that the client library mounts.
        self.mount(f"{settings.url}/api/", _adapter(settings.threads))

    @property
    def answered(self) -> Answered:
        """The answer to this thread's last request; status 0 when there was none."""
        found: Answered = getattr(self._seen, "answered", Answered())
        return found

    def request(  # type: ignore[override]  # the library calls it with keywords alone
        self, method: str, url: str, **kwargs: Any
    ) -> requests.Response:
        self._seen.answered = Answered()
        deadline = time.monotonic() + self._max_seconds
        kwargs |= {"allow_redirects": False, "stream": True}
        response = super().request(method, url, **kwargs)
        self._seen.answered.status = response.status_code
        self._seen.answered.retry_after = response.headers.get("Retry-After", "")
        try:
            body = self._read(response, deadline)
        finally:
            response.close()
        response.raw = io.BytesIO(body)
        self._parse_once(response, body)
        return response

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            parts.append(chunk)
            size += len(chunk)
            if size > self._max_bytes:
                raise AnswerTooLongError
            if time.monotonic() > deadline:
                raise AnswerTooSlowError
        return b"".join(parts)

    def _parse_once(self, response: requests.Response, body: bytes) -> None:
        """Keep the whole document; the library reads `data.result` of it and drops the warnings."""
        if response.status_code != HTTP_OK:
            return
        try:
            payload = json.loads(body)
        except ValueError:
            return
        self._seen.answered.payload = payload
        vars(response)["json"] = lambda **_: payload


def _adapter(connections: int) -> HTTPAdapter:
    """No retries: the next tick asks again, and a retry would outlast this one."""
    # `read=False`, not 0: a read that times out then is told as such, not as a failed connection.
    never = Retry(total=0, read=False, redirect=False, respect_retry_after_header=False)
    return HTTPAdapter(max_retries=never, pool_maxsize=connections)
