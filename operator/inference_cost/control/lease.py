"""What a Lease says and what may be done about it. Pure; the elector does the calls.

Expiry is judged by how long the holder's record has not *changed*, on our own monotonic clock. Times written by
another machine are never compared with ours.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """The fields of a Lease that decide. `holder` is empty when it was released."""

    holder: str
    renew_time: str
    transitions: int
    duration_seconds: float
    resource_version: str

    @classmethod
    def of(cls, lease: dict[str, Any]) -> Self:
        spec = lease.get("spec") or {}
        return cls(
            holder=spec.get("holderIdentity") or "",
            renew_time=spec.get("renewTime") or "",
            transitions=int(spec.get("leaseTransitions") or 0),
            duration_seconds=float(spec.get("leaseDurationSeconds") or 0),
            resource_version=lease["metadata"]["resourceVersion"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseView:
    """A record and since when, on the monotonic clock, it has looked like this."""

    record: LeaseRecord
    unchanged_since: float

    def seen(self, record: LeaseRecord, now: float) -> Self:
        same = (record.holder, record.renew_time) == (self.record.holder, self.record.renew_time)
        return replace(self, record=record, unchanged_since=self.unchanged_since if same else now)

    def free(self, now: float, *, duration_seconds: float) -> bool:
        """Released, or not renewed for the longer of its own and our lease duration."""
        patience = max(duration_seconds, self.record.duration_seconds)
        return not self.record.holder or now - self.unchanged_since > patience


def view_of(previous: LeaseView | None, record: LeaseRecord, now: float) -> LeaseView:
    if previous is None:
        return LeaseView(record=record, unchanged_since=now)
    return previous.seen(record, now)


def micro_time(at: float) -> str:
    """Epoch seconds as Kubernetes' MicroTime, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def renewed_spec(
    *, identity: str, duration_seconds: float, at: float, acquired: str, transitions: int
) -> dict[str, Any]:
    return {
        "holderIdentity": identity,
        # The API takes whole seconds of at least one; a shorter lease (tests) is rounded up.
        "leaseDurationSeconds": max(1, round(duration_seconds)),
        "acquireTime": acquired,
        "renewTime": micro_time(at),
        "leaseTransitions": transitions,
    }


def released_spec(record: LeaseRecord, *, at: float) -> dict[str, Any]:
    """No holder: whoever looks next may lead at once."""
    return {
        "holderIdentity": "",
        "leaseDurationSeconds": 1,
        "acquireTime": micro_time(at),
        "renewTime": micro_time(at),
        "leaseTransitions": record.transitions,
    }
