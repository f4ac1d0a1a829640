"""A policy's last decision as a person would tell it, from the object's status alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inference_cost.api.conditions import ConditionType
from inference_cost.cli.targets import targets_of

NOT_YET = (
    "The operator has not looked at this policy yet. Is it running? See "
    "`kubectl get pods -A -l app.kubernetes.io/name=inference-cost-operator`."
)
CHANGED = "The spec has changed since: this is the decision on the spec before."

# Conditions whose "good" status is False; every other one is good when True.
_GOOD_WHEN_FALSE = (
    ConditionType.SCALING_LIMITED,
    ConditionType.TRAFFIC_UNEVEN,
    ConditionType.CONFLICTED,
)
# Not known is ordinary: of a single pod there is nothing to compare.
_OFTEN_UNKNOWN = (ConditionType.TRAFFIC_UNEVEN,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """A condition that a person should know of."""

    condition: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Sentences, "" where nothing is to say."""

    namespace: str
    name: str
    target: str
    mode: str
    time: str
    note: str
    seen: str
    expected: str
    chosen: str
    why_not_fewer: str
    limited: str
    room: str
    found: str
    starts: str
    cost: str
    slo: str
    slo_violated: bool
    attention: tuple[Attention, ...]


def explanation_of(policy: Mapping[str, Any]) -> Explanation:
    metadata, spec, status = policy["metadata"], policy["spec"], policy.get("status") or {}
    decision = status.get("decision") or {}
    told = _told(decision.get("message") or "")
    return Explanation(
        namespace=metadata["namespace"],
        name=metadata["name"],
        target=targets_of(spec),
        mode=spec.get("mode", "Recommend"),
        time=decision.get("time", ""),
        note=_note(metadata, status),
        seen=told["seen"],
        expected=told["expected"],
        chosen=told["chosen"],
        why_not_fewer=decision.get("whyNotFewer", ""),
        limited=_limited(told["limited"], decision.get("limitedBy", "")),
        room=told["room"],
        found=told["found"],
        starts=told["starts"],
        cost=" ".join(s for s in (_cost(status), told["unpriced"]) if s),
        slo=_slo(status),
        slo_violated=_condition(status, ConditionType.SLO_MET).get("status") == "False",
        attention=tuple(_attention(status)),
    )


def _told(message: str) -> dict[str, str]:
    """The lines of a decision's message by what they speak of."""
    told = dict.fromkeys(
        ("seen", "expected", "chosen", "limited", "room", "found", "starts", "unpriced"), ""
    )
    prefixes = {
        "Seen: ": "seen",
        "Expected: ": "expected",
        "Room: ": "room",
        "Found: ": "found",
        "Starts: ": "starts",
        "Price unknown: ": "unpriced",
    }
    for line in message.splitlines():
        prefix = next((p for p in prefixes if line.startswith(p)), None)
        if prefix == "Price unknown: ":
            told["unpriced"] = line
        elif prefix is not None:
            told[prefixes[prefix]] = _capitalized(line.removeprefix(prefix))
        elif not told["chosen"]:
            told["chosen"] = line
        else:
            told["limited"] = f"{told['limited']} {line}".strip()
    return told


def _capitalized(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _note(metadata: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    if not status.get("conditions"):
        return NOT_YET
    if status.get("observedGeneration", 0) < metadata.get("generation", 0):
        return CHANGED
    return ""


def _limited(sentences: str, limited_by: str) -> str:
    if not limited_by:
        return sentences
    return f"{limited_by}: {sentences}" if sentences else f"{limited_by}."


def _cost(status: Mapping[str, Any]) -> str:
    cost = status.get("cost")
    if not cost:
        return ""
    currency = cost["currency"]
    parts = [_rate(status, cost, currency)]
    if cost.get("monthToDate"):
        since, coverage = cost.get("monthToDateSince", ""), cost.get("coveragePercent", "")
        parts.append(
            f"{cost['monthToDate']} {currency} this month since {since} "
            f"({coverage} % of the time is known)."
        )
    if cost.get("priceSource"):
        parts.append(f"Prices: {cost['priceSource']}, as of {cost.get('priceTime', '?')[:10]}.")
    return " ".join(p for p in parts if p)


def _rate(status: Mapping[str, Any], cost: Mapping[str, Any], currency: str) -> str:
    if not cost.get("perHour"):
        return ""
    decision = status.get("decision") or {}
    then = decision.get("costPerHour")
    now = f"{cost['perHour']} {currency} per hour now"
    if then is None or then == cost["perHour"]:
        return f"{now}."
    return f"{now}, {then} with {decision['desiredReplicas']} replicas."


def _slo(status: Mapping[str, Any]) -> str:
    met = _condition(status, ConditionType.SLO_MET)
    if not met:
        return ""
    state = (status.get("slo") or {}).get("state") or met["reason"]
    return f"{state}. {met.get('message', '')}".strip()


def _attention(status: Mapping[str, Any]) -> list[Attention]:
    """What is not as it should be; the objective and the limits have lines of their own."""
    shown = set(ConditionType) - {ConditionType.SLO_MET, ConditionType.SCALING_LIMITED}
    return [
        Attention(
            condition=c["type"],
            status=c["status"],
            reason=c["reason"],
            message=c.get("message", ""),
        )
        for c in status.get("conditions") or ()
        if c["type"] in shown and not _as_it_should_be(c["type"], c["status"])
    ]


def _as_it_should_be(condition: str, status: str) -> bool:
    ordinary = status == "Unknown" and condition in _OFTEN_UNKNOWN
    return ordinary or status == _good(condition)


def _good(condition: str) -> str:
    return "False" if condition in _GOOD_WHEN_FALSE else "True"


def _condition(status: Mapping[str, Any], kind: ConditionType) -> Mapping[str, Any]:
    return next((c for c in status.get("conditions") or () if c["type"] == kind), {})
