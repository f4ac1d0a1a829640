"""The load balancer over real sockets."""

import asyncio
import socket
from collections import Counter

import pytest
from aiohttp import ClientSession
from yarl import URL

from tests.integration.load_balancer.fakes import Rig, StartTriton, eventually

Address = tuple[str, int]


async def test_a_request_reaches_the_upstream_unchanged_and_so_does_the_answer(
    rig: Rig, start_triton: StartTriton
) -> None:
    triton = await start_triton("a", status=418)
    rig.balancer.set_endpoints([triton.address])
    async with rig.client.post(
        URL(f"{rig.url}/v2/models/m/infer?x=%2F", encoded=True),
        data=b'{"inputs":[]}',
        headers={"Inference-Header-Content-Length": "13", "Content-Type": "application/json"},
    ) as response:
        assert (response.status, await response.text()) == (418, "a")
        assert response.headers["X-Server"] == "a"
    [(method, path, body, headers)] = triton.requests
    assert (method, path, body) == ("POST", "/v2/models/m/infer?x=%2F", b'{"inputs":[]}')
    assert headers["Inference-Header-Content-Length"] == "13"
    assert headers["Content-Type"] == "application/json"


async def test_pod_addresses_are_mapped(start_triton: StartTriton, rig: Rig) -> None:
    triton = await start_triton("a")
    rig.balancer._address_map = {"10.64.1.1": "127.0.0.1"}.__getitem__
    rig.balancer.set_endpoints([("10.64.1.1", triton.address[1])])
    assert await rig.infer() == (200, "a")


async def test_the_less_loaded_endpoint_is_chosen(rig: Rig, start_triton: StartTriton) -> None:
    slow, quick = await start_triton("slow", seconds=0.4), await start_triton("quick")
    rig.balancer.set_endpoints([slow.address, quick.address])
    waiting = [asyncio.create_task(rig.infer())]
    while not slow.requests:  # until one of the first requests, at random, sits at the slow one
        waiting.append(asyncio.create_task(rig.infer()))
        await asyncio.sleep(0.02)
    answers = [await rig.infer() for _ in range(10)]
    assert Counter(answers) == {(200, "quick"): 10}
    assert len(slow.requests) == 1
    await asyncio.gather(*waiting)


async def test_idle_endpoints_share_the_requests(rig: Rig, start_triton: StartTriton) -> None:
    tritons = [await start_triton(name) for name in "abc"]
    rig.balancer.set_endpoints([triton.address for triton in tritons])
    for _ in range(90):
        await rig.infer()
    assert min(len(triton.requests) for triton in tritons) >= 12


async def test_a_refused_connection_is_retried_on_another_endpoint(
    rig: Rig, start_triton: StartTriton, refusing_address: Address
) -> None:
    triton = await start_triton("a")
    rig.balancer.set_endpoints([triton.address, refusing_address])
    assert [await rig.infer() for _ in range(20)] == [(200, "a")] * 20
    stats = rig.balancer.stats
    assert stats.retries == stats.connect_failures > 0
    assert stats.attempts == 20 + stats.retries


async def test_an_endpoint_that_hangs_up_without_an_answer_is_left_for_another(
    rig: Rig, start_triton: StartTriton
) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    triton = await start_triton("a")
    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        rig.balancer.set_endpoints([triton.address, server.sockets[0].getsockname()])
        assert [await rig.infer() for _ in range(20)] == [(200, "a")] * 20
    assert rig.balancer.stats.retries > 0
    assert rig.balancer.stats.connect_failures == 0


async def test_there_is_one_retry_and_then_a_503(rig: Rig, refusing_address: Address) -> None:
    host, port = refusing_address
    rig.balancer.set_endpoints([(host, port), ("127.0.0.2", port), ("127.0.0.3", port)])
    status, text = await rig.infer()
    assert (status, text[:22]) == (503, "upstream connect error")
    assert (rig.balancer.stats.attempts, rig.balancer.stats.retries) == (2, 1)


async def test_without_an_endpoint_the_answer_is_503_at_once(rig: Rig) -> None:
    assert await rig.infer() == (503, "no healthy upstream")
    exposition = rig.balancer.stats.exposition()
    assert 'rq_xx{envoy_response_code_class="5",envoy_cluster_name="demo/triton"} 1' in exposition
    assert 'rq_time_count{envoy_cluster_name="demo/triton"} 0' in exposition


