"""Statuses of CapacityPools are written when they say something new, each by itself."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from inference_cost.act.pool_reporter import PoolReporter, StoredPool
from inference_cost.act.resources import POOL_STATUS
from inference_cost.act.status_changes import RefreshTimes
from inference_cost.act.status_writer import StatusWriter
from inference_cost.act.tick import Tick
from inference_cost.act.write_queue import WriteQueue
from inference_cost.model.memory import Memory
from inference_cost.model.observation import Snapshot
from inference_cost.model.warm import WarmPlan, WarmPool, WarmSpec
from tests.unit.decide.mix.two_variants import BOTH, TAKEN

NO_PLANS: Mapping[str, WarmPlan] = MappingProxyType({})
SPOT = StoredPool(name="spot", uid="u1", generation=1, status={})


class Api:
    def __init__(self) -> None:
        self.written: list[tuple[str, str, dict[str, Any]]] = []

    async def json_patch(
        self, resource: Any, namespace: str, name: str, operations: list[dict[str, Any]]
    ) -> dict[str, Any]:
        assert resource is POOL_STATUS
        status = operations[-1]["value"]
        self.written.append((namespace, name, status))
        return {"status": status}


class Bench:
    def __init__(self, *pools: StoredPool, **problems: str) -> None:
        self.api, self.pools = Api(), list(pools)
        self.queue = WriteQueue(per_second=1000.0, burst=1000)
        writer = StatusWriter(
            self.api,  # type: ignore[arg-type]
            self.queue,
            times=RefreshTimes(),
            monotonic=lambda: 0.0,
            resource=POOL_STATUS,
        )
        self.told: dict[str, Any] = {}
        self.reporter = PoolReporter(
            statuses=writer,
            stored=lambda: self.pools,
            problems=lambda: problems,
            on_report=lambda statuses: setattr(self, "told", dict(statuses)),
            unwritten=lambda _: "",
        )

    async def tick(
        self, shot: Snapshot, warm: Mapping[str, WarmPlan] = NO_PLANS
    ) -> list[tuple[str, str]]:
        before = len(self.api.written)
        self.reporter.report(Tick(snapshot=shot, plans={}, memory=Memory(), costs=None, warm=warm))
        writing = asyncio.create_task(self.queue.run())
        for _ in range(5):  # of one pool there is one write at most
            await asyncio.sleep(0)
        writing.cancel()
        return [(namespace, name) for namespace, name, _ in self.api.written[before:]]


async def test_it_is_written_once_and_again_when_something_changed() -> None:
    bench = Bench(SPOT)
    assert await bench.tick(BOTH.seen()) == [("", "spot")]
    assert await bench.tick(BOTH.seen(at=BOTH.seen().at + 15)) == []
    assert await bench.tick(replace(BOTH, spot_node=TAKEN).seen()) == [("", "spot")]


async def test_what_is_stored_already_is_not_written_again() -> None:
    first = Bench(SPOT)
    await first.tick(BOTH.seen())
    stored = replace(SPOT, status=first.api.written[0][2])
    assert await Bench(stored).tick(BOTH.seen()) == []


async def test_a_pool_that_is_not_used_says_why() -> None:
    bench = Bench(SPOT, spot="spec.offerings[0].perNodeHour: must be greater than 0")
    await bench.tick(BOTH.seen())
    told = {one["type"]: one for one in bench.api.written[0][2]["conditions"]}
    assert told["PriceKnown"]["reason"] == "NotUsed"
    assert "perNodeHour" in told["PriceKnown"]["message"]


async def test_an_error_of_the_pools_keeps_nobody_else_from_being_told() -> None:
    bench = Bench(SPOT)
    broken = replace(BOTH.seen(), nodes=None)  # type: ignore[arg-type] - as a fault would leave it
    assert await bench.tick(broken) == []
    assert await bench.tick(BOTH.seen()) == [("", "spot")]


async def test_a_pool_that_is_gone_is_forgotten() -> None:
    bench = Bench(SPOT)
    await bench.tick(BOTH.seen())
    bench.pools.clear()
    assert await bench.tick(BOTH.seen()) == []
    assert bench.told == {}
    bench.pools.append(SPOT)
    assert await bench.tick(BOTH.seen()) == [("", "spot")]


async def test_all_statuses_are_told_also_those_that_say_nothing_new() -> None:
    bench = Bench(SPOT)
    await bench.tick(BOTH.seen())
    assert await bench.tick(BOTH.seen(at=BOTH.seen().at + 15)) == []
    assert bench.told["spot"]["nodes"] == bench.api.written[0][2]["nodes"]


async def test_warm_nodes_are_told_where_they_are_asked_for() -> None:
    bench = Bench(SPOT)
    pool = WarmPool(name="spot", spec=WarmSpec(least=1, most=2))
    shot = replace(BOTH.seen(), warm={"spot": pool})
    plan = WarmPlan(pool="spot", wanted=1, free=0, lost=0, uses=0, reasons=(), shape=None)
    await bench.tick(shot, {"spot": plan})
    assert bench.api.written[0][2]["warm"]["shown"] == "0/1"
    told = {one["type"]: one["reason"] for one in bench.api.written[0][2]["conditions"]}
    assert told["WarmReady"] == "Missing"
    await bench.tick(replace(shot, warm={"spot": replace(pool, spec=None)}), {"spot": plan})
    assert "warm" not in bench.api.written[1][2]
    told = {one["type"]: one["reason"] for one in bench.api.written[1][2]["conditions"]}
    assert told["WarmReady"] == "NotAsked"
