"""Lays what we know of our own writes over a snapshot, so that it is never older than our last write."""

from dataclasses import replace

from inference_cost.act.expectations import Expectations
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.policy import TargetRef
from inference_cost.model.workload import Conflict, ConflictKind, NoWorkload, Workload


def overlay(
    snapshot: Snapshot, expectations: Expectations, managers: dict[str, str], *, now: float
) -> Snapshot:
    """The snapshot with replicas as written by us, and with a conflict where someone keeps undoing them.

    `managers`: by target uid, the field manager that undid our last write. `now`: seconds of the monotonic clock.
    """
    seen = tuple(_one(o, expectations, managers, now) for o in snapshot.observations)
    return replace(snapshot, observations=seen)


def _one(
    seen: PolicyObservation, expectations: Expectations, managers: dict[str, str], now: float
) -> PolicyObservation:
    workloads = tuple(_as_written(w, expectations, now) for w in seen.workloads)
    conflict = seen.conflict or _fight(seen, expectations, managers, now)
    if workloads == seen.workloads and conflict == seen.conflict:
        return seen
    return replace(seen, workloads=workloads, conflict=conflict)


def _as_written(
    workload: Workload | NoWorkload, expectations: Expectations, now: float
) -> Workload | NoWorkload:
    if isinstance(workload, NoWorkload):
        return workload
    expectations.see(workload.uid, workload.desired_replicas, at=now)
    pending = expectations.pending(workload.uid, at=now)
    return workload if pending is None else replace(workload, desired_replicas=pending)


def _fight(
    seen: PolicyObservation, expectations: Expectations, managers: dict[str, str], now: float
) -> Conflict | None:
    for workload in seen.workloads:
        if isinstance(workload, Workload) and expectations.fought_over(workload.uid, at=now):
            return reverted_conflict(workload.target, managers.get(workload.uid, ""))
    return None


def reverted_conflict(target: TargetRef, manager: str) -> Conflict:
    name = manager or "another field manager"
    return Conflict(
        kind=ConflictKind.REVERTED,
        other=name,
        message=(
            f"{name} changed `spec.replicas` of {target} back three times within ten minutes. "
            "Leave `replicas` out of its manifest, or make it ignore `/spec/replicas`."
        ),
    )
