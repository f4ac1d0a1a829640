"""The ready endpoints of one Service, from its EndpointSlices, as they change."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config

Json = dict[str, Any]
_SERVICE_LABEL = "kubernetes.io/service-name"
_RETRY_SECONDS = 0.5
# The API server ends a watch after this time; the list that follows heals whatever was missed.
_WATCH_SECONDS = 300
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort:
    """Which Service to follow, and which of its named ports."""

    namespace: str
    service: str
    port_name: str = "http"


def ready_addresses(slices: Iterable[Json], port_name: str) -> frozenset[tuple[str, int]]:
    """(pod IP, port) of endpoints that are ready and not terminating.

    A missing `ready` means unknown, which the API asks to be read as ready.
    """
    return frozenset(
        (address, port["port"])
        for endpoint_slice in slices
        for port in endpoint_slice.get("ports") or ()
        if port.get("name", "") == port_name
        for endpoint in endpoint_slice.get("endpoints") or ()
        if _takes_requests(endpoint.get("conditions") or {})
        for address in endpoint["addresses"]
    )


def _takes_requests(conditions: Json) -> bool:
    return conditions.get("ready") is not False and not conditions.get("terminating")


async def follow(
    service: ServicePort,
    kubeconfig: Path,
    on_change: Callable[[frozenset[tuple[str, int]]], None],
) -> None:
    """Call `on_change` with the ready endpoints at the start and after each change, for ever.

    While the API server is away the last endpoints stay.
    """
    async with await config.new_client_from_config(config_file=str(kubeconfig)) as api_client:
        api = client.DiscoveryV1Api(api_client)
        while True:
            try:
                await _list_and_watch(api, service, on_change)
            except (aiohttp.ClientError, TimeoutError, OSError, client.ApiException) as error:
                _log.warning("EndpointSlices of %s: %s; trying again", service.service, error)
                await asyncio.sleep(_RETRY_SECONDS)


async def _list_and_watch(
    api: Any,
    service: ServicePort,
    on_change: Callable[[frozenset[tuple[str, int]]], None],
) -> None:
    async with _request(api, service) as response:
        listed = await response.json()
    slices = {item["metadata"]["name"]: item for item in listed["items"]}
    on_change(ready_addresses(slices.values(), service.port_name))
    version = listed["metadata"]["resourceVersion"]
    async with _request(
        api,
        service,
        watch=True,
        resource_version=version,
        timeout_seconds=_WATCH_SECONDS,
        _request_timeout=float(_WATCH_SECONDS + 10),
    ) as response:
        async for event in _events(response):
            if not apply_event(slices, event):
                return
            on_change(ready_addresses(slices.values(), service.port_name))


def apply_event(slices: dict[str, Json], event: Json) -> bool:
    """Update the slices in place; False when the watch has expired and a new list is due."""
    endpoint_slice = event["object"]
    match event["type"]:
        case "ADDED" | "MODIFIED":
            slices[endpoint_slice["metadata"]["name"]] = endpoint_slice
        case "DELETED":
            slices.pop(endpoint_slice["metadata"]["name"], None)
        case _:
            return False
    return True


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Json]:
    # Slices may be longer than a stream reader's line limit, hence the buffer of our own.
    buffer = b""
    async for chunk in response.content.iter_any():
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)


@contextlib.asynccontextmanager
async def _request(
    api: Any, service: ServicePort, **options: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    response = await api.list_namespaced_endpoint_slice_without_preload_content(
        service.namespace, label_selector=f"{_SERVICE_LABEL}={service.service}", **options
    )
    async with response:
        if response.status >= 400:
            raise client.ApiException(status=response.status, reason=await response.text())
        yield response
