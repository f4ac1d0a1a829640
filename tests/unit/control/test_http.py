"""Probes and metrics over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from threading import Event

import aiohttp
import pytest

from inference_cost.control.http import Check, HttpServer


class Health:
    def __init__(self) -> None:
        self.live = ""
        self.ready = "not every kind was listed yet"
        self.may_render = Event()
        self.may_render.set()
        self.server = HttpServer(
            host="127.0.0.1",
            port=0,
            live=(Check(name="loop", problem=lambda: self.live),),
            ready=(Check(name="caches", problem=lambda: self.ready),),
            exposition=self.exposition,
        )

    def exposition(self) -> bytes:
        """As of many policies: it takes a while."""
        return b"inference_cost_leader 1.0\n" if self.may_render.wait(10) else b"too late\n"

    async def get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def health() -> AsyncIterator[Health]:
    health = Health()
    await health.server.start()
    yield health
    await health.server.stop()


async def test_a_probe_says_what_is_wrong(health: Health) -> None:
    assert await health.get("/livez") == (200, "loop: ok\n")
    health.live = "no tick for 90 s"
    assert await health.get("/livez") == (503, "loop: no tick for 90 s\n")


async def test_readiness_is_its_own_question(health: Health) -> None:
    assert (await health.get("/readyz"))[0] == 503
    health.ready = ""
    assert await health.get("/readyz") == (200, "caches: ok\n")


async def test_metrics_are_text(health: Health) -> None:
    assert await health.get("/metrics") == (200, "inference_cost_leader 1.0\n")


async def test_a_probe_is_answered_while_metrics_are_put_together(health: Health) -> None:
    health.may_render.clear()
    scrape = asyncio.create_task(health.get("/metrics"))
    assert await health.get("/livez") == (200, "loop: ok\n")
    health.may_render.set()
    assert await scrape == (200, "inference_cost_leader 1.0\n")


async def test_a_port_that_is_taken_is_an_error(health: Health) -> None:
    second = HttpServer(
        host="127.0.0.1", port=health.server.port, live=(), ready=(), exposition=lambda: b""
    )
    with pytest.raises(OSError, match="address"):
        await second.start()
    await second.stop()
