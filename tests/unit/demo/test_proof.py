"""Who wrote /scale, from the audit log: only successful writes to this fleet count, and strangers are named."""

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.demo.proof import ProofError, operator_made_each_write, scale_writes
from e2e.demo.watch import Fleet

FLEET = Fleet(name="sleepy", namespace="serving")
OPERATOR = "system:serviceaccount:inference-cost:operator"


def event(**changes: Any) -> dict[str, Any]:
    target = {"name": "sleepy", "namespace": "serving", "subresource": "scale"}
    return {
        "stage": "ResponseComplete",
        "verb": "patch",
        "user": {"username": OPERATOR},
        "requestReceivedTimestamp": "2026-01-01T00:00:00Z",
        "objectRef": target | changes.pop("target", {}),
        "responseStatus": {"code": 200},
        **changes,
    }


def log(folder: Path, *events: dict[str, Any]) -> Path:
    path = folder / "audit.log"
    path.write_text("".join(json.dumps(e) + "\n" for e in events))
    return path


NOT_COUNTED = {
    "a read": event(verb="get"),
    "a refused write": event(responseStatus={"code": 409}),
    "the start of a request": event(stage="RequestReceived"),
    "another fleet": event(target={"name": "other"}),
    "another namespace": event(target={"namespace": "other"}),
    "the object itself": event(target={"subresource": None}),
}


@pytest.mark.parametrize("other", NOT_COUNTED.values(), ids=NOT_COUNTED)
def test_only_successful_writes_of_this_fleet_count(tmp_path: Path, other: dict[str, Any]) -> None:
    assert len(scale_writes(log(tmp_path, event(), other), FLEET)) == 1


def test_a_stranger_is_named(tmp_path: Path) -> None:
    stranger = event(user={"username": "somebody"})
    writes = scale_writes(log(tmp_path, event(), stranger), FLEET)
    with pytest.raises(ProofError, match="somebody"):
        operator_made_each_write(writes, "inference-cost", "operator")


def test_no_write_at_all_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ProofError, match="no /scale write"):
        operator_made_each_write(scale_writes(log(tmp_path), FLEET), "inference-cost", "operator")