@pytest.mark.parametrize("timeout_seconds", [0.5])
async def test_no_answer_in_time_is_a_504(rig: Rig, start_triton: StartTriton) -> None:
    triton = await start_triton("a", seconds=5)
    rig.balancer.set_endpoints([triton.address])
    assert await rig.infer() == (504, "upstream request timeout")
    assert rig.balancer.stats.timeouts == 1
    assert rig.balancer.stats.active == 0


async def test_a_removed_endpoint_finishes_what_it_has_and_its_connections_close(
    rig: Rig, start_triton: StartTriton
) -> None:
    old, new = await start_triton("old", seconds=0.2), await start_triton("new")
    rig.balancer.set_endpoints([old.address])
    in_flight = asyncio.create_task(rig.infer())
    await eventually(lambda: bool(old.requests))
    rig.balancer.set_endpoints([new.address])
    assert [await rig.infer() for _ in range(5)] == [(200, "new")] * 5
    assert old.connections() == 1
    assert await in_flight == (200, "old")
    await eventually(lambda: old.connections() == 0)


async def test_an_idle_endpoint_that_is_removed_has_its_connections_closed_at_once(
    rig: Rig, start_triton: StartTriton
) -> None:
    triton = await start_triton("a")
    rig.balancer.set_endpoints([triton.address])
    await rig.infer()
    assert triton.connections() == 1
    rig.balancer.set_endpoints([])
    await eventually(lambda: triton.connections() == 0)


async def test_metrics_tell_what_happened(rig: Rig, start_triton: StartTriton) -> None:
    quick, slow = await start_triton("quick"), await start_triton("slow", seconds=0.31)
    for triton in (quick, slow):
        rig.balancer.set_endpoints([triton.address])
        await rig.infer()
    async with rig.client.get(f"{rig.url}/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = (await response.text()).splitlines()
    cluster = 'envoy_cluster_name="demo/triton"'
    assert f'envoy_cluster_upstream_rq_time_bucket{{{cluster},le="300"}} 1' in lines
    assert f'envoy_cluster_upstream_rq_time_bucket{{{cluster},le="500"}} 2' in lines
    assert f"envoy_cluster_upstream_rq_total{{{cluster}}} 2" in lines
    assert f"envoy_cluster_membership_healthy{{{cluster}}} 1" in lines
    assert all(triton.requests[0][1] != "/metrics" for triton in (quick, slow))


async def test_active_counts_requests_under_way(rig: Rig, start_triton: StartTriton) -> None:
    triton = await start_triton("a", seconds=0.1)
    rig.balancer.set_endpoints([triton.address])
    requests = [asyncio.create_task(rig.infer()) for _ in range(3)]
    await eventually(lambda: len(triton.requests) == 3)
    assert (rig.balancer.stats.active, rig.balancer.stats.pending) == (3, 0)
    await asyncio.gather(*requests)
    assert rig.balancer.stats.active == 0


@pytest.mark.parametrize("timeout_seconds", [0.5])
async def test_pending_counts_requests_without_a_connection(rig: Rig) -> None:
    # Linux lets connections hang once the backlog of a socket that never accepts is full.
    with socket.socket() as deaf, socket.socket() as first:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        first.connect(deaf.getsockname())
        rig.balancer.set_endpoints([deaf.getsockname()])
        request = asyncio.create_task(rig.infer())
        await eventually(lambda: rig.balancer.stats.pending == 1)
        assert await request == (504, "upstream request timeout")
    assert rig.balancer.stats.pending == 0


@pytest.mark.parametrize("clients", [1, 50])
async def test_many_clients_at_once_are_all_answered(
    rig: Rig, start_triton: StartTriton, clients: int
) -> None:
    rig.balancer.set_endpoints([(await start_triton(name)).address for name in "ab"])
    async with ClientSession() as session:
        rig.client, one = session, rig.client
        answers = await asyncio.gather(*(rig.infer() for _ in range(clients * 4)))
        rig.client = one
    assert {status for status, _ in answers} == {200}
