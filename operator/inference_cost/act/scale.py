"""The one place where `/scale` is written."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inference_cost.act.errors import ConflictError, KubeError, NotFoundError
from inference_cost.act.kube_api import FIELD_MANAGER, Json, KubeApi
from inference_cost.act.removal_marks import mark
from inference_cost.act.resources import scale_of, target_resource
from inference_cost.model.policy import TargetRef

CONFLICT_RETRIES = 2


class ScaleOutcome(StrEnum):
    WRITTEN = "Written"
    ALREADY_THERE = "AlreadyThere"
    CHANGED_MEANWHILE = "ChangedMeanwhile"  # decided on something that is no longer so
    TARGET_GONE = "TargetGone"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleOrder:
    """Replicas for one target, and the state that this was decided on."""

    namespace: str
    target: TargetRef
    uid: str
    current: int
    desired: int
    plural: str = ""  # of the target's kind; "" is the regular one
    first: tuple[str, ...] = ()  # pods that are to go, in this order
    outdated: tuple[str, ...] = ()  # pods that an earlier order named

    @property
    def marks(self) -> int:
        """Pods to be written to before."""
        return len(self.first) + len(self.outdated)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleResult:
    """`live`: replicas read just before writing; None when they could not be read."""

    order: ScaleOrder
    outcome: ScaleOutcome
    live: int | None = None
    error: KubeError | None = None


def always_wanted() -> bool:
    """For a write that nobody can call off."""
    return True


async def write_scale(
    api: KubeApi, order: ScaleOrder, still_wanted: Callable[[], bool] = always_wanted
) -> ScaleResult:
    """Reads `/scale`, checks that the world is as decided on, and patches it at that resourceVersion.

    `still_wanted` is asked last: reading takes time too, and so does marking the pods that are to go.

    Where only something else of the target changed in between (its status does all the time), it looks again, a few
    times. Where replicas changed, the next tick decides anew.
    """
    result = await _attempt(api, order, still_wanted)
    for _ in range(CONFLICT_RETRIES):
        if not isinstance(result.error, ConflictError):
            break
        result = await _attempt(api, order, still_wanted)
    return result


async def _attempt(
    api: KubeApi, order: ScaleOrder, still_wanted: Callable[[], bool]
) -> ScaleResult:
    live: int | None = None
    resource, name = scale_of(order.target, plural=order.plural), order.target.name
    try:
        scale = await api.get(resource, order.namespace, name)
        live = replicas_of(scale)
        outcome = _refusal(order, scale, live)
        if outcome is None and still_wanted():
            await mark(api, order.namespace, order.first, order.outdated)
        if outcome is None and not still_wanted():
            outcome = ScaleOutcome.CHANGED_MEANWHILE
        if outcome is None:
            patch = scale_patch(scale, order.desired)
            await api.merge_patch(resource, order.namespace, name, patch)
            outcome = ScaleOutcome.WRITTEN
    except KubeError as error:
        return ScaleResult(order=order, outcome=_outcome_of(error), live=live, error=error)
    return ScaleResult(order=order, outcome=outcome, live=live)


def _outcome_of(error: KubeError) -> ScaleOutcome:
    if isinstance(error, NotFoundError):
        return ScaleOutcome.TARGET_GONE
    conflict = isinstance(error, ConflictError)
    return ScaleOutcome.CHANGED_MEANWHILE if conflict else ScaleOutcome.FAILED


def scale_patch(scale: Json, replicas: int) -> Json:
    """Merge patch of a Scale; its resourceVersion makes the API server refuse it if anything changed since."""
    return {
        "metadata": {"resourceVersion": scale["metadata"]["resourceVersion"]},
        "spec": {"replicas": replicas},
    }


def replicas_of(scale: Json) -> int:
    """`spec.replicas` of a Scale. Absent is zero here (it is omitted when empty), unlike in a Deployment."""
    return int((scale.get("spec") or {}).get("replicas") or 0)


def _refusal(order: ScaleOrder, scale: Json, live: int) -> ScaleOutcome | None:
    uid = scale["metadata"].get("uid", order.uid)
    if uid != order.uid:
        return ScaleOutcome.CHANGED_MEANWHILE  # deleted and made again under the same name
    if live == order.desired:
        return ScaleOutcome.ALREADY_THERE
    return None if live == order.current else ScaleOutcome.CHANGED_MEANWHILE


async def other_manager(
    api: KubeApi, namespace: str, target: TargetRef, *, plural: str = ""
) -> str:
    """Name of the last manager, other than us, that wrote the target's replicas; "" when unknown."""
    try:
        found = await api.get(target_resource(target, plural=plural), namespace, target.name)
    except KubeError:
        return ""
    return manager_of_replicas(found.get("metadata", {}).get("managedFields", ()))


def manager_of_replicas(managed_fields: Any) -> str:
    """The newest entry of `metadata.managedFields` that owns `spec.replicas` and is not ours."""
    owners = [
        entry
        for entry in managed_fields
        if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        and entry.get("manager") != FIELD_MANAGER
    ]
    newest: Json = max(owners, key=lambda entry: str(entry.get("time", "")), default={})
    return str(newest.get("manager", ""))
