"""Small worlds for the writers: one policy, its target, a plan."""

from typing import Any

from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Action, LimitedBy, Plan, VariantPlan
from inference_cost.model.policy import (
    LatencyObjective,
    Mode,
    Pause,
    Policy,
    PolicyKey,
    TargetRef,
    Variant,
)
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Conflict, Workload

NOW = 1_763_812_800.0
KEY = PolicyKey(namespace="team-a", name="resnet", uid="policy-1")
TARGET = TargetRef(api_version="apps/v1", kind="Deployment", name="resnet")
UID = "deployment-1"
UNREAD = Missing(reason=MissingReason.EMPTY_RESULT)


def policy(key: PolicyKey = KEY, *, pause: Pause | None = None) -> Policy:
    return Policy(
        key=key,
        generation=1,
        created_at=NOW,
        mode=Mode.ENFORCE,
        variants=(Variant(name="resnet", target=TARGET, min_replicas=2, max_replicas=10),),
        objective=LatencyObjective(threshold_seconds=0.1, target_fraction=0.99),
        pause=pause,
    )


def workload(replicas: int = 3) -> Workload:
    return Workload(
        target=TARGET,
        uid=UID,
        desired_replicas=replicas,
        template_hash="abc",
        rolling_out=False,
        pods=(),
    )


def observation(
    *,
    key: PolicyKey = KEY,
    replicas: int = 3,
    conflict: Conflict | None = None,
    pause: Pause | None = None,
) -> PolicyObservation:
    return PolicyObservation(
        policy=policy(key, pause=pause),
        workloads=(workload(replicas),),
        signals=UNREAD,
        configurations=UNREAD,
        conflict=conflict,
    )


def snapshot(*seen: PolicyObservation, enforce_enabled: bool = True) -> Snapshot:
    return Snapshot(at=NOW, observations=seen, enforce_enabled=enforce_enabled)


def plan(*, key: PolicyKey = KEY, current: int = 3, desired: int = 5, **changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "policy": key,
        "mode": Mode.ENFORCE,
        "at": NOW,
        "action": Action.SCALE_OUT if desired > current else Action.HOLD,
        "variants": (
            VariantPlan(
                variant="resnet",
                target=TARGET,
                current=current,
                ready=current,
                needed=desired,
                desired=desired,
            ),
        ),
        "limited_by": LimitedBy.NOTHING,
        "reasons": (),
        "demand": UNREAD,
        "profile": UNREAD,
        "prediction": UNREAD,
        "one_fewer": UNREAD,
        "attainment": UNREAD,
        "gpu_utilization": UNREAD,
        "write": desired != current,
    }
    return Plan(**(fields | changes))
