"""Accepted and rejected statuses, written through the status subresource."""

from typing import Any, Final

from inference_cost.api.fields import JSON_INTEGER_LIMIT
from tests.integration.api import policy_table, pool_table
from tests.integration.api.cases import (
    PHRASES,
    Case,
    Cases,
    at_most,
    date_time,
    decimal,
    needs,
    one_of,
    percent,
    prose,
    text,
    unique,
    within,
)
from tests.integration.api.constraints import Constraint

TIME: Final = "2026-01-31T08:00:00Z"
COUNT: Final = 1_000_000


def _condition(kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": "True",
        "reason": "Accepted",
        "message": "The spec is valid.",
        "observedGeneration": 1,
        "lastTransitionTime": TIME,
    }


PLACEMENT: Final = {
    "variant": "resnet",
    "pool": "t4",
    "replicas": 3,
    "nodes": 3,
    "perHour": "1.578",
}
VARIANT: Final = {
    "name": "spot",
    "current": 3,
    "ready": 3,
    "desired": 4,
    "perReplicaHour": "0.30",
    "lossesPerHour": "0.25",
    "awayUntil": TIME,
}
POLICY: Final[dict[str, Any]] = {
    **policy_table.BASE,
    "status": {
        "observedGeneration": 1,
        "conditions": [_condition("Ready"), _condition("Accepted")],
        "target": "resnet",
        "replicas": {"current": 3, "ready": 3, "desired": 4},
        "variants": [VARIANT],
        "demand": {
            "requestsPerSecond": "123.4",
            "forecastRequestsPerSecond": "150",
            "backlogRequests": 7,
        },
        "profile": {
            "alphaMicroseconds": 40_000,
            "betaMicroseconds": 5_000,
            "maxBatchSize": 8,
            "requestsPerSecondPerReplica": "80.5",
            "source": "Counters",
            "errorPercent": "3.2",
            "calibrationPercent": 104,
            "templateHash": "7d9f8c6b5",
        },
        "slo": {
            "state": "Met",
            "measuredAt": "Gateway",
            "attainmentPercent": "99.4",
            "predictedMilliseconds": 88,
        },
        "cost": {
            "currency": "USD",
            "perHour": "1.578",
            "monthToDate": "410.22",
            "monthToDateSince": TIME,
            "coveragePercent": "100",
            "priceSource": "ShippedTable",
            "priceTime": TIME,
        },
        "gpuUtilization": {"percent": 61},
        "decision": {
            "time": TIME,
            "action": "ScaleOut",
            "desiredReplicas": 4,
            "limitedBy": "MaxReplicas",
            "message": "The load grows.",
            "whyNotFewer": "Three would miss the objective.",
            "costPerHour": "2.104",
        },
        "placement": [PLACEMENT],
    },
}


def _conditions(limit: int) -> Cases:
    at = "status.conditions"
    return {
        **at_most(at, [_condition(f"Type{n}") for n in range(limit + 1)]),
        **unique(at, [_condition("A"), _condition("B")], [_condition("A"), _condition("A")]),
        **needs(f"{at}[0]", "type", "status", "reason", "lastTransitionTime"),
        **text(f"{at}[0].type", "SLOMet", longest="T" * 63, malformed="slo met"),
        **one_of(f"{at}[0].status", "True", "False", "Unknown", but_not="true"),
        **text(f"{at}[0].reason", "NotMeasured", longest="R" * 63, malformed="not-measured"),
        **prose(f"{at}[0].message", 1024),
        **within(f"{at}[0].observedGeneration", 0, JSON_INTEGER_LIMIT),
        **date_time(f"{at}[0].lastTransitionTime"),
    }


