"""The cache follows watch events, and complete lists overrule it."""

import math

import pytest

from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import WATCHED_KINDS
from tests.unit.observe.world import NOW, deployment, filled, metadata, node, owner, pod, policy


def test_an_object_seen_by_list_or_watch_is_there_and_a_deleted_one_is_not() -> None:
    cache = filled(policy())
    assert cache.policy("vision", "resnet")
    assert cache.apply("InferenceCostPolicy", "DELETED", policy())
    assert cache.policies() == []


def test_an_event_that_changes_nothing_we_use_is_no_change() -> None:
    cache = filled(pod("a"))
    noisy = pod("a")
    noisy["metadata"]["resourceVersion"] = "77"
    noisy["metadata"]["managedFields"] = [{"manager": "kubelet"}]
    assert not cache.apply("Pod", "MODIFIED", noisy)


def test_a_complete_list_removes_ghosts_that_no_watch_reported() -> None:
    cache = filled(pod("a"), pod("ghost"))
    assert cache.replace("Pod", [pod("a")], listed_at=NOW) == 1
    assert [p.name for p in cache.pods_of_workload("vision", "resnet")] == ["a"]


def test_an_object_created_while_the_list_was_read_survives_it() -> None:
    cache = filled(pod("a"))
    since = cache.begin_relist("Pod")
    cache.apply("Pod", "ADDED", pod("new"))
    cache.replace("Pod", [pod("a")], listed_at=NOW, since=since)
    assert {p.name for p in cache.pods("vision")} == {"a", "new"}


def test_an_object_deleted_while_the_list_was_read_stays_deleted() -> None:
    cache = filled(pod("a"), pod("b"))
    since = cache.begin_relist("Pod")
    cache.apply("Pod", "DELETED", pod("b"))
    cache.replace("Pod", [pod("a"), pod("b")], listed_at=NOW, since=since)
    assert {p.name for p in cache.pods("vision")} == {"a"}


def test_a_failed_list_changes_nothing() -> None:
    cache = filled(pod("a"))
    cache.begin_relist("Pod")
    cache.abandon_relist("Pod")
    assert len(cache.pods("vision")) == 1


def test_the_cache_is_synced_once_every_required_kind_was_listed() -> None:
    cache = ClusterCache()
    assert cache.age_seconds(NOW) == math.inf
    for kind in WATCHED_KINDS:
        assert not cache.synced
        if kind.optional:
            cache.mark_unavailable(kind.kind, "not installed")
        else:
            cache.replace(kind.kind, [], listed_at=NOW)
    assert cache.synced
    assert cache.age_seconds(NOW + 60) == 60
    assert "ScaledObject" in cache.unavailable


def test_watch_events_alone_do_not_make_the_cache_synced() -> None:
    cache = ClusterCache()
    cache.apply("Pod", "ADDED", pod("a"))
    assert not cache.synced


def test_the_age_is_that_of_the_oldest_list() -> None:
    cache = filled()
    cache.replace("Pod", [], listed_at=NOW + 100)
    assert cache.age_seconds(NOW + 130) == 130


def test_a_kind_that_became_unreadable_leaves_no_old_objects() -> None:
    cache = filled(node())
    cache.mark_unavailable("Node", "PermissionDenied")
    assert cache.nodes() == []


def test_a_change_of_replicas_keeps_the_template_generation_and_a_new_image_does_not() -> None:
    cache = filled(deployment(generation=4, observed=4))
    cache.apply("Deployment", "MODIFIED", deployment(replicas=5, generation=5, observed=4))
    scaled = cache.scale_target("Deployment", "vision", "resnet")
    assert scaled is not None
    assert scaled.template_generation == 4
    cache.apply("Deployment", "MODIFIED", deployment(image="triton:2", generation=6, observed=5))
    rolled = cache.scale_target("Deployment", "vision", "resnet")
    assert rolled is not None
    assert rolled.template_generation == 6


@pytest.mark.parametrize("kind", [k.kind for k in WATCHED_KINDS])
def test_an_object_with_nothing_but_a_name_is_taken_as_it_is(kind: str) -> None:
    cache = ClusterCache()
    bare = {"kind": kind, "metadata": {"name": "x", "namespace": "y"}, "spec": None, "status": None}
    assert cache.apply(kind, "ADDED", bare)
    assert cache.count(kind) == 1


def test_pods_are_found_by_the_workload_behind_their_replica_set() -> None:
    other = pod("b", app="resnet", ownerReferences=owner("ReplicaSet", "resnet-canary-aaa"))
    cache = filled(pod("a"), other)
    assert [p.name for p in cache.pods_of_workload("vision", "resnet")] == ["a"]
    assert [p.name for p in cache.pods_of_workload("vision", "resnet-canary")] == ["b"]


def test_a_record_keeps_the_numbers_an_account_needs() -> None:
    cache = filled(pod("a"), node(gpus=4))
    [found] = cache.pods("vision")
    assert (found.gpus, found.cpu_millicores, found.memory_bytes) == (1, 500, 2**30)
    [there] = cache.nodes()
    assert (there.allocatable_gpus, there.allocatable_cpu_millicores) == (4, 3920)


def test_waiting_and_unschedulable_pods_say_why() -> None:
    broken = pod("a", ready_for=None)
    broken["status"]["containerStatuses"] = [
        {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    ]
    broken["status"]["conditions"].append(
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    )
    [found] = filled(broken).pods("vision")
    assert (found.waiting_reason, found.restarts, found.unschedulable) == (
        "CrashLoopBackOff",
        3,
        True,
    )


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing"])
def test_a_pod_that_merely_starts_is_not_waiting_for_anything(reason: str) -> None:
    starting = pod("a", ready_for=None)
    starting["status"]["containerStatuses"] = [{"state": {"waiting": {"reason": reason}}}]
    [found] = filled(starting).pods("vision")
    assert found.waiting_reason == ""


def test_terminating_objects_are_told_apart() -> None:
    gone = metadata("resnet", deletionTimestamp="2026-01-01T00:00:00Z")
    cache = filled({**policy(), "metadata": gone})
    assert cache.policies()[0].terminating
