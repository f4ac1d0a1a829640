"""The cache against a plain dictionary: any mix of events and complete lists."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inference_cost.observe.cluster_cache import ClusterCache
from tests.unit.observe.world import NOW, owner, pod

names = st.sampled_from(["a", "b", "c", "d"])
apps = st.sampled_from(["resnet", "bert"])
events = st.tuples(st.sampled_from(["ADDED", "MODIFIED", "DELETED", None]), names, apps)
lists = st.lists(st.tuples(names, apps), unique_by=lambda item: item[0])


@given(st.lists(st.one_of(events, lists), max_size=25))
def test_the_cache_holds_what_was_last_said_and_its_indexes_agree(
    steps: list[tuple[str | None, str, str] | list[tuple[str, str]]],
) -> None:
    cache = ClusterCache()
    expected: dict[str, str] = {}
    for step in steps:
        if isinstance(step, list):
            cache.replace("Pod", [pod(n, app=a) for n, a in step], listed_at=NOW)
            expected = dict(step)
            continue
        kind, name, app = step
        cache.apply("Pod", kind, pod(name, app=app))
        if kind == "DELETED":
            expected.pop(name, None)
        else:
            expected[name] = app
    assert {p.name: p.workload for p in cache.pods("vision")} == expected
    for app in ("resnet", "bert"):
        found = {p.name for p in cache.pods_of_workload("vision", app)}
        assert found == {n for n, a in expected.items() if a == app}


@given(
    before=st.lists(names, unique=True),
    listed=st.lists(names, unique=True),
    meanwhile=st.lists(st.tuples(st.booleans(), names), max_size=6),
)
def test_events_during_a_list_win_over_it(
    before: list[str], listed: list[str], meanwhile: list[tuple[bool, str]]
) -> None:
    cache = ClusterCache()
    cache.replace("Pod", [pod(n) for n in before], listed_at=NOW)
    since = cache.begin_relist("Pod")
    for added, name in meanwhile:
        cache.apply("Pod", "ADDED" if added else "DELETED", pod(name))
    cache.replace("Pod", [pod(n) for n in listed], listed_at=NOW, since=since)
    last = {name: added for added, name in meanwhile}
    expected = {n for n in listed if n not in last} | {n for n, added in last.items() if added}
    assert {p.name for p in cache.pods("vision")} == expected


KEEPING: dict[str, tuple[dict[str, Any], int]] = {
    "runs": ({}, 1),
    "is not ready": ({"ready_for": None}, 1),
    "has ended": ({"phase": "Succeeded"}, 0),
    "is going": ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, 0),
    "is of a DaemonSet": ({"ownerReferences": owner("DaemonSet", "agent")}, 0),
    "is the node's own": ({"ownerReferences": owner("Node", "gpu-1", "v1")}, 0),
    "is of nobody": ({"ownerReferences": []}, 1),
}


@given(st.lists(st.tuples(names, st.sampled_from(list(KEEPING)), st.booleans()), max_size=20))
def test_pods_that_keep_a_node_are_counted(steps: list[tuple[str, str, bool]]) -> None:
    cache, last = ClusterCache(), dict[str, int]()
    for name, how, stays in steps:
        changes, counts = KEEPING[how]
        cache.apply("Pod", "MODIFIED" if stays else "DELETED", pod(name, **changes))
        last[name] = counts if stays else 0
    assert cache.pods_on("gpu-1") == sum(last.values())
    assert cache.pods_on("gpu-2") == 0
