"""Probes and metrics over HTTP: `/livez`, `/readyz`, `/metrics`.

Liveness is about this process alone: whether its loop still turns. It never fails because Prometheus or the API
server is away, since a restart would not bring them back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiohttp import web

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing a probe looks at. `problem()`: what is wrong, or ""."""

    name: str
    problem: Callable[[], str]


class HttpServer:
    """Context manager: listens inside, on the port in `port` (chosen by the system when asked for 0).

    `exposition` is called in a thread, one call at a time.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        live: tuple[Check, ...],
        ready: tuple[Check, ...],
        exposition: Callable[[], bytes],
    ) -> None:
        self._host = host
        self.port = port
        self._exposition = exposition
        self._renderer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")
        application = web.Application()
        application.router.add_get("/livez", _probe(live))
        application.router.add_get("/readyz", _probe(ready))
        application.router.add_get("/metrics", self._metrics)
        # No idle connections: each would be a task that outlives the last request at the stop.
        self._runner = web.AppRunner(
            application, access_log=None, keepalive_timeout=0, shutdown_timeout=1.0
        )

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        await self._runner.cleanup()
        self._renderer.shutdown(wait=False, cancel_futures=True)

    async def _metrics(self, _request: web.Request) -> web.StreamResponse:
        """Of a thousand policies it takes some tenths of a second, in which the loop has other things to do."""
        loop = asyncio.get_running_loop()
        text = await loop.run_in_executor(self._renderer, self._exposition)
        return web.Response(body=text, headers={"Content-Type": EXPOSITION})


def _probe(checks: tuple[Check, ...]) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        problems = {check.name: check.problem() for check in checks}
        lines = [f"{name}: {problem or 'ok'}" for name, problem in problems.items()]
        status = 503 if any(problems.values()) else 200
        return web.Response(status=status, text="\n".join(lines) + "\n")

    return answer
