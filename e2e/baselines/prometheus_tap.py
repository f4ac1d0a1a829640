"""Stands between a reader and Prometheus and writes down each answer to a query.

It changes nothing: requests and answers go through as they are.
"""

import json
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Unix time of an answer, and the sum of its elements; NaN: there was none."""

    at: float
    value: float


class PrometheusTap:
    """A reverse proxy in front of one Prometheus."""

    def __init__(self, prometheus_url: str) -> None:
        self._prometheus_url = prometheus_url
        self.readings: list[Reading] = []

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes([web.get("/{path:.*}", self._forward)])
        application.cleanup_ctx.append(self._hold_session)
        return application

    async def _hold_session(self, _: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as self._session:
            yield

    async def _forward(self, request: web.Request) -> web.Response:
        async with self._session.get(f"{self._prometheus_url}{request.rel_url}") as answer:
            body = await answer.read()
            self.readings.append(Reading(at=time.time(), value=value_of(body)))
            return web.Response(body=body, status=answer.status, content_type=answer.content_type)


def value_of(body: bytes) -> float:
    """Sum of an instant vector in Prometheus' JSON; NaN when it is empty."""
    result = json.loads(body)["data"]["result"]
    return sum(float(element["value"][1]) for element in result) if result else math.nan
