"""What Prometheus scrapes: the counter of offered requests, or nothing during the outage."""

from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from e2e.baselines.offered import in_outage, requests_until

COUNTER = "calibration_requests_total"
# Short, as the run is compressed in time; several scrapes fall into it.
QUERY = f"sum(rate({COUNTER}[5s]))"
_CONTENT_TYPE = "text/plain; version=0.0.4"


def exporter(seconds_since_start: Callable[[], float]) -> web.Application:
    """Make the application with GET /metrics."""

    async def metrics(_: web.Request) -> web.Response:
        at = seconds_since_start()
        if in_outage(at):
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        text = f"# TYPE {COUNTER} counter\n{COUNTER} {requests_until(max(at, 0.0))!r}\n"
        return web.Response(text=text, headers={"Content-Type": _CONTENT_TYPE})

    application = web.Application()
    application.add_routes([web.get("/metrics", metrics)])
    return application
