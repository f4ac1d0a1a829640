"""One look of the keeper of warm nodes at a real API server."""

import asyncio

from e2e.rig.kube import Manifest
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.placeholders import PlaceholderSettings
from inference_cost.act.tick import Tick
from inference_cost.act.warm import WarmKeeper
from inference_cost.act.write_queue import Write, WriteQueue
from inference_cost.model.memory import Memory
from inference_cost.model.observation import Snapshot
from inference_cost.model.warm import WarmPlan, WarmPool

CLASS = "warm-test"


def priority_class() -> Manifest:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": CLASS},
        "value": -10,
        "preemptionPolicy": "Never",
    }


async def kept(api: KubeApi, namespace: str, plan: WarmPlan, pool: WarmPool) -> None:
    """All that is not as planned is written, and nothing was refused."""
    queue = WriteQueue(per_second=100.0, burst=100)
    settings = PlaceholderSettings(
        namespace=namespace,
        priority_class=CLASS,
        image="pause:3.10",
        buffer_priority_class=CLASS,
    )
    keeper = WarmKeeper(api, queue, settings=settings, monotonic=lambda: 0.0)
    shot = Snapshot(at=0.0, observations=(), warm={pool.name: pool})
    keeper.keep(Tick(snapshot=shot, plans={}, memory=Memory(), costs=None, warm={plan.pool: plan}))
    done = asyncio.Event()
    queue.put("last", _setting(done), urgent=True)
    writing = asyncio.create_task(queue.run())
    await done.wait()
    writing.cancel()
    assert keeper.unwritten(pool.name) == ""


def _setting(done: asyncio.Event) -> Write:
    async def write() -> None:
        done.set()

    return write
