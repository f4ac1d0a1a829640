"""Policies as the API server would return them, their status rendered by the operator's own code."""

from typing import Any

from inference_cost.act.status import render_refused, render_status
from inference_cost.model.observation import PolicyObservation, PolicyRefusal
from inference_cost.model.plan import Plan
from tests.unit.account.worlds import NOON, key
from tests.unit.act_status.views import cost, plan, seen


def policy(status: dict[str, Any] | None, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "inferencecost.dev/v1alpha1",
        "kind": "InferenceCostPolicy",
        "metadata": {"namespace": "team-a", "name": "resnet", "generation": 1} | metadata,
        "spec": {
            "mode": "Recommend",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "resnet"},
        },
        "status": status,
    }


def decided(
    decision: Plan | None = None,
    observed: PolicyObservation | None = None,
    price: str | None = "4.00",
) -> dict[str, Any]:
    status = render_status(observed or seen(), decision or plan(), cost(price), at=NOON)
    return policy(status)


def refused() -> dict[str, Any]:
    refusal = PolicyRefusal(
        key=key(), generation=1, field="spec.minReplicas", message="must be at most `maxReplicas`"
    )
    return policy(render_refused(refusal, at=NOON))
