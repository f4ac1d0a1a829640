"""What the controllers did, from the API server's audit log.

One sync of the HPA is: read `/scale` of its target, ask a metrics API, write `/scale` if the count
changes. All of it passes the API server, which writes down when, and for `/scale` also what.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

HPA_USER = "system:kube-controller-manager"
METRICS_GROUPS = ("custom.metrics.k8s.io", "external.metrics.k8s.io")
_CONFLICT = 409

# Bodies of `/scale` alone; everything else as in every cluster of the rig.
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, nonResourceURLs: ["/livez*", "/readyz*", "/healthz*"]}
- {level: RequestResponse, resources: [{group: apps, resources: ["deployments/scale"]}]}
- {level: Metadata}
"""

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """One sync of one HPA; Unix times. `metric_from` is None when no metric was asked for."""

    at: float
    replicas: int  # .spec.replicas that it found
    status_replicas: int
    desired: int  # what it wrote, else what it found
    metric_from: float | None = None
    metric_until: float | None = None

    @property
    def decided_at(self) -> float:
        """When it had all it needs: windows and periods of the HPA end at that time."""
        return self.at if self.metric_until is None else self.metric_until

    def asked_at(self, unix_time: float) -> bool:
        """Whether the metric was being asked for at this time."""
        if self.metric_from is None or self.metric_until is None:
            return False
        return self.metric_from <= unix_time <= self.metric_until


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleWrite:
    """A write of `/scale` by somebody."""

    at: float
    replicas: int


def read_events(lines: Iterable[str], *, namespace: str) -> list[Event]:
    """All events of a namespace in the order in which the requests came."""
    events = (json.loads(line) for line in lines)
    found = [e for e in events if e.get("objectRef", {}).get("namespace") == namespace]
    return sorted(found, key=_begin)


def syncs(events: Iterable[Event]) -> list[Sync]:
    """All syncs of the one HPA of a namespace, from the events there."""
    made: list[Sync] = []
    in_conflict = False
    for event in _of_user(events, HPA_USER):
        if _is_scale(event, "get"):
            if not in_conflict:  # it reads again before it tries again
                made.append(_sync_begun_by(event))
        elif made and event["objectRef"].get("apiGroup") in METRICS_GROUPS:
            made[-1] = replace(made[-1], metric_from=_begin(event), metric_until=_end(event))
        elif made and _is_scale(event, "update"):
            in_conflict = event["responseStatus"]["code"] == _CONFLICT
            if not in_conflict:
                made[-1] = replace(made[-1], desired=_written(event))
    return made


def scale_writes(events: Iterable[Event], *, user: str) -> list[ScaleWrite]:
    """Successful writes of `/scale` by `user`."""
    return [
        ScaleWrite(at=_begin(event), replicas=_written(event))
        for event in _of_user(events, user)
        if _is_scale(event, "update") and event["responseStatus"]["code"] != _CONFLICT
    ]


def _of_user(events: Iterable[Event], user: str) -> Iterator[Event]:
    return (event for event in events if event["user"]["username"] == user)


def _is_scale(event: Event, verb: str) -> bool:
    return bool(event["verb"] == verb and event["objectRef"].get("subresource") == "scale")


def _sync_begun_by(event: Event) -> Sync:
    scale = event["responseObject"]
    replicas = int(scale["spec"].get("replicas", 0))
    return Sync(
        at=_begin(event),
        replicas=replicas,
        status_replicas=int(scale["status"].get("replicas", 0)),
        desired=replicas,
    )


def _written(event: Event) -> int:
    return int(event["requestObject"]["spec"].get("replicas", 0))


def _begin(event: Event) -> float:
    return _unix_time(event["requestReceivedTimestamp"])


def _end(event: Event) -> float:
    return _unix_time(event["stageTimestamp"])


def _unix_time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
