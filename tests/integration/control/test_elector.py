"""Two electors on one Lease of the real API server."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient
from inference_cost.act.kube_api import KubeApi
from inference_cost.control.clock import SystemClock
from inference_cost.control.elector import Elector, LeaseTimes
from inference_cost.control.kube_client import FromKubeconfig, build_client

TIMES = LeaseTimes(duration=2.0, renew_deadline=1.5, retry=0.3)
LEASES = "coordination.k8s.io/v1"


class Candidate:
    """One elector and the task that runs it."""

    def __init__(self, api: KubeApi, lease: str, identity: str) -> None:
        self.elector = Elector(
            api,
            namespace="default",
            name=lease,
            identity=identity,
            times=TIMES,
            clock=SystemClock(),
        )
        self._task = asyncio.create_task(self.elector.run())

    async def die(self) -> None:
        """Without a word, as a killed process does."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def leads_within(self, seconds: float) -> float:
        started = time.monotonic()
        async with asyncio.timeout(seconds):
            await self.elector.elected()
        return time.monotonic() - started


@pytest.fixture
async def candidates(cluster: Cluster) -> AsyncIterator[tuple[str, Candidate, Candidate]]:
    lease = f"operator-{uuid4().hex[:8]}"
    async with await build_client(FromKubeconfig(path=cluster.kubeconfig)) as client:
        first = Candidate(KubeApi(client), lease, "first")
        await first.leads_within(5)
        second = Candidate(KubeApi(client), lease, "second")
        yield lease, first, second
        await first.die()
        await second.die()


async def test_the_second_leads_one_lease_and_one_retry_after_the_first_was_killed(
    candidates: tuple[str, Candidate, Candidate], kube: KubeClient
) -> None:
    lease, first, second = candidates
    await asyncio.sleep(3 * TIMES.duration / 2)
    assert not second.elector.leading
    await first.die()
    took = await second.leads_within(10)
    assert TIMES.duration / 2 < took <= TIMES.duration + 2 * TIMES.retry + 0.5
    assert not first.elector.leading  # it could not have written any more either
    stored = kube.get(LEASES, "Lease", lease)["spec"]
    assert (stored["holderIdentity"], stored["leaseTransitions"]) == ("second", 1)


async def test_a_released_lease_is_taken_within_one_retry(
    candidates: tuple[str, Candidate, Candidate],
) -> None:
    _, first, second = candidates
    await asyncio.sleep(0.5)
    await first.die()
    await first.elector.release()
    assert await second.leads_within(10) <= 2 * TIMES.retry


async def test_never_do_both_lead(candidates: tuple[str, Candidate, Candidate]) -> None:
    _, first, second = candidates
    for _ in range(100):
        assert not (first.elector.leading and second.elector.leading)
        await asyncio.sleep(0.02)
