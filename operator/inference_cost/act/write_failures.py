"""Writes to `/scale` that the API server refused: how long to wait, and how a policy's status says so. Pure."""

from collections.abc import Mapping
from typing import Any

from inference_cost.account.calendar import time_text
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
from inference_cost.api.conditions import ConditionType

DENIED_RETRY_SECONDS = 60.0


def pause_after(error: KubeError | None) -> float:
    """Seconds until the same target may be tried again; zero: on the next tick."""
    if isinstance(error, PermissionDeniedError | RejectedError):
        return DENIED_RETRY_SECONDS
    return error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0


def not_ready(
    status: dict[str, Any], error: KubeError, previous: Mapping[str, Any], *, at: float
) -> dict[str, Any]:
    """The status with `Ready=False` for a refused write; an earlier reason for not being ready stays."""
    before: Mapping[str, Any] = next(
        (c for c in previous.get("conditions", ()) if c["type"] == _READY), {}
    )
    conditions = [_with_failure(c, error, before, at) for c in status.get("conditions", ())]
    return status | {"conditions": conditions}


_READY = ConditionType.READY.value


def _with_failure(
    condition: Mapping[str, Any], error: KubeError, before: Mapping[str, Any], at: float
) -> dict[str, Any]:
    if condition["type"] != _READY or condition["status"] != "True":
        return dict(condition)
    stood = before.get("lastTransitionTime") if before.get("status") == "False" else None
    return dict(condition) | {
        "status": "False",
        "reason": _reason(error),
        "message": _message(error),
        "lastTransitionTime": stood or time_text(at),
    }


def _reason(error: KubeError) -> str:
    return "PermissionDenied" if isinstance(error, PermissionDeniedError) else "ScaleFailed"


def _message(error: KubeError) -> str:
    if isinstance(error, PermissionDeniedError):
        return (
            f"The operator's role lacks the verb `{error.verb}` on `{error.resource}`. "
            "Install the chart with `enforce.enabled=true` and with the kind of the target in "
            "`rbac.scaleTargets`, or set `mode: Recommend`."
        )
    return next(
        (text.format(error=error) for kind, text in _MESSAGES.items() if isinstance(error, kind)),
        f"Writing `/scale` failed ({error.message}). It is tried again at the next decision.",
    )


_MESSAGES: Mapping[type[KubeError], str] = {
    UnreachableError: "The API server gave no usable answer ({error.message}). It is tried again at the "
    "next decision; if that stays, check the API server and the way to it.",
    ThrottledError: "The API server asks for fewer requests (429). It is tried again in "
    "{error.retry_after_seconds:.0f} s; if that stays, lower `settings.writes.scale_per_second` in the "
    "operator's values, or give the operator a FlowSchema of its own.",
    FencedOffError: "Not sent, because this instance of the operator may lead no longer. The next "
    "leader decides anew; nothing to do.",
    RejectedError: "The API server or an admission webhook does not accept the replicas "
    "({error.message}). Correct what it names; it is tried again once a minute.",
    UnauthenticatedError: "The API server does not accept the operator's token ({error.message}). Check "
    "its service account, and restart the operator.",
    NotFoundError: "The target is there and its `/scale` is not ({error.message}). Check that its kind has "
    "a scale subresource, and its `version` and `plural` in `rbac.scaleTargets`.",
}
