"""Policies as the API server returns them, for lists and plans."""

from typing import Any

Object = dict[str, Any]


def policy(name: str, *, namespace: str = "team-a", **changes: Any) -> Object:
    """In Recommend, which would go from four replicas to three."""
    given: dict[str, Any] = {
        "mode": "Recommend",
        "current": 4,
        "desired": 3,
        "slo": "Met",
        "per_hour": "3.22",
        "desired_per_hour": "2.41",
        "saves_per_hour": "0.805",
        "limited_by": "",
        "conditions": {},
        "annotations": {},
        "variants": (),
        "observed": 1,
    } | changes
    spec: Object = {"mode": given["mode"]}
    if not given["variants"]:
        spec["scaleTargetRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    else:
        spec["variants"] = [
            {"name": one["name"], "scaleTargetRef": {"name": f"{name}-{one['name']}"}}
            for one in given["variants"]
        ]
    return {
        "apiVersion": "inferencecost.dev/v1alpha1",
        "kind": "InferenceCostPolicy",
        "metadata": {
            "namespace": namespace,
            "name": name,
            "generation": 1,
            "annotations": given["annotations"],
        },
        "spec": spec,
        "status": _status(given),
    }


def _status(given: dict[str, Any]) -> Object:
    conditions = {"Ready": ("True", "Ready"), "SLOMet": ("True", "Met")} | given["conditions"]
    status: Object = {
        "observedGeneration": given["observed"],
        "conditions": [
            {"type": kind, "status": one[0], "reason": one[1], "message": " ".join(one[2:])}
            for kind, one in conditions.items()
        ],
        "replicas": {
            "current": given["current"],
            "ready": given["current"],
            "desired": given["desired"],
        },
        "demand": {"requestsPerSecond": "120.4", "forecastRequestsPerSecond": "150"},
        "slo": {"state": given["slo"], "measuredAt": "Gateway", "attainmentPercent": "99.4"},
        "cost": {"currency": "USD", "monthToDate": "310.25"},
        "variants": list(given["variants"]),
        "decision": {
            "time": "2026-01-31T12:00:00Z",
            "desiredReplicas": given["desired"],
            "message": "Seen: 120 requests/s.\nExpected: up to 150 requests/s.\nWould go to 3.",
        },
    }
    if given["per_hour"]:
        status["cost"]["perHour"] = given["per_hour"]
    if given["desired_per_hour"]:
        status["decision"]["costPerHour"] = given["desired_per_hour"]
    if given["saves_per_hour"]:
        status["decision"]["savesPerHour"] = given["saves_per_hour"]
    if given["limited_by"]:
        status["decision"]["limitedBy"] = given["limited_by"]
    return status


def unseen(name: str) -> Object:
    made = policy(name)
    del made["status"]
    return made
