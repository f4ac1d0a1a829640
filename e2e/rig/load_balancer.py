"""A small HTTP load balancer in front of one Service, with Envoy's routing rule and Envoy's statistics.

It follows the Service's EndpointSlices, gives each request to the less loaded of two endpoints drawn at random
(Envoy's LEAST_REQUEST with its default `choice_count` of 2), retries once on another endpoint where a connection
fails (Envoy's `retry_on: connect-failure,reset`; inference can be repeated), answers 503 without a ready endpoint
and 504 after the timeout. `/metrics` has the statistics, label `envoy_cluster_name="<namespace>/<service>"`.
Bodies are read whole, so streaming models are not for this load balancer.

Run: `python -m e2e.rig.load_balancer --kubeconfig FILE --namespace NS --service NAME`. The first line on stdout is
`{"url": "http://127.0.0.1:PORT"}`.
"""

import argparse
import asyncio
import contextlib
import functools
import json
import logging
import random
import signal
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import web
from yarl import URL

from e2e.rig.addresses import loopback_address
from e2e.rig.endpoints import ServicePort, follow
from e2e.rig.envoy_metrics import CONTENT_TYPE, ClusterStats, bounds_with

DEFAULT_TIMEOUT_SECONDS = 15.0  # Envoy's default for a route
SHUTDOWN_SECONDS = 5.0
_HOP_BY_HOP = frozenset(
    {
        *("connection", "content-length", "host", "keep-alive", "proxy-authenticate"),
        *("proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)
_SKIP_AUTO_HEADERS = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
Address = tuple[str, int]


class _CountingConnector(aiohttp.TCPConnector):
    """Counts requests that wait for a connection."""

    def __init__(self, stats: ClusterStats) -> None:
        super().__init__(limit=0, keepalive_timeout=60)
        self._stats = stats

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the overridden method's signature
    ) -> aiohttp.connector.Connection:
        self._stats.pending += 1
        try:
            return await super().connect(req, traces, timeout)
        finally:
            self._stats.pending -= 1


class Upstream:
    """One endpoint with its own connections, so that they close as soon as it is drained."""

    def __init__(self, address: Address, stats: ClusterStats, timeout_seconds: float) -> None:
        self.address = address
        self.in_flight = 0
        self._session = aiohttp.ClientSession(
            connector=_CountingConnector(stats),
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            skip_auto_headers=_SKIP_AUTO_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        self._url = functools.lru_cache(maxsize=256)(self._url_of)
        self._draining = False

    async def send(self, request: web.BaseRequest, body: bytes) -> web.Response:
        self.in_flight += 1
        try:
            async with self._session.request(
                request.method,
                self._url(request.raw_path),
                headers=_end_to_end(request.headers.items()),
                data=body or None,
                allow_redirects=False,
            ) as response:
                content = await response.read()
                headers = _end_to_end(response.headers.items())
                return web.Response(status=response.status, body=content, headers=headers)
        finally:
            self.in_flight -= 1
            await self._close_when_drained()

    async def drain(self) -> None:
        """Close once the last request is answered: an idle connection would hold up Triton's exit."""
        self._draining = True
        await self._close_when_drained()

    async def close(self) -> None:
        await self._session.close()

    async def _close_when_drained(self) -> None:
        if self._draining and not self.in_flight:
            await self._session.close()

    def _url_of(self, raw_path: str) -> URL:
        host, port = self.address
        return URL(f"http://{host}:{port}{raw_path}", encoded=True)


class LoadBalancer:
    """Routes requests over the endpoints given by `set_endpoints`."""

    def __init__(
        self,
        stats: ClusterStats,
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        choice_count: int = 2,
        address_map: Callable[[str], str] = loopback_address,
    ) -> None:
        self.stats = stats
        self._timeout_seconds = timeout_seconds
        self._choice_count = choice_count
        self._address_map = address_map
        self._upstreams: dict[Address, Upstream] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def set_endpoints(self, endpoints: Collection[Address]) -> None:
        """Replace the endpoints, pod addresses with ports; removed ones get no further request."""
        wanted = {(self._address_map(host), port) for host, port in endpoints}
        for address in self._upstreams.keys() - wanted:
            self._in_background(self._upstreams.pop(address).drain())
        for address in wanted - self._upstreams.keys():
            self._upstreams[address] = Upstream(address, self.stats, self._timeout_seconds)
        self.stats.healthy_members = len(self._upstreams)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer `/metrics` here and everything else by an upstream."""
        if request.path == "/metrics":
            return web.Response(
                text=self.stats.exposition(), headers={"Content-Type": CONTENT_TYPE}
            )
        body = await request.read()
        self.stats.active += 1
        try:
            return await self._route(request, body)
        finally:
            self.stats.active -= 1

    async def close(self) -> None:
        await asyncio.gather(*(upstream.close() for upstream in self._upstreams.values()))
        await asyncio.gather(*self._tasks)

    async def _route(self, request: web.BaseRequest, body: bytes) -> web.Response:
        loop = asyncio.get_running_loop()
        began = loop.time()
        failed: Upstream | None = None
        while upstream := self._choose(failed):
            self.stats.attempts += 1
            try:
                response = await upstream.send(request, body)
            except TimeoutError:
                self.stats.timeouts += 1
                return self._local_answer(504, "upstream request timeout")
            except aiohttp.ClientError as error:
                self.stats.connect_failures += isinstance(error, aiohttp.ClientConnectorError)
                if failed:
                    return self._local_answer(503, f"upstream connect error: {error}")
                failed = upstream
                self.stats.retries += 1
            else:
                self.stats.answered(response.status, (loop.time() - began) * 1000)
                return response
        return self._local_answer(503, "no healthy upstream")

    def _choose(self, failed: Upstream | None) -> Upstream | None:
        candidates = [upstream for upstream in self._upstreams.values() if upstream is not failed]
        if len(candidates) > self._choice_count:
            candidates = random.sample(candidates, self._choice_count)
        else:
            random.shuffle(candidates)  # ties go to the first
        return min(candidates, key=lambda upstream: upstream.in_flight, default=None)

    def _local_answer(self, status: int, text: str) -> web.Response:
        self.stats.responded(status)
        return web.Response(status=status, text=text)

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


@contextlib.asynccontextmanager
async def serve(
    balancer: LoadBalancer, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Listen while the context lasts; yields the base URL. Port 0 takes a free one."""
    server = web.Server(balancer.handle, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await balancer.close()


async def run(options: argparse.Namespace) -> None:
    service = ServicePort(
        namespace=options.namespace, service=options.service, port_name=options.port_name
    )
    stats = ClusterStats(
        f"{options.namespace}/{options.service}", bounds_with(*options.bucket_milliseconds)
    )
    balancer = LoadBalancer(stats, timeout_seconds=options.timeout)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(balancer, options.host, options.port) as url:
        print(json.dumps({"url": url}), flush=True)
        following = asyncio.create_task(follow(service, options.kubeconfig, balancer.set_endpoints))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await _cancelled(following)


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Cancel, and raise whatever had ended the task before."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="e2e.rig.load_balancer", description=__doc__)
    options.add_argument("--kubeconfig", type=Path, required=True)
    options.add_argument("--namespace", required=True)
    options.add_argument("--service", required=True)
    options.add_argument("--port-name", default="http", help="named port of the Service")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options.add_argument(
        "--timeout", type=float, default=DEFAULT_TIMEOUT_SECONDS, help="seconds, then 504"
    )
    options.add_argument(
        "--bucket-milliseconds",
        type=float,
        nargs="*",
        default=[300.0],
        help="histogram bounds in addition to Envoy's, one at each latency objective",
    )
    return options


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    uvloop.run(run(parser().parse_args()))


if __name__ == "__main__":
    main()
