"""Annotations that people set on a policy or a namespace, which GitOps does not revert; and the one written to pods."""

from collections.abc import Mapping
from dataclasses import dataclass

from inference_cost.api.fields import REPLICAS_LIMIT
from inference_cost.api.group import GROUP

PAUSED = f"{GROUP}/paused"
PAUSED_REPLICAS = f"{GROUP}/paused-replicas"
# Of pods: a ReplicaSet removes the lowest first (Kubernetes enhancement 2255).
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


class InvalidAnnotationError(ValueError):
    """An annotation whose value means nothing; the message names it and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRequest:
    """Stop scaling. `replicas`: hold this number, or None to leave the replicas as they are."""

    replicas: int | None = None


def pause_request(annotations: Mapping[str, str]) -> PauseRequest | None:
    """Read the pause annotations; `paused-replicas` alone pauses too, as in KEDA.

    Raises:
        InvalidAnnotationError: `paused` is neither "true" nor "false", or the number is no replica count.
    """
    paused = annotations.get(PAUSED)
    if paused not in (None, "true", "false"):
        raise InvalidAnnotationError(
            f'annotation `{PAUSED}` must be "true" or "false", not "{paused}"'
        )
    if paused == "false":
        return None
    replicas = annotations.get(PAUSED_REPLICAS)
    if replicas is not None:
        return PauseRequest(replicas=_replica_count(replicas))
    return PauseRequest() if paused else None


def _replica_count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= REPLICAS_LIMIT):
        raise InvalidAnnotationError(
            f"annotation `{PAUSED_REPLICAS}` must be a whole number from 0 to {REPLICAS_LIMIT},"
            f' not "{text[:20]}"'
        )
    return int(text)
