"""Objects that are right or wrong in shape: types, unknown fields, nulls, what defaults fill in."""

from dataclasses import dataclass
from typing import Any, Final

from tests.integration.api import policy_table, pool_table
from tests.integration.api.cases import REMOVED, Changes, changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`base` with `changes`; refused where `says` is not empty (words of the API server)."""

    changes: Changes
    says: str = ""
    base: dict[str, Any]

    @property
    def object(self) -> dict[str, Any]:
        return changed(self.base, self.changes)


def _policy(changes: Changes, says: str = "") -> Shape:
    return Shape(base=policy_table.BASE, changes=changes, says=says)


SHAPES: Final[dict[str, Shape]] = {
    "the smallest policy": Shape(base=policy_table.SMALLEST, changes={}),
    "a number given as a string": _policy({"spec.maxReplicas": "10"}, "must be of type integer"),
    "a fraction of a replica": _policy({"spec.maxReplicas": 10.5}, "must be of type integer"),
    "a truth value for a number": _policy({"spec.maxReplicas": True}, "must be of type"),
    "a percentage given as a number": _policy(
        {"spec.slo.latency.target": 99.0}, "must be of type string"
    ),
    "a misspelled field": _policy({"spec.maxReplica": 10}, 'unknown field "spec.maxReplica"'),
    "a field of a later version": _policy(
        {"spec.slo.window": "28d"}, 'unknown field "spec.slo.window"'
    ),
    "a list for an object": _policy({"spec.slo": []}, "must be of type object"),
    "one value for a list": _policy({"spec.serving.models": "bert"}, "must be of type array"),
    "null where a default exists": _policy({"spec.mode": None, "spec.serving": None}),
    "null for an optional field": _policy({"spec.fallback": None}),
    "null for a required field": _policy({"spec.maxReplicas": None}, "Required value"),
    "a negative price": Shape(
        base=pool_table.BASE, changes={pool_table.PRICE: "-1"}, says="should match"
    ),
    "a price given as a number": Shape(
        base=pool_table.BASE, changes={pool_table.PRICE: 0.526}, says="must be of type string"
    ),
    "a pool without prices": Shape(base=pool_table.BASE, changes={"spec.offerings": REMOVED}),
    "an offering without a zone": Shape(
        base=pool_table.BASE, changes={"spec.offerings[0].zone": REMOVED}
    ),
    "a checkpoint without data": Shape(
        base=pool_table.CHECKPOINT_BASE, changes={"data": {}}, says="Required value"
    ),
}
