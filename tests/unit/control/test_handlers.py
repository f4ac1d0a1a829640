"""Kopf's side: its settings, its backoffs, and which event is worth waking the loop for."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

import kopf
import pytest

from inference_cost.control.handlers import JitteredBackoffs, apply_event, build_registry, tune
from inference_cost.control.kube_client import InCluster
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import DEPLOYMENT, NODE, POD, POLICY, WatchedKind

Object = dict[str, Any]


def metadata(**more: Any) -> Object:
    stamp = "2026-11-22T12:00:00Z"
    return {"name": "resnet", "namespace": "a", "uid": "1", "creationTimestamp": stamp} | more


def policy(*, spec: Object | None = None, status: Object | None = None, **meta: Any) -> Object:
    return {
        "metadata": metadata(generation=1, **meta),
        "spec": spec or {"minReplicas": 2},
        "status": status or {},
    }


def deployment(replicas: int = 3, *, image: str = "triton:1", ready: int = 0) -> Object:
    return {
        "metadata": metadata(generation=1, resourceVersion="1"),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "resnet"}},
            "template": {
                "metadata": {"labels": {"app": "resnet"}},
                "spec": {"containers": [{"name": "triton", "image": image}]},
            },
        },
        "status": {"replicas": replicas, "readyReplicas": ready},
    }


def node(*, ready: str = "True") -> Object:
    return {
        "metadata": metadata(namespace=""),
        "spec": {},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@dataclass(frozen=True, kw_only=True)
class Case:
    kind: WatchedKind
    first: Object
    then: Object
    event: str = "MODIFIED"
    want: bool


CASES = {
    "a policy's spec": Case(
        kind=POLICY, first=policy(), then=policy(spec={"minReplicas": 3}), want=True
    ),
    "a pause": Case(
        kind=POLICY,
        first=policy(),
        then=policy(annotations={"inferencecost.dev/paused": "true"}),
        want=True,
    ),
    "our own status": Case(
        kind=POLICY,
        first=policy(),
        then=policy(status={"observedGeneration": 1}),
        want=False,
    ),
    "a deleted policy": Case(
        kind=POLICY, first=policy(), then=policy(), event="DELETED", want=True
    ),
    "a target's replicas": Case(
        kind=DEPLOYMENT, first=deployment(3), then=deployment(4), want=True
    ),
    "a target's template": Case(
        kind=DEPLOYMENT, first=deployment(), then=deployment(image="triton:2"), want=True
    ),
    "a target's ready pods": Case(
        kind=DEPLOYMENT, first=deployment(), then=deployment(ready=2), want=False
    ),
    "a lost node": Case(kind=NODE, first=node(), then=node(), event="DELETED", want=True),
    "a node that is no longer ready": Case(
        kind=NODE, first=node(), then=node(ready="False"), want=True
    ),
    "nothing": Case(kind=POLICY, first=policy(), then=policy(), want=False),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_whether_the_loop_is_woken_by(case: Case) -> None:
    cache = ClusterCache()
    seen: list[tuple[str, int]] = []

    def on_target(uid: str, replicas: int) -> None:
        seen.append((uid, replicas))

    apply_event(cache, case.kind, None, case.first, on_target=on_target)
    woken = apply_event(cache, case.kind, case.event, case.then, on_target=on_target)
    assert woken is case.want
    assert (case.kind is DEPLOYMENT) == bool(seen)


def test_pods_never_wake_the_loop() -> None:
    cache = ClusterCache()
    pod = {"metadata": metadata(), "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}}
    assert not apply_event(cache, POD, "ADDED", pod, on_target=lambda _uid, _n: None)
    assert cache.count("Pod") == 1


def test_backoffs_never_end_and_never_exceed_their_cap() -> None:
    backoffs = JitteredBackoffs(first=0.2, cap=30.0)
    pauses = list(islice(backoffs, 500))
    assert 0.1 <= pauses[0] <= 0.2
    assert max(pauses) <= 30.0
    assert min(pauses[20:]) >= 15.0
    assert next(iter(islice(backoffs, 1))) <= 0.2  # a new outage starts anew


def test_kopf_is_tuned_to_write_nothing_and_to_outlive_outages() -> None:
    settings = kopf.OperatorSettings()
    tune(settings)
    assert settings.posting.enabled is False
    assert settings.peering.standalone is True
    assert settings.scanning.disabled is True
    assert settings.queueing.worker_limit is None
    assert len(list(islice(settings.networking.error_backoffs, 1000))) == 1000  # type: ignore[arg-type]


def test_no_handler_asks_for_a_finalizer_or_an_annotation() -> None:
    async def stop() -> None: ...

    registry = build_registry(
        cache=ClusterCache(),
        credentials=InCluster(server="https://10.0.0.1:443"),
        wake=lambda: None,
        on_target=lambda _uid, _n: None,
        stop=stop,
    )
    assert registry._watching.get_all_handlers()
    for others in (registry._changing, registry._spawning, registry._indexing, registry._webhooks):
        assert not others.get_all_handlers()
