"""The exporter's HTTP side: pages for Prometheus, loads for scenarios.

GET /metrics?namespace=N&pod=P   one server's page; 503 while it does not answer, 404 where there is no such pod
GET /gateway                     Envoy's statistics of every load that names a service
PUT /loads                       a `Load` (loads.py); replaces that of the same namespace and selector
DELETE /loads                    body as for PUT, only namespace and selector count
GET /loads                       all loads: selector, requests per second now, pods that share it
"""

import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus

from aiohttp import web
from pydantic import ValidationError

from e2e.rig.envoy_metrics import CONTENT_TYPE as ENVOY_CONTENT_TYPE
from e2e.rig.fleet_exporter.exposition import CONTENT_TYPE
from e2e.rig.fleet_exporter.fleet import Fleet, NotServingError
from e2e.rig.fleet_exporter.loads import Load

SHUTDOWN_SECONDS = 1.0


class ExporterApplication:
    """Handlers over one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                # GET alone, as Triton: HEAD is refused.
                web.get("/metrics", self._metrics, allow_head=False),
                web.get("/gateway", self._gateway),
                web.get("/loads", self._loads),
                web.put("/loads", self._put_load),
                web.delete("/loads", self._delete_load),
            ]
        )
        return application

    async def _metrics(self, request: web.Request) -> web.Response:
        namespace, pod = request.query.get("namespace", ""), request.query.get("pod", "")
        try:
            text = self._fleet.page(namespace, pod)
        except NotServingError as error:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=str(error))
        return web.Response(text=text, headers={"Content-Type": CONTENT_TYPE})

    async def _gateway(self, _: web.Request) -> web.Response:
        return web.Response(
            text=self._fleet.gateway_page(), headers={"Content-Type": ENVOY_CONTENT_TYPE}
        )

    async def _loads(self, _: web.Request) -> web.Response:
        listed = [
            {
                "namespace": workload.load.namespace,
                "selector": workload.load.selector,
                "requestsPerSecond": workload.requests_per_second,
                "pods": workload.serving,
            }
            for workload in self._fleet.workloads()
        ]
        return web.json_response(listed)

    async def _put_load(self, request: web.Request) -> web.Response:
        try:
            load = Load.model_validate_json(await request.read())
        except ValidationError as error:
            return web.Response(status=HTTPStatus.UNPROCESSABLE_ENTITY, text=str(error))
        self._fleet.put_load(load)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _delete_load(self, request: web.Request) -> web.Response:
        try:
            load = Load.model_validate_json(await request.read())
        except ValidationError as error:
            return web.Response(status=HTTPStatus.UNPROCESSABLE_ENTITY, text=str(error))
        found = self._fleet.remove_load(load.key)
        return web.Response(status=HTTPStatus.NO_CONTENT if found else HTTPStatus.NOT_FOUND)


@contextlib.asynccontextmanager
async def serve(fleet: Fleet, host: str, port: int) -> AsyncIterator[str]:
    """Listen while the context lasts; yields host:port. Port 0 takes a free one."""
    runner = web.AppRunner(
        ExporterApplication(fleet).application(),
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        yield f"{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
