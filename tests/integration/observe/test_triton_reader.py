"""The reader of models against a real Triton, through an address rule as on the process nodes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from e2e.rig.addresses import claim_pod_range, loopback_address
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.triton import ensure_triton
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.settings import AddressRule, TritonSettings
from inference_cost.observe.triton_client import HttpTritonReader

MODEL = SleepyModel(alpha_milliseconds=40, beta_milliseconds=5, queue_delay_microseconds=2000)
BODY = {"inputs": [{"name": "INPUT0", "shape": [1, 1], "datatype": "FP32", "data": [1.0]}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running Triton: the pod's address, and the settings that lead to it."""

    pod_ip: str
    settings: TritonSettings


@pytest.fixture
async def triton(tmp_path: Path) -> AsyncIterator[Server]:
    lock = claim_pod_range()
    pod_ip = next(lock.pods.process_pod_addresses())
    bound = loopback_address(pod_ip)
    MODEL.write_repository(tmp_path / "models")
    process = await asyncio.create_subprocess_exec(
        *("tritonserver", f"--model-repository={tmp_path / 'models'}", "--exit-timeout-secs=1"),
        env=ensure_triton().environment(address=bound),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    rule = AddressRule(
        pattern=lock.pods.loopback_pattern, replacement=lock.pods.loopback_replacement
    )
    try:
        await _infer_ten(bound)
        yield Server(pod_ip=pod_ip, settings=TritonSettings(address_rules=(rule,)))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        lock.release()


async def _infer_ten(address: str) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession(f"http://{address}:8000") as client:
        while True:
            try:
                async with client.get("/v2/health/ready") as answer:
                    if answer.status == 200:
                        break
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
        for _ in range(10):
            async with client.post("/v2/models/sleepy/infer", json=BODY) as answer:
                assert answer.status == 200


async def test_configuration_and_batch_statistics_of_the_running_model(triton: Server) -> None:
    found = await HttpTritonReader(triton.settings).read(triton.pod_ip, ())
    assert not isinstance(found, Missing), found
    [model] = found
    assert (model.model, model.max_batch_size, model.instances) == ("sleepy", 8, 1)
    assert model.dynamic_batching
    assert model.queue_delay_seconds == pytest.approx(0.002)
    [single] = model.batch_statistics
    assert (single.batch_size, single.executions) == (1, 10)
    assert 0.045 <= single.mean_seconds < 0.1


async def test_a_model_that_is_not_loaded_is_named_beside_the_one_that_is(triton: Server) -> None:
    found = await HttpTritonReader(triton.settings).read(triton.pod_ip, ["resnet"])
    assert found == Missing(
        reason=MissingReason.MODEL_NOT_LOADED, detail="resnet not loaded; loaded: sleepy"
    )


async def test_a_pod_that_cannot_be_reached_is_missing_soon() -> None:
    settings = TritonSettings(timeout_seconds=0.5)
    async with asyncio.timeout(3):
        found = await HttpTritonReader(settings).read("127.0.0.1", ())
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.SOURCE_UNREACHABLE
    assert "Prometheus counters alone" in found.detail


async def test_a_pod_that_accepts_and_never_answers_is_missing_in_time() -> None:
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side gives up
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(3):
            found = await HttpTritonReader(
                TritonSettings(timeout_seconds=0.3, http_port=port)
            ).read("127.0.0.1", ())
            await left.wait()
    finally:
        server.close()
    assert isinstance(found, Missing)
    assert "no answer in time" in found.detail
