"""The port to the Kubernetes API: dict in, dict out, every failure a `KubeError`, every write fenced.

Built on the official asynchronous client (`kubernetes.aio`), below its typed models: a hot path needs no models, and
a field that a newer API server adds must not break reading.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import aiohttp

from inference_cost.act.errors import FencedOffError, KubeError, UnreachableError, error_of
from inference_cost.act.resources import Resource
from inference_cost.api.group import FIELD_MANAGER

REQUEST_TIMEOUT_SECONDS = 10.0
# A write is not begun when less than this is left of the lease: the answer could come after another leads.
FENCE_MARGIN_SECONDS = 0.5
JSON, MERGE_PATCH, JSON_PATCH = (
    "application/json",
    "application/merge-patch+json",
    "application/json-patch+json",
)
LIST_CHUNK = 500

Json = dict[str, Any]
Body = Json | list[Json]


class ApiClient(Protocol):
    """What is used of `kubernetes.aio.client.ApiClient`."""

    async def param_serialize(self, method: str, resource_path: str, **kwargs: Any) -> Any: ...

    async def call_api(self, *args: Any, **kwargs: Any) -> Any: ...


def always_allowed() -> float:
    """The fence of a caller that needs none: the elector itself, and tests."""
    return float("inf")


class KubeApi:
    """Calls one API server.

    Args:
        client: the official client, with its own connection pool and credentials.
        fence: seconds for which this process may still write; zero or less means not at all.
        on_write: told the plural name and verb of each write that was answered with success.
        on_failure: told the plural name and the error of each write that was sent and failed.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        fence: Callable[[], float] = always_allowed,
        on_write: Callable[[str, str], None] = lambda _resource, _verb: None,
        on_failure: Callable[[str, KubeError], None] = lambda _resource, _error: None,
    ) -> None:
        self._client = client
        self._fence = fence
        self._on_write = on_write
        self._on_failure = on_failure
        self._in_flight: set[asyncio.Task[Json]] = set()

    async def drain(self, *, timeout_seconds: float) -> None:
        """Waits for writes that were begun, also when whoever began them is gone."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=timeout_seconds)

    @property
    def idle(self) -> bool:
        """Whether no write is under way."""
        return not self._in_flight

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        return await self._call("get", resource, resource.path(namespace, name))

    async def list_all(self, resource: Resource) -> list[Json]:
        """All objects of all namespaces, read in chunks."""
        items: list[Json] = []
        query: Json = {"limit": LIST_CHUNK}
        while True:
            page = await self._call("list", resource, resource.path("", ""), query=query)
            items.extend(page.get("items", ()))
            token = page.get("metadata", {}).get("continue")
            if not token:
                return items
            query = {"limit": LIST_CHUNK, "continue": token}

    async def create(self, resource: Resource, namespace: str, body: Json) -> Json:
        query = {"fieldManager": FIELD_MANAGER}
        path = resource.path(namespace, "")
        return await self._write("create", resource, path, body=body, query=query)

    async def replace(self, resource: Resource, namespace: str, name: str, body: Json) -> Json:
        query = {"fieldManager": FIELD_MANAGER}
        path = resource.path(namespace, name)
        return await self._write("update", resource, path, body=body, query=query)

    async def merge_patch(self, resource: Resource, namespace: str, name: str, body: Json) -> Json:
        """RFC 7386: null removes, lists are replaced whole."""
        query = {"fieldManager": FIELD_MANAGER}
        path = resource.path(namespace, name)
        return await self._write("patch", resource, path, body=body, query=query)

    async def json_patch(
        self, resource: Resource, namespace: str, name: str, operations: list[Json]
    ) -> Json:
        """RFC 6902; a `test` that fails is a `RejectedError`."""
        query = {"fieldManager": FIELD_MANAGER}
        path = resource.path(namespace, name)
        return await self._write("patch", resource, path, body=operations, query=query)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> Json:
        """Only the object with this uid; what it owns goes after it."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        return await self._write("delete", resource, resource.path(namespace, name), body=body)

    async def _write(self, verb: str, resource: Resource, path: str, **kwargs: Any) -> Json:
        remaining = self._fence()
        if remaining <= FENCE_MARGIN_SECONDS:
            raise FencedOffError(f"{verb} {resource}: not the leader", status=0)
        timeout = min(REQUEST_TIMEOUT_SECONDS, remaining)
        call = self._call(verb, resource, path, timeout_seconds=timeout, **kwargs)
        # A write that was begun is finished, also when the tick that wanted it is cancelled.
        task = asyncio.create_task(call, name=f"{verb} {resource}")
        self._in_flight.add(task)
        task.add_done_callback(self._finished)
        try:
            answer = await asyncio.shield(task)
        except KubeError as error:
            self._on_failure(str(resource), error)
            raise
        self._on_write(str(resource), verb)
        return answer

    def _finished(self, task: asyncio.Task[Json]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled():
            task.exception()  # seen, also when nobody awaits it any more

    async def _call(
        self,
        verb: str,
        resource: Resource,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Body | None = None,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> Json:
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._exchange(verb, resource, path, query, body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnreachableError(f"{verb} {resource}: {type(error).__name__}") from error

    async def _exchange(
        self,
        verb: str,
        resource: Resource,
        path: str,
        query: Mapping[str, Any] | None,
        body: Body | None,
    ) -> Json:
        headers = {"Accept": JSON}
        if body is not None:
            headers["Content-Type"] = _content_type(verb, body)
        request = await self._client.param_serialize(
            _METHODS[verb],
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        response = await self._client.call_api(*request)
        return answer_of(response.status, await response.read(), response.headers, verb, resource)


_METHODS = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}


def _content_type(verb: str, body: Body) -> str:
    if verb != "patch":
        return JSON
    return JSON_PATCH if isinstance(body, list) else MERGE_PATCH


def answer_of(
    status: int, data: bytes, headers: Mapping[str, str], verb: str, resource: Resource
) -> Json:
    """The parsed body of a success.

    Raises:
        KubeError: for a status of 400 and above.
        ValueError: for a body that is not a JSON object.
    """
    if status < _FIRST_FAILURE:
        return _json_object(data)
    raise error_of(status, _message(data), verb=verb, resource=str(resource), headers=headers)


_FIRST_FAILURE = 300


def _json_object(data: bytes) -> Json:
    parsed = json.loads(data)
    if not isinstance(parsed, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  # mapped with other unreadable answers
    return parsed


def _message(data: bytes) -> str:
    """The `message` of a Status object; a foreign body (a proxy's page) is not repeated."""
    try:
        return str(_json_object(data).get("message", ""))
    except ValueError:
        return ""


__all__ = ["FIELD_MANAGER", "Json", "KubeApi", "KubeError", "always_allowed"]
