"""What the parts share, and what they must not."""

import asyncio

from aiohttp import web
from kubernetes.aio.client import ApiClient

from inference_cost.control.metrics import Metrics
from inference_cost.control.settings import Settings
from inference_cost.control.wiring import wire
from inference_cost.model.observation import Snapshot
from inference_cost.model.reading import MissingReason
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.settings import PrometheusSettings
from tests.unit.control.test_backfill import World


async def without_past(request: web.Request) -> web.StreamResponse:
    """A store that answers for the present, and asks to wait with the past."""
    if request.path.endswith("query_range"):
        return web.Response(status=429, headers={"Retry-After": "30"})
    data = {"resultType": "vector", "result": []}
    return web.json_response({"status": "success", "data": data})


async def told(metrics: Metrics, text: str) -> None:
    async with asyncio.timeout(30):
        while text not in metrics.exposition().decode():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


async def test_a_store_that_asks_to_wait_with_the_past_is_asked_for_the_present() -> None:
    client, metrics = ApiClient(), Metrics(version="1")
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", without_past)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    settings = Settings(prometheus=PrometheusSettings(url=url))
    parts = wire(settings, client, metrics, version="1")
    assert parts.backfill is not None
    assert parts.prometheus is not None
    assert parts.past is not None
    world = World()
    world.tick()
    parts.backfill.see(Snapshot(at=world.clock.time(), observations=(world.seen(),)), world.memory)
    teaching = asyncio.create_task(parts.backfill.round())
    try:
        await told(metrics, MissingReason.SOURCE_UNREACHABLE.value)
        assert await parts.prometheus.query("up", at=None) == Answer(result=[])
    finally:
        teaching.cancel()
        parts.prometheus.close()
        parts.past.close()
        await client.close()
        await runner.cleanup()


async def test_without_days_to_back_fill_there_is_no_reader_of_the_past() -> None:
    client = ApiClient()
    for settings in (
        Settings(),
        Settings(
            prometheus=PrometheusSettings(url="http://prometheus"),
            backfill={"days": 0},  # type: ignore[arg-type]
        ),
    ):
        parts = wire(settings, client, Metrics(version="1"), version="1")
        assert (parts.past, parts.backfill) == (None, None)
    await client.close()
