"""Probes: what a pod asks for, one attempt, and the count of attempts that decides."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from e2e.rig.process_node.kubernetes_api import Manifest

# A probe over a kept connection would hold Triton's shutdown for its whole exit timeout.
_HEADERS = {"Connection": "close", "User-Agent": "kube-probe/process-node"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A startup, readiness or liveness probe."""

    action: Manifest
    initial_delay_seconds: float
    period_seconds: float
    timeout_seconds: float
    success_threshold: int
    failure_threshold: int

    @property
    def own_port(self) -> int | None:
        """The port of the pod that is probed; None when it is another host's, or no port."""
        for target in self.action.values():
            if "port" in target and not target.get("host"):
                return int(target["port"])
        return None


def parse_probe(container: Manifest, kind: str) -> Probe | None:
    """Return the probe of this kind (`startupProbe` …) with Kubernetes' defaults."""
    entry: Manifest | None = container.get(kind)
    if entry is None:
        return None
    ports = {port.get("name"): port["containerPort"] for port in container.get("ports") or []}
    return Probe(
        action=_with_port_number(entry, ports),
        initial_delay_seconds=entry.get("initialDelaySeconds") or 0,
        period_seconds=entry.get("periodSeconds") or 10,
        timeout_seconds=entry.get("timeoutSeconds") or 1,
        success_threshold=entry.get("successThreshold") or 1,
        failure_threshold=entry.get("failureThreshold") or 3,
    )


@dataclass(slots=True)
class Threshold:
    """Turns attempts into a verdict, which changes only after enough equal attempts."""

    probe: Probe
    verdict: bool | None = None
    _equal: int = 0
    _last: bool | None = None

    def record(self, *, success: bool) -> bool | None:
        """Count one attempt; the verdict so far, None before the first."""
        self._equal = self._equal + 1 if success == self._last else 1
        self._last = success
        needed = self.probe.success_threshold if success else self.probe.failure_threshold
        if self._equal >= needed:
            self.verdict = success
        return self.verdict


Execute = Callable[[list[str]], Awaitable[int]]
"""Runs a command beside the container's process and gives its exit code."""


async def attempt(probe: Probe, *, address: str, execute: Execute) -> str | None:
    """Probe once; None is success, else the failure in words."""
    try:
        async with asyncio.timeout(probe.timeout_seconds):
            return await act(probe.action, address=address, execute=execute)
    except TimeoutError:
        return f"no answer within {probe.timeout_seconds:g}s"
    except (OSError, aiohttp.ClientError) as error:
        return str(error) or type(error).__name__


async def act(action: Manifest, *, address: str, execute: Execute) -> str | None:
    """Do what a probe or a lifecycle hook says; None is success, else the failure in words."""
    if "sleep" in action:
        await asyncio.sleep(action["sleep"]["seconds"])
        return None
    if "exec" in action:
        code = await execute(action["exec"]["command"])
        return None if code == 0 else f"command exited with {code}"
    if "httpGet" in action:
        return await _http_get(action["httpGet"], address)
    if "tcpSocket" in action:
        target = action["tcpSocket"]
        _, writer = await asyncio.open_connection(target.get("host") or address, target["port"])
        writer.close()
        return None
    return f"action of kind {', '.join(action)} is not supported by process nodes"


async def _http_get(target: Manifest, address: str) -> str | None:
    scheme = (target.get("scheme") or "HTTP").lower()
    host = target.get("host") or address
    url = f"{scheme}://{host}:{target['port']}{target.get('path') or '/'}"
    headers = {entry["name"]: entry["value"] for entry in target.get("httpHeaders") or []}
    connector = aiohttp.TCPConnector(ssl=False, force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector, headers=_HEADERS | headers) as client,
        client.get(url, allow_redirects=False) as answer,
    ):
        if HTTPStatus.OK <= answer.status < HTTPStatus.BAD_REQUEST:
            return None
        return f"HTTP probe failed with statuscode: {answer.status}"


def _with_port_number(entry: Manifest, ports: dict[str | None, int]) -> Manifest:
    """Return the action of a probe, a named port replaced by its number."""
    action: dict[str, Any] = {
        kind: dict(entry[kind])
        for kind in ("httpGet", "tcpSocket", "exec", "grpc")
        if kind in entry
    }
    for target in action.values():
        if "port" in target:
            target["port"] = ports.get(target["port"], target["port"])
    return action
