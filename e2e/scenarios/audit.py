"""What the API server's audit log says that somebody asked for, and what came of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
# Of the authorizer; an admission refusal, such as by a namespace that is going, has code 403 too.
DECISION = "authorization.k8s.io/decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One finished request. `at`: epoch seconds of its arrival; `resource` includes the subresource."""

    at: float
    user: str
    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    code: int
    allowed: bool

    @property
    def writes(self) -> bool:
        return self.verb in WRITES

    @property
    def scales(self) -> bool:
        return self.writes and self.resource.endswith("/scale")


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The log file of a bundled cluster; the API server writes a line before it answers."""

    path: Path

    def requests(self, user: str, *, since: float = 0.0) -> list[Request]:
        """Requests of one user for resources of the API, in order of arrival."""
        found = [_request(event) for event in self._events(user)]
        return sorted((r for r in found if r.at >= since), key=lambda r: r.at)

    def _events(self, user: str) -> Iterator[dict[str, Any]]:
        # A watch is logged when it starts and again when it ends: one stage of each is enough.
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                if user not in line:
                    continue
                event = json.loads(line)
                stage = "ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"
                if (
                    event["user"]["username"] == user
                    and "objectRef" in event
                    and (event["stage"] == stage or not _allowed(event))
                ):
                    yield event


def _allowed(event: dict[str, Any]) -> bool:
    return bool(event.get("annotations", {}).get(DECISION) == "allow")


def _request(event: dict[str, Any]) -> Request:
    target = event["objectRef"]
    subresource = target.get("subresource")
    return Request(
        at=datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp(),
        user=event["user"]["username"],
        verb=event["verb"],
        group=target.get("apiGroup", ""),
        resource=target.get("resource", "") + (f"/{subresource}" if subresource else ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        allowed=_allowed(event),
    )
