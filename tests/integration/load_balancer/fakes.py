"""An upstream that answers, waits or fails, and a running load balancer with a client."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from e2e.rig.load_balancer import LoadBalancer


@dataclass(slots=True, kw_only=True)
class FakeTriton:
    """Answers 200 with its own name after `seconds`; `requests` are those that reached it."""

    name: str
    seconds: float = 0.0
    status: int = 200
    requests: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)
    address: tuple[str, int] = ("", 0)
    connections: Callable[[], int] = lambda: 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        self.requests.append((request.method, request.raw_path, body, dict(request.headers)))
        await asyncio.sleep(self.seconds)
        return web.Response(status=self.status, text=self.name, headers={"X-Server": self.name})


StartTriton = Callable[..., Awaitable[FakeTriton]]


@dataclass(slots=True, kw_only=True)
class Rig:
    """A running load balancer and a client."""

    url: str
    balancer: LoadBalancer
    client: aiohttp.ClientSession

    async def infer(self) -> tuple[int, str]:
        async with self.client.post(f"{self.url}/v2/models/m/infer", data=b"{}") as response:
            return response.status, await response.text()


async def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until the condition holds.

    Raises:
        TimeoutError: it did not within the time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        if loop.time() > deadline:
            raise TimeoutError("the condition did not come true")
        await asyncio.sleep(0.005)
