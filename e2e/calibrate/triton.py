"""One real Triton as a process on loopback, without a cluster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from e2e.calibrate.recording import BatchStats
from e2e.rig.addresses import claim_pod_range, loopback_address
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.processes import Command, ProcessGroup
from e2e.rig.triton import ensure_triton

READY_SECONDS = 60
POLL_SECONDS = 0.05
COUNTED_POLLS = 100
COMPUTE = ("compute_input", "compute_infer", "compute_output")
NANOSECONDS_PER_MILLISECOND = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What a model has counted; differences of two are the counters of the time between."""

    requests: int
    queue_ns: int
    # Size of batch: executions and their input + infer + output nanoseconds.
    batches: dict[int, tuple[int, int]]

    def since(self, before: "Statistics") -> "Statistics":
        batches = {
            size: (
                count - before.batches.get(size, (0, 0))[0],
                ns - before.batches.get(size, (0, 0))[1],
            )
            for size, (count, ns) in self.batches.items()
        }
        return Statistics(
            requests=self.requests - before.requests,
            queue_ns=self.queue_ns - before.queue_ns,
            batches={size: moved for size, moved in sorted(batches.items()) if moved[0]},
        )

    @property
    def queue_ms(self) -> float:
        return self.queue_ns / self.requests / NANOSECONDS_PER_MILLISECOND

    @property
    def batch_stats(self) -> BatchStats:
        counts, ns = np.array(list(self.batches.values()), dtype=float).T
        return BatchStats(
            size=np.array(list(self.batches), dtype=float),
            executions=counts,
            mean_ms=ns / counts / NANOSECONDS_PER_MILLISECOND,
        )


@dataclass(frozen=True, slots=True)
class RunningTriton:
    """A server that is ready, and a client session of it."""

    client: aiohttp.ClientSession
    url: str
    model: str

    @property
    def infer_url(self) -> str:
        return f"{self.url}/v2/models/{self.model}/infer"

    async def version(self) -> str:
        return str((await self._get("/v2"))["version"])

    async def statistics(self) -> Statistics:
        [stats] = (await self._get(f"/v2/models/{self.model}/stats"))["model_stats"]
        return Statistics(
            requests=stats["inference_stats"]["success"]["count"],
            queue_ns=stats["inference_stats"]["queue"]["ns"],
            batches={
                batch["batch_size"]: (
                    batch[COMPUTE[0]]["count"],
                    sum(batch[part]["ns"] for part in COMPUTE),
                )
                for batch in stats["batch_stats"]
            },
        )

    async def statistics_after(self, requests: int) -> Statistics:
        """With so many requests counted since the start, if ever: Triton answers first, and counts then."""
        for _ in range(COUNTED_POLLS):
            found = await self.statistics()
            if found.requests >= requests:
                break
            await asyncio.sleep(POLL_SECONDS)
        return found

    async def _get(self, path: str) -> Any:
        async with self.client.get(f"{self.url}{path}") as answer:
            answer.raise_for_status()
            return await answer.json()


@asynccontextmanager
async def running(folder: Path, model: SleepyModel) -> AsyncIterator[RunningTriton]:
    """Start a server with one model in an empty folder; it is gone afterwards."""
    install = ensure_triton()
    lock = claim_pod_range()
    address = loopback_address(next(lock.pods.process_pod_addresses()))
    model.write_repository(folder / "models")
    command = Command(
        name="tritonserver",
        arguments=[
            str(install.command_folder / "tritonserver"),
            f"--model-repository={folder / 'models'}",
            "--disable-auto-complete-config",
            "--exit-timeout-secs=1",
        ],
        log=folder / "triton.log",
        environment=install.environment(address=address),
    )
    try:
        with ProcessGroup() as processes:
            server = processes.start(command)
            async with _session() as client:
                triton = RunningTriton(client, f"http://{address}:8000", model.name)
                async with asyncio.timeout(READY_SECONDS):
                    while not await _is_ready(triton):
                        server.fail_if_ended()
                        await asyncio.sleep(POLL_SECONDS)
                yield triton
    finally:
        lock.release()


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
        timeout=aiohttp.ClientTimeout(total=60),
        headers={"Content-Type": "application/json"},
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def _is_ready(triton: RunningTriton) -> bool:
    with suppress(aiohttp.ClientConnectionError):
        async with triton.client.get(f"{triton.url}/v2/health/ready") as answer:
            return answer.status == 200
    return False
