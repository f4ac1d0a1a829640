"""Upstream servers on loopback addresses of their own, each able to answer, wait or refuse."""

import contextlib
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from e2e.rig.envoy_metrics import ClusterStats, bounds_with
from e2e.rig.load_balancer import LoadBalancer, serve
from tests.integration.load_balancer.fakes import FakeTriton, Rig, StartTriton


@pytest.fixture
async def start_triton() -> AsyncIterator[StartTriton]:
    async with contextlib.AsyncExitStack() as stack:

        async def start(name: str, seconds: float = 0.0, status: int = 200) -> FakeTriton:
            triton = FakeTriton(name=name, seconds=seconds, status=status)
            server = web.Server(triton.answer, access_log=None)
            runner = web.ServerRunner(server, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            triton.address = runner.addresses[0][:2]
            triton.connections = lambda: len(server.connections)
            return triton

        yield start


@pytest.fixture
def refusing_address() -> tuple[str, int]:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host, port = probe.getsockname()
        return host, port


@pytest.fixture
def timeout_seconds() -> float:
    """Long enough for a busy machine; the tests of the timeout itself set their own."""
    return 30.0


@pytest.fixture
async def rig(timeout_seconds: float) -> AsyncIterator[Rig]:
    stats = ClusterStats("demo/triton", bounds_with(300))
    balancer = LoadBalancer(stats, timeout_seconds=timeout_seconds, address_map=lambda host: host)
    async with serve(balancer) as url, aiohttp.ClientSession() as client:
        yield Rig(url=url, balancer=balancer, client=client)
