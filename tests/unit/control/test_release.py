"""The Lease is handed over only when no write of ours can land after the next leader's."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from inference_cost.act.kube_api import REQUEST_TIMEOUT_SECONDS, KubeApi
from inference_cost.act.resources import LEASES
from inference_cost.control.kube_client import Credentials
from inference_cost.control.metrics import Metrics
from inference_cost.control.supervisor import DRAIN_SECONDS, Supervisor
from inference_cost.control.wiring import Parts


class SlowServer:
    """Answers when told to."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()

    async def param_serialize(self, *_: Any, **__: Any) -> tuple[()]:
        return ()

    async def call_api(self, *_: Any, **__: Any) -> Any:
        await self.answered.wait()
        raise OSError


class Elector:
    released = 0

    async def release(self) -> None:
        self.released += 1


@pytest.mark.parametrize("finished", [False, True])
async def test_the_lease_is_released_when_no_write_is_under_way(finished: bool) -> None:
    server, elector = SlowServer(), Elector()
    api = KubeApi(server)
    write = asyncio.create_task(api.merge_patch(LEASES, "team-a", "x", {}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if finished:
        server.answered.set()
    await api.drain(timeout_seconds=0.05)
    parts = cast("Parts", SimpleNamespace(api=api, elector=elector))
    supervisor = Supervisor(
        parts, cast("Any", None), Metrics(version="1"), cast("Credentials", None), version="1"
    )
    await supervisor._release()
    assert elector.released == int(finished)
    server.answered.set()
    await asyncio.gather(write, return_exceptions=True)


def test_a_write_under_way_is_waited_for_as_long_as_it_may_last() -> None:
    assert DRAIN_SECONDS > REQUEST_TIMEOUT_SECONDS
