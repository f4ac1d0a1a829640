"""Pages of one real Triton: fresh, in the middle of a burst, and after loads whose arrivals are known."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from e2e.rig.addresses import claim_pod_range, loopback_address
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.triton import ensure_triton
from tests.integration.fleet_exporter.pages import Page, parse

READY_SECONDS = 30
POLLED_SECONDS = 1.5  # Triton's own poll of host figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Pages in the order they were taken; `sent` are the seconds at which the load was sent."""

    content_type: str
    fresh: Page
    in_flight: Page
    before_load: Page
    after_load: Page
    after_batched: Page
    sent: tuple[float, ...]
    load_seconds: float
    # Time of a batch of b, alpha + beta·b seconds, fitted to the server's own statistics.
    alpha_seconds: float
    beta_seconds: float


async def record(
    folder: Path,
    model: SleepyModel,
    *,
    instants: Sequence[float],
    burst: int,
    batched: tuple[int, int],
) -> Recording:
    """Start a server and take pages around a burst, a load, and (requests, batch size) requests."""
    async with _server(folder, model) as address, aiohttp.ClientSession() as client:
        real = _Real(client, address, model.name)
        content_type, fresh = await real.page()
        sending = asyncio.gather(*(real.infer() for _ in range(burst)))
        await real.until_pending()
        await asyncio.sleep(model.alpha_milliseconds / 1000 / 2)
        _, in_flight = await real.page()
        await sending
        await asyncio.sleep(POLLED_SECONDS)
        _, before = await real.page()
        began = time.monotonic()
        sent = await real.load(instants)
        load_seconds = time.monotonic() - began
        _, after = await real.page()
        alpha, beta = await real.fitted_service()
        requests, batch = batched
        await asyncio.gather(*(real.infer(batch) for _ in range(requests)))
        _, after_batched = await real.page()
    return Recording(
        content_type=content_type,
        fresh=fresh,
        in_flight=in_flight,
        before_load=before,
        after_load=after,
        after_batched=after_batched,
        sent=tuple(sent),
        load_seconds=load_seconds,
        alpha_seconds=alpha,
        beta_seconds=beta,
    )


@dataclass(frozen=True, slots=True)
class _Real:
    client: aiohttp.ClientSession
    address: str
    model: str

    async def page(self) -> tuple[str, Page]:
        async with self.client.get(f"http://{self.address}:8002/metrics") as answer:
            return answer.headers["Content-Type"], parse(await answer.text())

    async def fitted_service(self) -> tuple[float, float]:
        """Alpha and beta in seconds, by least squares over all batches so far."""
        url = f"http://{self.address}:8000/v2/models/{self.model}/stats"
        async with self.client.get(url) as answer:
            [stats] = (await answer.json())["model_stats"]
        sizes, seconds, weights = zip(*map(_batch_time, stats["batch_stats"]), strict=True)
        beta, alpha = np.polyfit(sizes, seconds, 1, w=np.sqrt(weights))
        return float(alpha), float(beta)

    async def until_pending(self) -> None:
        async with asyncio.timeout(5):
            page = (await self.page())[1]
            while not page["nv_inference_pending_request_count"]:
                page = (await self.page())[1]

    async def infer(self, batch: int = 1) -> None:
        tensor = {"name": "INPUT0", "shape": [batch, 1], "datatype": "FP32", "data": [1.0] * batch}
        url = f"http://{self.address}:8000/v2/models/{self.model}/infer"
        async with self.client.post(url, json={"inputs": [tensor]}) as answer:
            assert answer.status == 200, await answer.text()

    async def load(self, instants: Sequence[float]) -> list[float]:
        """Send at these seconds, answers do not matter; returns when each was really sent."""
        began = time.monotonic()
        sent: list[float] = []
        async with asyncio.TaskGroup() as tasks:
            for instant in instants:
                await asyncio.sleep(max(0.0, began + instant - time.monotonic()))
                sent.append(time.monotonic() - began)
                tasks.create_task(self.infer())
        return sent


def _batch_time(stats: dict[str, Any]) -> tuple[int, float, int]:
    """Size, mean seconds and number of batches of that size."""
    parts = [stats[f"compute_{part}"] for part in ("input", "infer", "output")]
    count = parts[0]["count"]
    return stats["batch_size"], sum(part["ns"] for part in parts) / count / 1e9, count


@asynccontextmanager
async def _server(folder: Path, model: SleepyModel) -> AsyncIterator[str]:
    lock = claim_pod_range()
    address = loopback_address(next(lock.pods.process_pod_addresses()))
    model.write_repository(folder / "models")
    with (folder / "triton.log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            "tritonserver",
            f"--model-repository={folder / 'models'}",
            "--disable-auto-complete-config",
            "--exit-timeout-secs=1",
            env=ensure_triton().environment(address=address),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        await _wait_until_ready(address)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        await server.wait()
        lock.release()


async def _wait_until_ready(address: str) -> None:
    # The metrics port opens some 40 ms after the others.
    async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as client:
        await _wait_until_answered(client, f"http://{address}:8000/v2/health/ready")
        await _wait_until_answered(client, f"http://{address}:8002/metrics")


async def _wait_until_answered(client: aiohttp.ClientSession, page: str) -> None:
    while True:
        try:
            async with client.get(page) as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientConnectionError:
            pass
        await asyncio.sleep(0.02)
