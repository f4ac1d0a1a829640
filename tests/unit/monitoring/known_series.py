"""What a PromQL expression asks for, held against what the operator exports."""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import promql_parser as promql
import yaml

from inference_cost.account.ledger.lines import Kind
from inference_cost.act.scale import ScaleOutcome
from inference_cost.api.conditions import ConditionStatus, ConditionType
from inference_cost.api.pool_status import PoolConditionType
from inference_cost.control.metrics import Metrics
from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import Mode

RULES: Final = Path("charts/inference-cost-operator/rules/inference-cost.rules.yaml")
# Put there by whoever scrapes; not by the operator.
TARGET_LABELS: Final = frozenset({"cluster", "instance", "job", "namespace", "node", "pod"})
POLICY_LABELS: Final = frozenset({"namespace", "policy", "currency"})
VALUES: Final[dict[str, tuple[type[StrEnum], ...]]] = {
    "type": (ConditionType, PoolConditionType),
    "status": (ConditionStatus,),
    "outcome": (ScaleOutcome,),
    "mode": (Mode,),
    "limited_by": (LimitedBy,),
    "line": (Kind,),
}


@cache
def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@cache
def exported() -> dict[str, frozenset[str]]:
    """Labels by name of a series."""
    found: dict[str, frozenset[str]] = {}
    for one in Metrics(version="").descriptions:
        labels = frozenset(one.labels)
        if one.type == "histogram":
            found |= {f"{one.name}_{part}": labels for part in ("sum", "count")}
            found[f"{one.name}_bucket"] = labels | {"le"}
        else:
            found[one.name] = labels
    return found


@cache
def recorded() -> dict[str, frozenset[str]]:
    """With the labels of what they are made of, where that is one series of the operator."""
    names = [rule["record"] for rule in rules() if "record" in rule]
    return {name: exported().get(name.replace(":", "_", 1), POLICY_LABELS) for name in names}


def faults(expression: str) -> list[str]:
    """Names, labels and values in it that do not exist, in words."""
    known = exported() | recorded()
    labels: set[str] = set(TARGET_LABELS)
    found: list[str] = []
    for selector in selectors(expression):
        if selector.name not in known:
            found.append(f"no series {selector.name}")
            continue
        own = known[selector.name] | TARGET_LABELS
        labels |= own
        found += _wrong_matchers(selector, own)
    found += [f"no label {name}" for name in _grouped(expression) if name not in labels]
    return found


def selectors(expression: str) -> list[Any]:
    found: list[Any] = []

    def visit(node: Any) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(promql.parse(expression), visit)
    return found


def _wrong_matchers(selector: Any, labels: frozenset[str]) -> Iterator[str]:
    for matcher in selector.matchers.matchers:
        if matcher.name not in labels:
            yield f"no label {matcher.name} on {selector.name}"
        kinds = VALUES.get(matcher.name, ())
        values = {value.value for kind in kinds for value in kind}
        if kinds and re.fullmatch(r"\w+", matcher.value) and matcher.value not in values:
            yield f"no value {matcher.value} of {matcher.name}"


def _grouped(expression: str) -> Iterator[str]:
    lists = re.findall(
        r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)", expression
    )
    for names in lists:
        yield from (name.strip() for name in names.split(",") if name.strip())
