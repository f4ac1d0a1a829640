"""HTTP servers on loopback in a thread of their own, beside blocking code."""

import asyncio
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Self

from aiohttp import web

START_TIMEOUT_SECONDS = 10.0
SHUTDOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One application on 127.0.0.1; with `tls` over HTTPS."""

    application: web.Application
    port: int
    tls: ssl.SSLContext | None = None


class ServingThread:
    """Serves all sites from entering to leaving the context."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="sites", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result(START_TIMEOUT_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_TIMEOUT_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runners = [await _start(site) for site in self._sites]
        self._started.set_result(None)
        await self._stop.wait()
        for runner in runners:
            await runner.cleanup()


async def _start(site: Site) -> web.AppRunner:
    runner = web.AppRunner(site.application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", site.port, ssl_context=site.tls).start()
    return runner
