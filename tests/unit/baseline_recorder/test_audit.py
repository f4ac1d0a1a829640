"""The audit log tells what each sync of the HPA found and wrote."""

import json
from typing import Any

from e2e.baselines.audit import HPA_USER, ScaleWrite, Sync, read_events, scale_writes, syncs

KEDA = "system:serviceaccount:keda-system:keda-operator"


def event(
    second: float,
    verb: str,
    *,
    user: str = HPA_USER,
    namespace: str = "hpa",
    group: str = "apps",
    subresource: str = "scale",
    found: int | None = None,
    written: int | None = None,
    code: int = 200,
) -> str:
    """Make one line of the log; `second` is the time of the request, which took 20 ms."""
    body: dict[str, Any] = {
        "verb": verb,
        "user": {"username": user},
        "objectRef": {"namespace": namespace, "apiGroup": group, "subresource": subresource},
        "requestReceivedTimestamp": f"1970-01-01T00:00:{second:09.6f}Z",
        "stageTimestamp": f"1970-01-01T00:00:{second + 0.02:09.6f}Z",
        "responseStatus": {"code": code},
    }
    if found is not None:
        # Kubernetes leaves a zero out.
        counts = {"replicas": found} if found else {}
        body["responseObject"] = {"spec": counts, "status": counts}
    if written is not None:
        body["requestObject"] = {"spec": {"replicas": written} if written else {}}
    return json.dumps(body)


def metric(second: float, *, namespace: str = "hpa") -> str:
    return event(second, "get", namespace=namespace, group="custom.metrics.k8s.io", subresource="")


def test_a_sync_without_a_write_keeps_what_it_found() -> None:
    events = read_events([event(1, "get", found=3), metric(1.1)], namespace="hpa")
    (sync,) = syncs(events)
    assert (sync.at, sync.replicas, sync.status_replicas, sync.desired) == (1, 3, 3, 3)
    assert sync.asked_at(1.11)
    assert not sync.asked_at(1.13)


def test_a_write_is_what_the_sync_wanted() -> None:
    lines = [
        event(1, "get", found=3),
        metric(1.1),
        event(1.2, "update", written=5),
        event(3, "get", found=5),
        metric(3.1),
    ]
    assert [(s.replicas, s.desired) for s in syncs(read_events(lines, namespace="hpa"))] == [
        (3, 5),
        (5, 5),
    ]


def test_a_conflict_is_tried_again_within_the_same_sync() -> None:
    lines = [
        event(1, "get", found=3),
        metric(1.1),
        event(1.2, "update", written=5, code=409),
        event(1.3, "get", found=3),
        event(1.4, "update", written=5),
    ]
    (sync,) = syncs(read_events(lines, namespace="hpa"))
    assert (sync.at, sync.replicas, sync.desired) == (1, 3, 5)


def test_at_zero_replicas_no_metric_is_asked_for() -> None:
    (sync,) = syncs(read_events([event(1, "get", found=0)], namespace="hpa"))
    assert sync == Sync(at=1, replicas=0, status_replicas=0, desired=0)
    assert not sync.asked_at(1)


def test_namespaces_users_and_order_are_told_apart() -> None:
    lines = [
        metric(1.1),
        event(1, "get", found=3),
        event(1.05, "get", found=9, namespace="other"),
        event(1.15, "get", found=9, user=KEDA),
        event(1.2, "update", written=0, user=KEDA),
        event(1.3, "update", written=0, user=KEDA, code=409),
    ]
    events = read_events(lines, namespace="hpa")
    (sync,) = syncs(events)
    assert (sync.replicas, sync.desired) == (3, 3)
    assert sync.asked_at(1.11)
    assert scale_writes(events, user=KEDA) == [ScaleWrite(at=1.2, replicas=0)]
