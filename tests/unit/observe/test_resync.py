"""Complete lists: page by page, and each failure as it deserves."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import NODE, POD, SCALED_OBJECT, WATCHED_KINDS, WatchedKind
from inference_cost.observe.kubernetes_reader import ReadFailedError
from inference_cost.observe.resync import CacheResync, list_records, relist
from tests.unit.observe.world import NOW, deployment, node, pod


class ListedObjects:
    """Lists in memory, two objects to a page; `failures` are raised once each per kind."""

    def __init__(self, **objects: list[dict[str, Any]]) -> None:
        self.objects = objects
        self.failures: dict[str, list[int]] = {}
        self.pages = 0

    async def list_page(
        self, kind: WatchedKind, *, limit: int, continue_token: str
    ) -> Mapping[str, Any]:
        assert limit == 500
        self.pages += 1
        waiting = self.failures.get(kind.kind)
        if waiting and (status := waiting.pop(0)) is not None:
            raise ReadFailedError(status, f"list {kind.resource}")
        start = int(continue_token or 0)
        items = self.objects.get(kind.kind, [])
        more = str(start + 2) if start + 2 < len(items) else ""
        return {"items": items[start : start + 2], "metadata": {"continue": more}}


async def test_all_pages_are_read() -> None:
    reader = ListedObjects(Pod=[pod(f"p{i}") for i in range(5)])
    assert len(await list_records(reader, POD)) == 5
    assert reader.pages == 3


async def test_items_of_a_list_get_the_kind_that_the_list_leaves_out() -> None:
    bare = deployment()
    del bare["kind"], bare["apiVersion"]
    cache = ClusterCache()
    await relist(ListedObjects(Deployment=[bare]), cache, WATCHED_KINDS, clock=lambda: NOW)
    found = cache.scale_target("Deployment", "vision", "resnet")
    assert found is not None
    assert (found.kind, found.api_version) == ("Deployment", "apps/v1")


async def test_an_expired_page_token_starts_the_list_over_once() -> None:
    reader = ListedObjects(Pod=[pod("a")])
    reader.failures["Pod"] = [410]
    assert len(await list_records(reader, POD)) == 1
    reader.failures["Pod"] = [410, 410]
    with pytest.raises(ReadFailedError):
        await list_records(reader, POD)


async def test_a_missing_permission_names_verb_and_resource() -> None:
    cache, reader = ClusterCache(), ListedObjects()
    reader.failures["Node"] = [403]
    failures = await relist(reader, cache, [NODE])
    assert failures == {
        "Node": "PermissionDenied: the operator's role lacks the verb list on nodes"
    }


async def test_an_absent_crd_is_no_failure_but_recorded() -> None:
    cache, reader = ClusterCache(), ListedObjects()
    reader.failures["ScaledObject"] = [404]
    assert await relist(reader, cache, WATCHED_KINDS) == {}
    assert cache.synced
    assert "not installed" in cache.unavailable["ScaledObject"]


async def test_a_forbidden_optional_kind_does_not_stop_the_rest() -> None:
    cache, reader = ClusterCache(), ListedObjects(Node=[node()])
    reader.failures["ScaledObject"] = [403]
    failures = await relist(reader, cache, [SCALED_OBJECT, NODE])
    assert "scaledobjects.keda.sh" in failures["ScaledObject"]
    assert len(cache.nodes()) == 1


async def test_a_passing_fault_keeps_what_was_known() -> None:
    cache, reader = ClusterCache(), ListedObjects(Pod=[pod("a")])
    await relist(reader, cache, [POD])
    reader.failures["Pod"] = [500]
    assert await relist(reader, cache, [POD]) == {"Pod": "list pods: HTTP 500"}
    assert len(cache.pods("vision")) == 1
    cache.apply("Pod", "MODIFIED", pod("a", ready_for=None))
    assert not cache._tables["Pod"].touched, "a list that failed is over: nothing is noted for it"


async def test_an_installed_crd_is_taken_up_again() -> None:
    cache, reader = ClusterCache(), ListedObjects()
    reader.failures["ScaledObject"] = [404]
    await relist(reader, cache, [SCALED_OBJECT])
    await relist(reader, cache, [SCALED_OBJECT])
    assert cache.unavailable == {}


async def test_resync_tries_again_soon_until_the_first_complete_list() -> None:
    cache, reader = ClusterCache(), ListedObjects()
    reader.failures["Pod"] = [0, 500]
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if cache.synced:
            raise asyncio.CancelledError

    resync = CacheResync(reader, cache, interval_seconds=(300, 600), sleep=pause)
    with pytest.raises(asyncio.CancelledError):
        await resync.run()
    assert len(pauses) == 3
    assert max(pauses[:2]) <= 2.0
    assert 300 <= pauses[2] <= 600
    assert resync.failures == {}
