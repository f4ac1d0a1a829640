"""Builders of small worlds: nodes with a price, pods on them, policies and snapshots."""

from decimal import Decimal
from typing import Any

from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.observation import DecisionSettings, PolicyObservation, Snapshot
from inference_cost.model.plan import Action, LimitedBy, Plan, VariantPlan
from inference_cost.model.policy import (
    LatencyObjective,
    Mode,
    Policy,
    PolicyKey,
    TargetRef,
    Variant,
)
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType, Conflict, Node, Pod, Workload

NOON = 1_763_812_800.0  # 2025-11-22 12:00 UTC
UNPRICED = Missing(reason=MissingReason.PRICE_UNKNOWN, detail="pool a100 has no price")
UNREAD = Missing(reason=MissingReason.EMPTY_RESULT)
DEPLOYMENT = TargetRef(api_version="apps/v1", kind="Deployment", name="resnet")


def price(per_hour: str, currency: str = "USD") -> HourlyPrice:
    return HourlyPrice(
        per_hour=Decimal(per_hour),
        currency=currency,
        source=PriceSource.SHIPPED_TABLE,
        as_of=NOON,
        origin="aws.yaml",
    )


def node(name: str = "n1", per_hour: str | None = "4.00", **changes: Any) -> Node:
    fields: dict[str, Any] = {
        "name": name,
        "pool": "l4",
        "capacity_type": CapacityType.ON_DEMAND,
        "instance_type": "g6.xlarge",
        "zone": "a",
        "gpu_product": "L4",
        "allocatable_gpus": 1,
        "created_at": NOON,
        "ready": True,
        "price": UNPRICED if per_hour is None else price(per_hour),
    }
    return Node(**(fields | changes))


def pod(name: str = "p1", on: str = "n1", gpus: int = 1, **changes: Any) -> Pod:
    fields: dict[str, Any] = {
        "name": name,
        "uid": f"uid-{name}",
        "node": on,
        "template_hash": "abc",
        "gpus": gpus,
        "created_at": NOON,
        "ready_at": NOON,
    }
    return Pod(**(fields | changes))


def key(name: str = "resnet") -> PolicyKey:
    return PolicyKey(namespace="team-a", name=name, uid=f"uid-{name}")


def observation(
    *pods: Pod, name: str = "resnet", created_at: float = NOON, conflict: Conflict | None = None
) -> PolicyObservation:
    policy = Policy(
        key=key(name),
        generation=1,
        created_at=created_at,
        mode=Mode.RECOMMEND,
        variants=(Variant(name="default", target=DEPLOYMENT, min_replicas=1, max_replicas=9),),
        objective=LatencyObjective(threshold_seconds=0.1, target_fraction=0.99),
    )
    workload = Workload(
        target=DEPLOYMENT,
        uid="d",
        desired_replicas=len(pods),
        template_hash="abc",
        rolling_out=False,
        pods=pods,
    )
    return PolicyObservation(
        policy=policy,
        workloads=(workload,),
        signals=UNREAD,
        configurations=UNREAD,
        conflict=conflict,
    )


def snapshot(*seen: PolicyObservation, nodes: tuple[Node, ...] = (), at: float = NOON) -> Snapshot:
    return Snapshot(
        at=at,
        observations=seen,
        nodes={n.name: n for n in nodes},
        settings=DecisionSettings(tick_seconds=15),
    )


def plan(desired: int, name: str = "resnet") -> Plan:
    variant = VariantPlan(
        variant="default", target=DEPLOYMENT, current=1, ready=1, needed=desired, desired=desired
    )
    return Plan(
        policy=key(name),
        mode=Mode.RECOMMEND,
        at=NOON,
        action=Action.HOLD,
        variants=(variant,),
        limited_by=LimitedBy.NOTHING,
        reasons=(),
        demand=UNREAD,
        profile=UNREAD,
        prediction=UNREAD,
        one_fewer=UNREAD,
        attainment=UNREAD,
        gpu_utilization=UNREAD,
    )
