"""Reads lists from the API server: a port, and its adapter over the official asynchronous client."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp
from kubernetes.aio.client import ApiClient, ApiException

from inference_cost.observe.kinds import WatchedKind

HTTP_OK = 200
HTTP_UNAUTHORIZED = 401
HTTP_FORBIDDEN = 403
HTTP_NOT_FOUND = 404
HTTP_GONE = 410


class ReadFailedError(Exception):
    """The API server did not give the list. `status` is the HTTP status, 0 when there was no answer."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"{what}: HTTP {status}" if status else f"{what}: no answer")
        self.status = status


class KubernetesReader(Protocol):
    async def list_page(
        self, kind: WatchedKind, *, limit: int, continue_token: str
    ) -> Mapping[str, Any]:
        """One page of a LIST over all namespaces, as a dict.

        Raises:
            ReadFailedError: any answer but 200, or none.
        """
        ...


class AsyncKubernetesReader:
    """Dict-level reads: the typed models of the client are slower and refuse what they do not know."""

    def __init__(self, client: ApiClient, *, timeout_seconds: float = 10.0) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds

    async def list_page(
        self, kind: WatchedKind, *, limit: int, continue_token: str
    ) -> Mapping[str, Any]:
        query = [("limit", str(limit))]
        if continue_token:
            query.append(("continue", continue_token))
        return await self._get(kind.path, query, what=f"list {kind.resource}")

    async def _get(
        self, path: str, query: list[tuple[str, str]], *, what: str
    ) -> Mapping[str, Any]:
        try:
            status, body = await self._request(path, query)
        except ApiException as error:
            raise ReadFailedError(int(error.status or 0), what) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ReadFailedError(0, what) from error
        if status != HTTP_OK:
            raise ReadFailedError(status, what)
        return _decode(body, what)

    async def _request(self, path: str, query: list[tuple[str, str]]) -> tuple[int, bytes]:
        method, url, headers, body, _ = await self._client.param_serialize(
            "GET",
            path,
            query_params=query,
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        response = await self._client.call_api(
            method, url, headers, body, _request_timeout=self._timeout_seconds
        )
        return int(response.status), await response.read()


def _decode(body: bytes, what: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise ReadFailedError(HTTP_OK, f"{what}: not JSON") from error
    if not isinstance(found, Mapping):
        raise ReadFailedError(HTTP_OK, f"{what}: not an object")
    return found
