"""Following EndpointSlices through the official client, against an API server that can misbehave."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from e2e.rig.endpoints import ServicePort, follow
from tests.integration.load_balancer.fakes import StartTriton, eventually

Json = dict[str, Any]
SERVICE = ServicePort(namespace="demo", service="triton")
SLICES = "/apis/discovery.k8s.io/v1/namespaces/demo/endpointslices"


def endpoint_slice(*hosts: str, port: int = 8000) -> Json:
    endpoints = [{"addresses": [host], "conditions": {"ready": True}} for host in hosts]
    return {
        "metadata": {"name": "triton-a", "resourceVersion": "7"},
        "ports": [{"name": "http", "port": port}],
        "endpoints": endpoints,
    }


@dataclass(slots=True, kw_only=True)
class FakeApiServer:
    """Lists `items`; a watch gives whatever is put into `events`, None ends it."""

    items: list[Json] = field(default_factory=list)
    events: asyncio.Queue[Json | None] = field(default_factory=asyncio.Queue)
    lists: int = 0
    refuse: bool = False
    selectors: set[str] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.selectors.add(request.query["labelSelector"])
        if self.refuse:
            return web.json_response({"message": "not now"}, status=500)
        if "watch" in request.query:
            return await self._watch(request)
        self.lists += 1
        return web.json_response({"metadata": {"resourceVersion": "5"}, "items": self.items})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        assert request.query["resourceVersion"] == "5"
        stream = web.StreamResponse()
        await stream.prepare(request)
        while event := await self.events.get():
            line = json.dumps(event).encode() + b"\n"
            await stream.write(line[:10])  # lines do not keep to chunks
            await stream.write(line[10:])
        return stream


@dataclass(slots=True, kw_only=True)
class Following:
    api: FakeApiServer
    seen: list[set[str]] = field(default_factory=list)

    async def until(self, *hosts: str) -> None:
        await eventually(lambda: self.seen[-1:] == [set(hosts)], seconds=5)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    return tmp_path / "kubeconfig"


@pytest.fixture
async def following(kubeconfig: Path) -> AsyncIterator[Following]:
    result = Following(api=FakeApiServer(items=[endpoint_slice("10.64.1.1")]))
    app = web.Application()
    app.router.add_get(SLICES, result.api.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    write_kubeconfig(kubeconfig, f"http://127.0.0.1:{runner.addresses[0][1]}")

    def note(found: frozenset[tuple[str, int]]) -> None:
        result.seen.append({host for host, _ in found})

    task = asyncio.ensure_future(follow(SERVICE, kubeconfig, note))
    yield result
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await runner.cleanup()


def write_kubeconfig(path: Path, server: str) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path.write_text(json.dumps(config))


async def test_the_service_s_endpoints_are_there_at_once(following: Following) -> None:
    await following.until("10.64.1.1")
    assert following.api.selectors == {"kubernetes.io/service-name=triton"}


async def test_changes_arrive_as_they_happen(following: Following) -> None:
    await following.until("10.64.1.1")
    changed = endpoint_slice("10.64.1.1", "10.64.1.2")
    following.api.events.put_nowait({"type": "MODIFIED", "object": changed})
    await following.until("10.64.1.1", "10.64.1.2")
    following.api.events.put_nowait({"type": "DELETED", "object": changed})
    await following.until()
    assert following.api.lists == 1


async def test_an_expired_watch_is_followed_by_a_new_list(following: Following) -> None:
    await following.until("10.64.1.1")
    following.api.items = [endpoint_slice("10.64.1.9")]
    following.api.events.put_nowait({"type": "ERROR", "object": {"code": 410}})
    await following.until("10.64.1.9")


async def test_a_watch_that_ends_is_followed_by_a_new_list(following: Following) -> None:
    await following.until("10.64.1.1")
    following.api.items = [endpoint_slice("10.64.1.9")]
    following.api.events.put_nowait(None)
    await following.until("10.64.1.9")


async def test_while_the_api_server_fails_the_endpoints_stay(following: Following) -> None:
    await following.until("10.64.1.1")
    following.api.refuse = True
    following.api.events.put_nowait(None)
    await asyncio.sleep(0.2)
    assert following.seen[-1] == {"10.64.1.1"}
    following.api.items = [endpoint_slice("10.64.1.3")]
    following.api.refuse = False
    await following.until("10.64.1.3")


async def test_as_a_program_it_serves_the_endpoints_of_the_service(
    following: Following, kubeconfig: Path, start_triton: StartTriton
) -> None:
    triton = await start_triton("a")
    _, port = triton.address
    # The pod's address 10.0.0.1 stands for 127.0.0.1.
    following.api.items = [endpoint_slice("10.0.0.1", port=port)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "e2e.rig.load_balancer", "--kubeconfig", str(kubeconfig)),
        *("--namespace", "demo", "--service", "triton", "--bucket-milliseconds", "123"),
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    url = json.loads(await process.stdout.readline())["url"]
    async with aiohttp.ClientSession() as client:
        await wait_until_ready(client, url)
        async with client.post(f"{url}/v2/models/m/infer", data=b"{}") as response:
            assert (response.status, await response.text()) == (200, "a")
        async with client.get(f"{url}/metrics") as response:
            assert 'envoy_cluster_name="demo/triton",le="123"} 1' in await response.text()
    process.terminate()
    assert await process.wait() == 0


async def wait_until_ready(client: aiohttp.ClientSession, url: str) -> None:
    for _ in range(400):
        async with client.get(f"{url}/metrics") as response:
            if 'membership_healthy{envoy_cluster_name="demo/triton"} 1' in await response.text():
                return
        await asyncio.sleep(0.01)
    pytest.fail("the endpoint did not become known")
