"""Lists of objects with the user's own rights: what may not be read is told with the fix, and stops nothing else."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from inference_cost.api.group import GROUP
from inference_cost.cli.cluster import FORBIDDEN, NOT_FOUND, TIMEOUT_SECONDS, Cluster
from inference_cost.observe.kinds import WatchedKind

PAGE: Final = 500  # objects per answer
CONTENT_TYPES: Final = {"PATCH": "application/merge-patch+json", "POST": "application/json"}
Object = Mapping[str, Any]


BUDGET: Final = WatchedKind(
    kind="PodDisruptionBudget", group="policy", version="v1", plural="poddisruptionbudgets"
)
NODE_POOL: Final = WatchedKind(
    kind="NodePool", group="karpenter.sh", version="v1", plural="nodepools", namespaced=False
)
CONFIG_MAP: Final = WatchedKind(kind="ConfigMap", group="", version="v1", plural="configmaps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something that is not known: what, why, and what to do about it."""

    what: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Objects of one kind, empty where the cluster does not know the kind. `unread`: what may not be seen of them."""

    items: tuple[Object, ...] = ()
    installed: bool = True
    unread: Unread | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which namespaces: one, or all."""

    namespace: str
    everywhere: bool


def list_all(cluster: Cluster, kind: WatchedKind, where: Where, *, selector: str = "") -> Listing:
    """All objects of a kind; of the one namespace alone where no more may be read. `selector`: by labels.

    Raises:
        CommandError: the API server cannot be reached, or refuses the credentials.
    """
    everywhere = where.everywhere or not kind.namespaced
    found = _listed(cluster, kind, "" if everywhere else where.namespace, selector)
    if found.unread is None or not (everywhere and kind.namespaced):
        return found
    own = _listed(cluster, kind, where.namespace, selector)
    if own.unread is not None:
        return found
    return Listing(items=own.items, unread=_of_one_namespace(kind, where.namespace))


def _listed(cluster: Cluster, kind: WatchedKind, namespace: str, selector: str) -> Listing:
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        return Listing(items=tuple(_pages(cluster, kind, namespace, selector)))
    except ApiException as error:
        # Rights are looked at first: of a kind that is not there one may not be told so.
        if error.status == FORBIDDEN and not is_served(cluster, kind):
            return Listing(installed=False)
        return _refused(kind, namespace, error.status or 0)
    except (HTTPError, OSError) as error:
        raise cluster.unreachable(error) from None


def is_served(cluster: Cluster, kind: WatchedKind) -> bool:
    """Whether the API server knows the kind, which everybody who is logged in may ask; True where it does not tell."""
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import

    if not kind.group:
        return True
    try:
        found = read_json(cluster, f"/apis/{kind.group}/{kind.version}")
    except ApiException as error:
        return bool(error.status != NOT_FOUND)
    return any(one.get("name") == kind.plural for one in found.get("resources") or ())


def _refused(kind: WatchedKind, namespace: str, status: int) -> Listing:
    if status == NOT_FOUND:
        return Listing(installed=False)
    if status != FORBIDDEN:
        why = f"the API server answered with status {status}"
        return Listing(unread=Unread(what=kind.plural, why=why, fix="try again"))
    scope = f" in namespace {namespace}" if namespace else ""
    return Listing(
        unread=Unread(
            what=kind.plural, why=f"you may not list {kind.resource}{scope}", fix=grant_of(kind)
        )
    )


def grant_of(kind: WatchedKind) -> str:
    """What to ask an administrator for."""
    if kind.group == GROUP:
        return "ask for the role `inference-cost-operator-viewer` (it is part of `view`)"
    if kind.namespaced and kind.group != "keda.sh":
        return "ask for a ClusterRoleBinding to the ClusterRole `view`"
    return f"ask for a ClusterRole with the verb list on {kind.resource}"


def _of_one_namespace(kind: WatchedKind, namespace: str) -> Unread:
    why = f"you may list {kind.resource} in namespace {namespace} alone: others are not looked at"
    return Unread(what=kind.plural, why=why, fix=grant_of(kind))


def _pages(cluster: Cluster, kind: WatchedKind, namespace: str, selector: str) -> Iterable[Object]:
    following: str | None = ""
    while following is not None:
        query: list[tuple[str, object]] = [("limit", PAGE)]
        query += [("continue", following)] if following else []
        query += [("labelSelector", selector)] if selector else []
        page = read_json(cluster, _path(kind, namespace), query)
        # Items of a list do not tell what they are.
        named = {"apiVersion": kind.api_version, "kind": kind.kind}
        yield from (named | item for item in page.get("items") or ())
        following = (page.get("metadata") or {}).get("continue") or None


def _path(kind: WatchedKind, namespace: str) -> str:
    if not namespace:
        return kind.path
    return f"{kind.path.removesuffix(kind.plural)}namespaces/{namespace}/{kind.plural}"


def object_path(kind: WatchedKind, name: str, namespace: str = "") -> str:
    return f"{_path(kind, namespace)}/{name}"


def read_json(
    cluster: Cluster, path: str, query: list[tuple[str, object]] | None = None
) -> Mapping[str, Any]:
    """One GET. Raises what the client raises."""
    return _object(_asked(cluster, "GET", path, query=query))


def read_text(cluster: Cluster, path: str, query: list[tuple[str, object]] | None = None) -> str:
    """One GET of something that is no object, such as a log. Raises what the client raises."""
    answer = _asked(cluster, "GET", path, query=query, accept="*/*")
    return answer.decode("utf-8", errors="replace")


def patch_json(
    cluster: Cluster, path: str, body: object, query: list[tuple[str, object]] | None = None
) -> Mapping[str, Any]:
    """One merge patch. Raises what the client raises."""
    return _object(_asked(cluster, "PATCH", path, query=query, body=body))


def post_json(cluster: Cluster, path: str, body: object) -> Mapping[str, Any]:
    """One POST, for reviews that store nothing. Raises what the client raises."""
    return _object(_asked(cluster, "POST", path, body=body))


def _asked(
    cluster: Cluster,
    method: str,
    path: str,
    *,
    query: list[tuple[str, object]] | None = None,
    body: object = None,
    accept: str = "application/json",
) -> bytes:
    client = cluster.api.api_client
    headers = {"Accept": accept}
    if body is not None:
        headers["Content-Type"] = CONTENT_TYPES[method]
    request = client.param_serialize(
        method,
        path,
        query_params=query or [],
        header_params=headers,
        body=body,
        auth_settings=["BearerToken"],
    )
    answer = client.call_api(*request, _request_timeout=TIMEOUT_SECONDS)
    data: bytes = answer.read()
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - the class of HTTP successes
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import

        raise ApiException(status=answer.status, reason=answer.reason)
    return data


def _object(data: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(data)
    return found
