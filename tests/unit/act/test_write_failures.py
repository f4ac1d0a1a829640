"""A failed write is told as what it is, with what to do about it."""

import pytest

from inference_cost.act.errors import (
    FencedOffError,
    KubeError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnauthenticatedError,
    UnreachableError,
)
from inference_cost.act.write_failures import not_ready

TOLD: dict[str, tuple[KubeError, str, str]] = {
    "no answer is no refusal": (
        UnreachableError("patch x: TimeoutError"),
        "no usable answer (patch x: TimeoutError)",
        "check the API server",
    ),
    "throttled": (ThrottledError("", retry_after_seconds=7.0), "in 7 s", "scale_per_second"),
    "fenced off": (FencedOffError("not the leader"), "may lead no longer", "nothing to do"),
    "a webhook": (RejectedError("patch x: at most 4"), "at most 4", "Correct what it names"),
    "a token": (UnauthenticatedError("expired"), "token", "service account"),
    "no such /scale": (NotFoundError("get x"), "`/scale` is not", "`rbac.scaleTargets`"),
    "a right": (
        PermissionDeniedError("no", verb="patch", resource="deployments/scale.apps"),
        "lacks the verb `patch` on `deployments/scale.apps`",
        "`rbac.scaleTargets`",
    ),
    "anything else": (KubeError("odd"), "odd", "tried again"),
}


@pytest.mark.parametrize(("error", "what", "fix"), TOLD.values(), ids=TOLD)
def test_a_failed_write_says_what_happened_and_what_to_do(
    error: KubeError, what: str, fix: str
) -> None:
    ready = {"type": "Ready", "status": "True", "reason": "Ready", "message": ""}
    (told,) = not_ready({"conditions": [ready]}, error, {}, at=0.0)["conditions"]
    assert told["status"] == "False"
    assert what in told["message"]
    assert fix in told["message"]
    assert "refused" not in told["message"]
