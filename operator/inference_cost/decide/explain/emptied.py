"""What a removal of replicas saves: nodes are paid for, not replicas."""

from collections.abc import Sequence
from decimal import Decimal

from inference_cost.decide.explain.words import count, small_money
from inference_cost.model.plan import Plan, Removal
from inference_cost.model.reading import Missing


def emptied(plan: Plan) -> str:
    """Sentences; "" where nothing is removed, or where pods that nobody orders decide."""
    removals = [one.removal for one in plan.variants if one.removal is not None]
    return " ".join(sentence for sentence in (_saved(removals), _left_to(removals)) if sentence)


def saves_nothing(plan: Plan) -> bool:
    """Whichever pods go, no node is left empty."""
    fewer = [one for one in plan.variants if one.desired < one.current]
    return bool(fewer) and all(one.removal is not None and not one.removal.nodes for one in fewer)


def _saved(removals: Sequence[Removal]) -> str:
    if not removals:
        return ""
    if not any(one.nodes for one in removals):
        return "No node is left empty, so nothing is saved until one is."
    chosen = [one for one in removals if one.pods and one.nodes]
    if not chosen:
        return ""
    nodes = [node for one in chosen for node in one.nodes]
    named = f"node {nodes[0]}" if len(nodes) == 1 else count(len(nodes), "node")
    return f"Pods go first that leave {named} empty{_price(chosen)}."


def _price(removals: Sequence[Removal]) -> str:
    known = [one.per_hour for one in removals if not isinstance(one.per_hour, Missing)]
    if len(known) < len(removals):
        return ""
    return f" ({small_money(sum(known, Decimal(0)))} per hour)"


def _left_to(removals: Sequence[Removal]) -> str:
    who = next((one.left_to for one in removals if one.left_to), "")
    return f"Which pods go is left to {who}, who sets their deletion cost." if who else ""
