"""The installed Triton starts here and behaves as the model's parameters say."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from e2e.rig.addresses import claim_pod_range, loopback_address
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.triton import ensure_triton

MODEL = SleepyModel(name="sleepy", alpha_milliseconds=40, beta_milliseconds=5)
BODY = {"inputs": [{"name": "INPUT0", "shape": [1, 1], "datatype": "FP32", "data": [3.0]}]}


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """A running server's address."""
    lock = claim_pod_range()
    bound = loopback_address(next(lock.pods.process_pod_addresses()))
    MODEL.write_repository(tmp_path / "models")
    server = await asyncio.create_subprocess_exec(
        "tritonserver",
        f"--model-repository={tmp_path / 'models'}",
        "--disable-auto-complete-config",
        "--exit-timeout-secs=1",
        env=ensure_triton().environment(address=bound),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await _wait_until_ready(bound)
        yield bound
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        await server.wait()
        lock.release()


async def test_model_answers_after_its_batch_time_and_counts_batches(address: str) -> None:
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(f"http://{address}:8000") as client:
        await _infer(client)
        started = loop.time()
        answer = await _infer(client)
        one_request = loop.time() - started
        await asyncio.gather(*(_infer(client) for _ in range(9)))
    async with aiohttp.ClientSession() as client:
        page = await (await client.get(f"http://{address}:8002/metrics")).text()

    assert answer["outputs"][0]["data"] == [3.0]
    assert 0.045 <= one_request < 0.2
    assert _sample(page, "nv_inference_request_success") == 11
    assert _sample(page, "nv_inference_count") == 11
    # Eight of the nine wait for the first and form one batch.
    assert _sample(page, "nv_inference_exec_count") < 11


def test_configuration_without_queue_delay_leaves_the_option_out() -> None:
    assert "dynamic_batching { }" in MODEL.configuration()
    delayed = SleepyModel(queue_delay_microseconds=2000).configuration()
    assert "dynamic_batching { max_queue_delay_microseconds: 2000 }" in delayed


def test_capacity_is_full_batches_per_batch_time() -> None:
    assert MODEL.capacity_per_second == pytest.approx(100.0)


async def _wait_until_ready(address: str) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as client:
        while True:
            try:
                answer = await client.get(f"http://{address}:8000/v2/health/ready")
                if answer.status == 200:
                    return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)


async def _infer(client: aiohttp.ClientSession) -> dict[str, list[dict[str, list[float]]]]:
    async with client.post("/v2/models/sleepy/infer", json=BODY) as answer:
        assert answer.status == 200, await answer.text()
        document: dict[str, list[dict[str, list[float]]]] = json.loads(await answer.text())
        return document


def _sample(page: str, family: str) -> float:
    return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(family))
