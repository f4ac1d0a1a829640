"""Writes the pause annotations of a policy or a namespace, and says what holds from then on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from inference_cost.api.annotations import (
    PAUSED,
    PAUSED_REPLICAS,
    InvalidAnnotationError,
    PauseRequest,
    pause_request,
)
from inference_cost.api.group import POLICY
from inference_cost.cli.cluster import FORBIDDEN, NOT_FOUND, Cluster
from inference_cost.cli.failure import CommandError, ExitCode
from inference_cost.cli.listing import object_path, patch_json, read_json
from inference_cost.observe import kinds
from inference_cost.observe.kinds import WatchedKind

Annotations = Mapping[str, str | None]
RESUMED: Final[Annotations] = {PAUSED: None, PAUSED_REPLICAS: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What holds from now on. `name`: of the policy, "" for all of the namespace; `request`: None where it scales."""

    namespace: str
    name: str
    request: PauseRequest | None
    dry_run: bool
    remark: str = ""

    @property
    def text(self) -> str:
        what = (
            f"{self.namespace}/{self.name}"
            if self.name
            else f"all policies of namespace {self.namespace}"
        )
        stored = " (dry run: nothing was stored)" if self.dry_run else ""
        return f"{what}: {_held(self.request)}{stored}{self.remark}"

    def to_json(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "name": self.name or None,
            "paused": self.request is not None,
            "replicas": None if self.request is None else self.request.replicas,
            "dryRun": self.dry_run,
            "message": self.text,
        }


def paused(replicas: int | None) -> Annotations:
    return {PAUSED: "true", PAUSED_REPLICAS: None if replicas is None else str(replicas)}


def pausing(
    cluster: Cluster, name: str | None, namespace: str | None, wanted: Annotations, *, dry_run: bool
) -> Held:
    """Write them to the policy, or without a name to its namespace; returns what holds then.

    Raises:
        CommandError: not found, not allowed or not reachable.
    """
    where = namespace or cluster.namespace
    if name is None:
        kind, path = kinds.NAMESPACE, object_path(kinds.NAMESPACE, where)
    else:
        kind, path = kinds.POLICY, object_path(kinds.POLICY, name, where)
    body = {"metadata": {"annotations": dict(wanted)}}
    query: list[tuple[str, object]] = [("dryRun", "All")] if dry_run else []
    written = _called(
        cluster, lambda: patch_json(cluster, path, body, query), kind, name or where, where
    )
    try:
        request = pause_request(written["metadata"].get("annotations") or {})
    except InvalidAnnotationError as error:
        raise CommandError(f"{where}/{name}: {error}" if name else f"{where}: {error}") from None
    alone = name is None or dry_run or wanted[PAUSED] is not None
    return Held(
        namespace=where,
        name=name or "",
        request=request,
        dry_run=dry_run,
        remark="" if alone else _around(cluster, where),
    )


def _held(request: PauseRequest | None) -> str:
    if request is None:
        return "scaled again from the next look on"
    if request.replicas is None:
        return "paused, replicas stay as they are"
    return f"paused, held at {request.replicas} replicas"


def _around(cluster: Cluster, namespace: str) -> str:
    """A policy that goes on may still be held by its namespace; without the right to look nothing is said."""
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import

    try:
        found = read_json(cluster, object_path(kinds.NAMESPACE, namespace))
        request = pause_request(found["metadata"].get("annotations") or {})
    except (ApiException, InvalidAnnotationError):
        return ""
    if request is None:
        return ""
    return f"; but namespace {namespace} is paused: kubectl inference-cost resume --whole-namespace -n {namespace}"


def _called(
    cluster: Cluster, call: Callable[[], Any], kind: WatchedKind, name: str, namespace: str
) -> Any:
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        return call()
    except ApiException as error:
        raise _refused(error.status or 0, kind, name, namespace) from None
    except (HTTPError, OSError) as error:
        raise cluster.unreachable(error) from None


def _refused(status: int, kind: WatchedKind, name: str, namespace: str) -> CommandError:
    if status == NOT_FOUND and kind is kinds.NAMESPACE:
        return CommandError(f"no namespace {name!r}", ExitCode.NOT_FOUND)
    if status == NOT_FOUND:
        return CommandError(
            f"no {POLICY.kind} {name!r} in namespace {namespace!r}; `kubectl get {POLICY.short_names[0]} -A` "
            "lists all",
            ExitCode.NOT_FOUND,
        )
    if status == FORBIDDEN:
        role = (
            "a ClusterRole that may patch namespaces"
            if kind is kinds.NAMESPACE
            else "the role `inference-cost-operator-editor` (it is part of `edit`)"
        )
        return CommandError(f"you may not patch {kind.resource}: ask for {role}")
    return CommandError(f"the API server answered with status {status}")