POOL: Final[dict[str, Any]] = {
    **pool_table.BASE,
    "status": {
        "observedGeneration": 1,
        "conditions": [_condition("Available"), _condition("PriceKnown")],
        "nodes": 3,
        "pods": 3,
        "perNodeHour": "0.526",
        "priceSource": "CapacityPool",
        "priceTime": TIME,
        "lossesPerHour": "0.25",
        "awayUntil": TIME,
        "leadTime": {"starts": 20, "p50Seconds": 90, "p95Seconds": 180},
    },
}
_SOURCES: Final = (
    *("CapacityPool", "NodeOverlay", "Karpenter", "OpenCost", "ShippedTable", "Mixed"),
)
POOL_CASES: Final[Cases] = {
    **within("status.observedGeneration", 0, JSON_INTEGER_LIMIT),
    **_conditions(16),
    **within("status.nodes", 0, COUNT),
    **within("status.pods", 0, COUNT),
    **decimal("status.perNodeHour"),
    **one_of("status.priceSource", *_SOURCES, but_not="Rumor"),
    **date_time("status.priceTime"),
    **decimal("status.lossesPerHour"),
    **date_time("status.awayUntil"),
    **needs("status.leadTime", "starts", "p50Seconds", "p95Seconds"),
    **within("status.leadTime.starts", 1, COUNT),
    **within("status.leadTime.p50Seconds", 0, 86_400),
    **within("status.leadTime.p95Seconds", 0, 86_400),
}
POLICY_CASES: Final[Cases] = {
    **within("status.observedGeneration", 0, JSON_INTEGER_LIMIT),
    **_conditions(16),
    **prose("status.target", 512),
    **at_most("status.variants", [{**VARIANT, "name": f"v{n}"} for n in range(9)]),
    **unique("status.variants", [VARIANT], [VARIANT, {**VARIANT, "current": 1}]),
    **needs("status.variants[0]", "name", "current", "ready", "desired"),
    **text("status.variants[0].name", "spot", longest="v" * 253, malformed="Spot"),
    **within("status.variants[0].current", 0, COUNT),
    **within("status.variants[0].ready", 0, COUNT),
    **within("status.variants[0].desired", 0, COUNT),
    **decimal("status.variants[0].perReplicaHour"),
    **decimal("status.variants[0].lossesPerHour"),
    **date_time("status.variants[0].awayUntil"),
    **needs("status.replicas", "current", "ready", "desired"),
    **within("status.replicas.current", 0, COUNT),
    **within("status.replicas.ready", 0, COUNT),
    **within("status.replicas.desired", 0, COUNT),
    **needs("status.demand", "requestsPerSecond"),
    **decimal("status.demand.requestsPerSecond"),
    **decimal("status.demand.forecastRequestsPerSecond"),
    **within("status.demand.backlogRequests", 0, JSON_INTEGER_LIMIT),
    **needs(
        "status.profile", "alphaMicroseconds", "betaMicroseconds", "maxBatchSize",
        "requestsPerSecondPerReplica", "source", "errorPercent", "templateHash",
    ),
    **within("status.profile.alphaMicroseconds", 0, 3_600_000_000),
    **within("status.profile.betaMicroseconds", 0, 3_600_000_000),
    **within("status.profile.maxBatchSize", 1, COUNT),
    **decimal("status.profile.requestsPerSecondPerReplica"),
    **one_of(
        "status.profile.source", "BatchStatistics", "Counters", "Checkpoint", "LargestSeen",
        but_not="Guess",
    ),
    **percent("status.profile.errorPercent"),
    **within("status.profile.calibrationPercent", 1, 1000),
    **text("status.profile.templateHash", "7d9f8c6b5", longest="h" * 63, malformed="a/b"),
    **needs("status.slo", "state", "measuredAt"),
    **one_of("status.slo.state", "Met", "AtRisk", "Violated", "Unknown", but_not="Good"),
    **one_of("status.slo.measuredAt", "Gateway", "Server", "Predicted", but_not="Client"),
    **percent("status.slo.attainmentPercent"),
    **within("status.slo.predictedMilliseconds", 0, 86_400_000),
    **needs("status.cost", "currency"),
    **text("status.cost.currency", "EUR", longest="USD", malformed="usd", may_be_empty=True),
    **decimal("status.cost.perHour"),
    **decimal("status.cost.monthToDate"),
    **date_time("status.cost.monthToDateSince"),
    **percent("status.cost.coveragePercent"),
    **one_of(
        "status.cost.priceSource",
        *_SOURCES,
        but_not="Rumor",
    ),
    **date_time("status.cost.priceTime"),
    **within("status.gpuUtilization.percent", 0, 100),
    **text("status.gpuUtilization.reason", "NotExported", longest="R" * 63, malformed="no gpu"),
    **needs("status.decision", "time", "action", "desiredReplicas"),
    **date_time("status.decision.time"),
    **one_of("status.decision.action", "ScaleOut", "ScaleIn", "Hold", but_not="ScaleUp"),
    **within("status.decision.desiredReplicas", 0, COUNT),
    **text("status.decision.limitedBy", "Rollout", longest="L" * 63, malformed="roll out"),
    **prose("status.decision.message", 1024),
    **prose("status.decision.whyNotFewer", 1024),
    **decimal("status.decision.costPerHour"),
    **at_most("status.placement", [PLACEMENT] * 9),
    **needs("status.placement[0]", "variant", "pool", "replicas", "nodes"),
    **text("status.placement[0].variant", "resnet", longest="v" * 253, malformed="Resnet"),
    **prose("status.placement[0].pool", 253),
    "the pool of a placement must not be empty": Case(
        constraint=Constraint(path="status.placement[].pool", keyword="minLength"),
        accepted=({"status.placement[0].pool": "p"},),
        rejected={"status.placement[0].pool": ""},
        says=PHRASES["minLength"],
    ),
    **within("status.placement[0].replicas", 0, COUNT),
    **within("status.placement[0].nodes", 0, COUNT),
    **decimal("status.placement[0].perHour"),
}  # fmt: skip
