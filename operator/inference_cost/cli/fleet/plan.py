"""What Enforce would change now: the replicas of each workload, as a diff, with reason and price."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from inference_cost.api.conditions import ConditionType
from inference_cost.cli.fleet.summary import PAUSED, is_paused
from inference_cost.cli.targets import target_name, targets_of

RED, GREEN, PLAIN = "\033[31m", "\033[32m", "\033[0m"
NOTHING: Final = "Nothing would be changed."
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Of one workload. `replicas` or `desired` are None where nothing is decided yet."""

    target: str
    replicas: int | None
    desired: int | None

    @property
    def changes(self) -> bool:
        return self.desired is not None and self.desired != self.replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Of one policy. `written`: whether the operator does it by itself now; else `blocked` says why not."""

    namespace: str
    name: str
    mode: str
    changes: tuple[Change, ...]
    cost_per_hour: str
    desired_cost_per_hour: str
    saves_per_hour: str
    currency: str
    limited_by: str
    reason: str
    blocked: tuple[str, ...]
    time: str

    @property
    def changed(self) -> bool:
        return any(one.changes for one in self.changes)

    def to_json(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "name": self.name,
            "mode": self.mode,
            "changed": self.changed,
            "changes": [asdict(one) for one in self.changes],
            "costPerHour": self.cost_per_hour,
            "desiredCostPerHour": self.desired_cost_per_hour,
            "savesPerHour": self.saves_per_hour,
            "currency": self.currency,
            "limitedBy": self.limited_by,
            "reason": self.reason,
            "blocked": list(self.blocked),
            "time": self.time,
        }


def plan_of(policy: Mapping[str, Any]) -> Plan:
    metadata, spec, status = policy["metadata"], policy["spec"], policy.get("status") or {}
    cost, decision = status.get("cost") or {}, status.get("decision") or {}
    return Plan(
        namespace=metadata["namespace"],
        name=metadata["name"],
        mode=spec.get("mode", "Recommend"),
        changes=tuple(_changes(spec, status)),
        cost_per_hour=str(cost.get("perHour") or ""),
        desired_cost_per_hour=str(decision.get("costPerHour") or ""),
        saves_per_hour=str(decision.get("savesPerHour") or ""),
        currency=str(cost.get("currency") or ""),
        limited_by=str(decision.get("limitedBy") or ""),
        reason=_reason(decision),
        blocked=tuple(_blocked(metadata, spec, status)),
        time=str(decision.get("time") or ""),
    )


def _changes(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Change]:
    variants = {one["name"]: one for one in spec.get("variants") or ()}
    told = {one["name"]: one for one in status.get("variants") or ()}
    if not variants:
        replicas = status.get("replicas") or {}
        yield Change(
            target=targets_of(spec),
            replicas=replicas.get("current"),
            desired=replicas.get("desired"),
        )
    for name, variant in variants.items():
        seen = told.get(name, {})
        yield Change(
            target=target_name(variant["scaleTargetRef"]),
            replicas=seen.get("current"),
            desired=seen.get("desired"),
        )


def _reason(decision: Mapping[str, Any]) -> str:
    """What was seen and expected, in its first words."""
    lines = str(decision.get("message") or "").splitlines()
    return " ".join(line for line in lines if line.startswith(("Seen: ", "Expected: ")))


def _blocked(
    metadata: Mapping[str, Any], spec: Mapping[str, Any], status: Mapping[str, Any]
) -> Iterator[str]:
    """Why it is not done, what to do first in front."""
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    if not conditions:
        yield "the operator has not looked at it yet"
        return
    if status.get("observedGeneration", 0) < metadata.get("generation", 0):
        yield "the spec has changed since: this is the decision on the spec before"
    for kind, bad in (
        (ConditionType.ACCEPTED, "False"),
        (ConditionType.READY, "False"),
        (ConditionType.CONFLICTED, "True"),
    ):
        found = conditions.get(kind)
        if found and found["status"] == bad:
            yield f"{kind}={bad} ({found['reason']}): {found.get('message', '')}"
    if is_paused(metadata) or conditions.get(ConditionType.READY, {}).get("reason") == PAUSED:
        yield "it is paused: `kubectl inference-cost resume`"
    if spec.get("mode", "Recommend") != "Enforce":
        yield "spec.mode is Recommend: set it to Enforce"


def to_diff(plans: Sequence[Plan], *, color: bool) -> str:
    """As a unified diff of what is in the cluster, and a summary."""
    shown = [_diff(one, color=color) for one in plans if one.changed]
    undecided = [
        f"{p.namespace}/{p.name}" for p in plans if all(c.desired is None for c in p.changes)
    ]
    parts = shown or [NOTHING]
    if undecided:
        parts.append(f"Nothing is decided yet for {', '.join(undecided)}.")
    return "\n\n".join(parts)


def _diff(plan: Plan, *, color: bool) -> str:
    lines = []
    for one in plan.changes:
        if one.changes:
            lines += [
                f"--- {plan.namespace}/{one.target}",
                f"+++ {plan.namespace}/{one.target}  (InferenceCostPolicy/{plan.name}, {plan.mode})",
                _colored(f"-  replicas: {_count(one.replicas)}", RED, color=color),
                _colored(f"+  replicas: {_count(one.desired)}", GREEN, color=color),
            ]
    return "\n".join([*lines, *(f"   {line}" for line in _remarks(plan))])


def _remarks(plan: Plan) -> Iterator[str]:
    if plan.cost_per_hour or plan.desired_cost_per_hour:
        before, after = plan.cost_per_hour or UNKNOWN, plan.desired_cost_per_hour or UNKNOWN
        yield f"cost: {before} -> {after} {plan.currency} per hour"
    if plan.saves_per_hour:
        yield _saving(plan.saves_per_hour, plan.currency)
    if plan.reason:
        yield plan.reason
    if plan.limited_by:
        yield f"limited by {plan.limited_by}"
    for reason in plan.blocked:
        yield f"not done: {reason}"
    if not plan.blocked:
        yield "the operator does this by itself now"


def _saving(per_hour: str, currency: str) -> str:
    """Shares of nodes that stay save nothing, whatever replicas cost."""
    amount = Decimal(per_hour)
    if amount == 0:
        return "saves nothing: no node empties, none is bought"
    if amount < 0:
        return f"nodes to be bought: {per_hour.removeprefix('-')} {currency} per hour"
    return f"saves {per_hour} {currency} per hour, when the nodes that empty are removed"


def _count(replicas: int | None) -> str:
    return UNKNOWN if replicas is None else str(replicas)


def _colored(line: str, code: str, *, color: bool) -> str:
    return f"{code}{line}{PLAIN}" if color else line
