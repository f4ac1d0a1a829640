"""The few calls a node makes to the API server, on plain dictionaries."""

import asyncio
import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml

Manifest = dict[str, Any]

STRATEGIC_MERGE = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
RETRY_SECONDS = 1.0
WATCH_SECONDS = 300
CLOSE_SECONDS = 0.1


class ApiError(Exception):
    """An answer other than 2xx. `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


# What `retried` tries again: the server is away or overloaded, the request itself is right.
TRANSIENT = (aiohttp.ClientConnectionError, TimeoutError, asyncio.IncompleteReadError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the API server is and how to be admitted there."""

    server: str
    tls: ssl.SSLContext
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.server.removeprefix("https://").rpartition(":")[0]

    @property
    def port(self) -> str:
        return self.server.rstrip("/").rpartition(":")[2]


def read_kubeconfig(path: Path) -> Endpoint:
    """Read the current context of a kubeconfig: token or client certificate, CA as file or data."""
    document = yaml.safe_load(path.read_text())
    context = _named(document["contexts"], document["current-context"])["context"]
    cluster = _named(document["clusters"], context["cluster"])["cluster"]
    user = _named(document["users"], context["user"])["user"]
    authority = _content(cluster, "certificate-authority")
    tls = ssl.create_default_context(cadata=authority)
    if authority is None and cluster.get("insecure-skip-tls-verify"):
        tls = ssl._create_unverified_context()  # noqa: S323, SLF001  # what the file asks for
    certificate, key = _content(user, "client-certificate"), _content(user, "client-key")
    if certificate and key:
        _load_certificate(tls, certificate + "\n" + key)
    token = user.get("token") or _read(user.get("tokenFile"))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Endpoint(server=cluster["server"].rstrip("/"), tls=tls, headers=headers)


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects at the start of a watch, and again after a gap in it."""

    items: list[Manifest]


@dataclass(frozen=True, slots=True)
class Changed:
    """One event: ADDED, MODIFIED or DELETED."""

    kind: str
    object: Manifest


class KubernetesApi:
    """An API server; use as an asynchronous context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self.endpoint.tls, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, headers=self.endpoint.headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        # TLS connections end in later turns of the loop; without them they are left open.
        await asyncio.sleep(CLOSE_SECONDS)

    async def get(self, path: str, **query: str) -> Manifest:
        return await self._request("GET", path, query=query)

    async def find(self, path: str) -> Manifest | None:
        """Get an object, None when there is none."""
        try:
            return await self.get(path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def create(self, path: str, body: Manifest) -> Manifest:
        return await self._request("POST", path, body=body)

    async def patch(self, path: str, body: Manifest, kind: str = STRATEGIC_MERGE) -> Manifest:
        return await self._request("PATCH", path, body=body, content_type=kind)

    async def delete(
        self, path: str, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        """Delete an object, only if it has this uid; False when it is gone already."""
        options: Manifest = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            await self._request("DELETE", path, body=options)
        except ApiError as error:
            if error.status in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
                return False
            raise
        return True

    async def follow(self, path: str, **query: str) -> AsyncIterator[Listed | Changed]:
        """List, then watch for ever; after each gap comes a new list, never silence."""
        while True:
            try:
                listed = await self.get(path, **query)
                yield Listed(listed.get("items") or [])
                version = listed["metadata"]["resourceVersion"]
                async for change in self._watch(path, version, query):
                    yield change
            except (ApiError, *TRANSIENT, aiohttp.ClientPayloadError):
                await asyncio.sleep(RETRY_SECONDS)

    async def _watch(
        self, path: str, version: str, query: Mapping[str, str]
    ) -> AsyncIterator[Changed]:
        """Watch until the server says that the version is too old."""
        while True:
            parameters = {
                **query,
                "watch": "true",
                "resourceVersion": version,
                "allowWatchBookmarks": "true",
                "timeoutSeconds": str(WATCH_SECONDS),
            }
            url = self.endpoint.server + path
            unlimited = aiohttp.ClientTimeout(total=None, sock_connect=5)
            async with self._session.get(url, params=parameters, timeout=unlimited) as answer:
                await _raise_for(answer)
                async for line in _lines(answer):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError(event["object"].get("code", 0), "watch ended")
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        yield Changed(event["type"], event["object"])

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        async with self._session.request(
            method,
            self.endpoint.server + path,
            params=query,
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type},
            timeout=aiohttp.ClientTimeout(total=15),
        ) as answer:
            await _raise_for(answer)
            document: Manifest = await answer.json()
            return document


async def _raise_for(answer: aiohttp.ClientResponse) -> None:
    if answer.ok:
        return
    text = await answer.text()
    with suppress(ValueError, AttributeError):
        text = json.loads(text).get("message", text)
    raise ApiError(answer.status, text)


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    # An object may be larger than the stream's line limit, so lines are put together here.
    rest = b""
    async for chunk in answer.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line


def _named(entries: list[Manifest], name: str) -> Manifest:
    return next(entry for entry in entries if entry["name"] == name)


def _content(entry: Manifest, key: str) -> str | None:
    data = entry.get(f"{key}-data")
    return base64.b64decode(data).decode() if data else _read(entry.get(key))


def _read(path: str | None) -> str | None:
    return Path(path).read_text().strip() if path else None


def _load_certificate(tls: ssl.SSLContext, chain_and_key: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # created with mode 0600
        file.write(chain_and_key)
        file.flush()
        tls.load_cert_chain(file.name)
