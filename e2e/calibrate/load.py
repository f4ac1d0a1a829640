"""Open-loop load on one server. Unlike `e2e.rig.load`, times are those at which the requests were really sent."""

import asyncio
from dataclasses import dataclass
from time import perf_counter  # the clock of uvloop has milliseconds only

import aiohttp
import numpy as np
from numpy.typing import NDArray

from e2e.calibrate.triton import RunningTriton
from e2e.rig.load import SLEEPY_BODY

WARM_UP_REQUESTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """In the order of sending; failed requests are left out."""

    sent: NDArray[np.float64]  # seconds since the load began
    latency_ms: NDArray[np.float64]
    errors: int
    behind_ms: float  # 99th percentile of how late requests were sent


def poisson(rate: float, seconds: float, seed: int) -> NDArray[np.float64]:
    """Instants in seconds, ascending."""
    draw = np.random.default_rng(seed)
    return np.sort(draw.random(draw.poisson(rate * seconds)) * seconds)


async def warm_up(triton: RunningTriton) -> int:
    """Connections, and batches of several sizes, before anything is measured; how many requests were served."""
    served = 0
    for _ in range(2):
        served += sum(await asyncio.gather(*(_post(triton) for _ in range(WARM_UP_REQUESTS))))
    return served


async def send(triton: RunningTriton, instants: NDArray[np.float64]) -> Answers:
    """Send one request of batch size 1 at each instant, whatever became of those before."""
    sent = np.zeros(instants.size)
    latency = np.full(instants.size, np.inf)
    origin = perf_counter()

    async def request(number: int) -> None:
        sent[number] = perf_counter() - origin
        if await _post(triton):
            latency[number] = perf_counter() - origin - sent[number]

    async with asyncio.TaskGroup() as requests:
        for number, instant in enumerate(instants):
            wait = origin + instant - perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            requests.create_task(request(number))
    answered = np.isfinite(latency)
    return Answers(
        sent=sent[answered],
        latency_ms=latency[answered] * 1000,
        errors=int((~answered).sum()),
        behind_ms=float(np.percentile(sent - instants, 99)) * 1000,
    )


async def _post(triton: RunningTriton) -> bool:
    try:
        async with triton.client.post(triton.infer_url, data=SLEEPY_BODY) as answer:
            await answer.read()
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
