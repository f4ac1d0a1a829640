"""How long `/metrics` takes, and for how long the event loop stands still meanwhile.

    python -m benchmarks.scrape [--policies 1000]

The policies of `benchmarks.decide_pass`, decided and accounted once. A task asks the loop every millisecond for its
turn, as probes and the Lease do; its longest wait beyond that is told, for each of some scrapes and without one.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable

import aiohttp

from benchmarks.decide_pass import snapshot_of
from inference_cost.account.costs import account
from inference_cost.act.tick import Tick
from inference_cost.control.garbage import collect_seldom
from inference_cost.control.http import HttpServer
from inference_cost.control.metrics import Metrics
from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory

SCRAPES = 5
TURN_SECONDS = 0.001


def shown(policies: int) -> Metrics:
    snapshot, metrics = snapshot_of(policies, 0), Metrics(version="benchmark")
    decisions = decide(snapshot, Memory())
    costs = account(snapshot, decisions.plans, {})
    tick = Tick(snapshot=snapshot, plans=decisions.plans, memory=decisions.memory, costs=costs)
    metrics.policies.show(tick)
    metrics.show_costs(costs)
    return metrics


async def longest_wait(until: asyncio.Event) -> float:
    worst = 0.0
    while not until.is_set():
        begin = time.perf_counter()
        await asyncio.sleep(TURN_SECONDS)
        worst = max(worst, time.perf_counter() - begin - TURN_SECONDS)
    return worst


async def run(metrics: Metrics) -> None:
    server = HttpServer(host="127.0.0.1", port=0, live=(), ready=(), exposition=metrics.exposition)
    await server.start()
    await scrape(server.port)  # the first one is no measure
    print(f"without a scrape the loop waited {1e3 * await waited(asyncio.sleep(1.0)):.1f} ms")
    for _ in range(SCRAPES):
        begin = time.process_time()
        wait = await waited(scrape(server.port))
        took = time.process_time() - begin
        print(f"a scrape: {took:.3f} s of the processor, the loop waited {1e3 * wait:.1f} ms")
    await server.stop()


async def waited(work: Awaitable[None]) -> float:
    done = asyncio.Event()
    waits = asyncio.create_task(longest_wait(done))
    await work
    done.set()
    return await waits


async def scrape(port: int) -> None:
    url = f"http://127.0.0.1:{port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        await answer.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", type=int, default=1000)
    collect_seldom()
    asyncio.run(run(shown(parser.parse_args().policies)))


if __name__ == "__main__":
    main()
