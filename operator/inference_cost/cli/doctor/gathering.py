"""Reads what the checks go by. What may not be read becomes a fact of its own; nothing here judges."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version as package_version
from typing import Any, Final

import yaml

from inference_cost.api.crds import all_crds
from inference_cost.api.group import GROUP, KINDS, VERSION
from inference_cost.cli.cluster import FORBIDDEN, Cluster
from inference_cost.cli.doctor.facts import Definitions, Facts, Object, Operator, Right
from inference_cost.cli.doctor.metrics_reading import read_metrics
from inference_cost.cli.doctor.rights import ALWAYS, OWN, TO_SCALE
from inference_cost.cli.doctor.targets import KINDS as ABOUT_WORKLOADS
from inference_cost.cli.doctor.targets import targets_of
from inference_cost.cli.listing import (
    CONFIG_MAP,
    Unread,
    Where,
    list_all,
    object_path,
    post_json,
    read_json,
)
from inference_cost.cli.prometheus_access import PrometheusAccess
from inference_cost.cli.scan.source import source_of
from inference_cost.observe.fields import labels_of, mapping, sequence
from inference_cost.observe.kinds import (
    DEPLOYMENT,
)

OPERATOR: Final = "app.kubernetes.io/name=inference-cost-operator"
REVIEWS: Final = "/apis/authorization.k8s.io/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorOptions:
    """`forward`: kubectl's own --kubeconfig and --context."""

    where: Where
    access: PrometheusAccess
    service: str
    forward: tuple[str, ...]


def gather(cluster: Cluster, options: DoctorOptions) -> Facts:
    """Read everything.

    Raises:
        CommandError: the API server cannot be asked at all, or an option is wrong.
    """
    listed = {kind.plural: list_all(cluster, kind, options.where) for kind in ABOUT_WORKLOADS}
    installed = list_all(
        cluster, DEPLOYMENT, Where(namespace="", everywhere=True), selector=OPERATOR
    )
    operators = tuple(_operator(cluster, one) for one in installed.items)
    service = options.service or _service_of(operators)
    access = _as_the_operator(options.access, operators)
    with source_of(cluster, options.where, access, service, options.forward) as source:
        metrics = read_metrics(source)
    unread = [one.unread for one in (*listed.values(), installed) if one.unread is not None]
    by_kind = {one.what: one for one in reversed(unread)}
    return Facts(
        version=package_version("inference-cost-operator"),
        own_schemas={
            crd["spec"]["names"]["plural"]: _schema(crd["spec"]["versions"][0])
            for crd in all_crds()
        },
        definitions=_definitions(cluster),
        operators=operators,
        own_rights=_own_rights(cluster),
        metrics=metrics,
        targets=tuple(targets_of(listed)),
        unread=tuple(by_kind.values()),
    )


def _schema(version: Object) -> Object:
    found: Object = version["schema"]["openAPIV3Schema"]
    return found


def _definitions(cluster: Cluster) -> Definitions:
    """From discovery and the published schemas, which everybody who is logged in may read."""
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import

    try:
        group = read_json(cluster, f"/apis/{GROUP}/{VERSION}")
    except ApiException:
        return Definitions(installed=frozenset(), schemas={})
    told = {str(one.get("name")) for one in group.get("resources") or ()}
    installed = frozenset(names.plural for names in KINDS if names.plural in told)
    if not installed:
        return Definitions(installed=installed, schemas={})
    try:
        published = read_json(cluster, f"/openapi/v3/apis/{GROUP}/{VERSION}")
    except ApiException:
        return Definitions(installed=installed, schemas=None)
    return Definitions(installed=installed, schemas=_published(published))


def _published(document: Object) -> dict[str, Object]:
    """By plural."""
    plurals = {names.kind: names.plural for names in KINDS}
    found: dict[str, Object] = {}
    for schema in mapping(mapping(document.get("components")).get("schemas")).values():
        for named in sequence(schema.get("x-kubernetes-group-version-kind")):
            if named.get("group") == GROUP and named.get("kind") in plurals:
                found[plurals[str(named["kind"])]] = schema
    return found


def _operator(cluster: Cluster, deployment: Object) -> Operator:
    metadata, spec = mapping(deployment["metadata"]), mapping(deployment.get("spec"))
    pod = mapping(mapping(spec.get("template")).get("spec"))
    namespace = str(metadata["namespace"])
    account = f"system:serviceaccount:{namespace}:{pod.get('serviceAccountName') or 'default'}"
    replicas = spec.get("replicas")
    return Operator(
        namespace=namespace,
        name=str(metadata["name"]),
        version=labels_of(metadata.get("labels")).get("app.kubernetes.io/version", ""),
        replicas=1 if replicas is None else int(replicas),
        ready=int(mapping(deployment.get("status")).get("readyReplicas") or 0),
        account=account,
        settings=_settings(cluster, namespace, pod),
        rights=_rights(cluster, account, namespace),
    )


def _settings(cluster: Cluster, namespace: str, pod: Object) -> Object | None:
    """The settings file, from the ConfigMap that is mounted."""
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import

    volumes = (mapping(one.get("configMap")) for one in sequence(pod.get("volumes")))
    name = next((str(one["name"]) for one in volumes if one.get("name")), "")
    if not name:
        return None
    try:
        found = read_json(cluster, object_path(CONFIG_MAP, name, namespace))
        return mapping(yaml.safe_load(str(mapping(found.get("data")).get("settings.yaml") or "")))
    except (ApiException, yaml.YAMLError):
        return None


def _rights(cluster: Cluster, account: str, namespace: str) -> Mapping[Right, bool] | Unread:
    """Asked of the API server, one by one, which is what holds in the end."""
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import

    groups = [
        "system:serviceaccounts",
        f"system:serviceaccounts:{namespace}",
        "system:authenticated",
    ]
    who = {"user": account, "groups": groups}
    try:
        return {
            right: _allowed(cluster, "subjectaccessreviews", right, who)
            for right in sorted(ALWAYS | TO_SCALE)
        }
    except ApiException as error:
        why = (
            "you may not ask what its account may do"
            if error.status == FORBIDDEN
            else f"the API server answered with status {error.status}"
        )
        fix = "ask for the right to create subjectaccessreviews.authorization.k8s.io, or let an administrator run this"
        return Unread(what="rights", why=why, fix=fix)


def _own_rights(cluster: Cluster) -> Mapping[Right, bool]:
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import

    try:
        return {right: _allowed(cluster, "selfsubjectaccessreviews", right, {}) for right in OWN}
    except ApiException:
        return {}


def _allowed(cluster: Cluster, plural: str, right: Right, who: Mapping[str, Any]) -> bool:
    resource, _, subresource = right.resource.partition("/")
    attributes = {
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "verb": right.verb,
    }
    kind = {"subjectaccessreviews": "SubjectAccessReview"}.get(plural, "SelfSubjectAccessReview")
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": kind,
        "spec": {"resourceAttributes": attributes, **who},
    }
    answer = post_json(cluster, f"{REVIEWS}/{plural}", body)
    return bool(mapping(answer.get("status")).get("allowed"))


def _as_the_operator(access: PrometheusAccess, operators: Iterable[Operator]) -> PrometheusAccess:
    """With the matchers and labels of its settings, unless they are told."""
    settings = (mapping((one.settings or {}).get("prometheus")) for one in operators)
    own = next((one for one in settings if one), {})
    return replace(
        access,
        matchers=access.matchers or str(own.get("matchers") or ""),
        namespace_label=str(own.get("namespace_label") or access.namespace_label),
        pod_label=str(own.get("pod_label") or access.pod_label),
    )


def _service_of(operators: Iterable[Operator]) -> str:
    """The service in the cluster whose address the operator's settings name, as NAMESPACE/NAME:PORT."""
    urls = (one.prometheus_url for one in operators)
    return next((found for url in urls if url and (found := service_in(url))), "")


def service_in(url: str) -> str:
    """Of `http://name.namespace.svc:port/…`; "" where it is another address."""
    host = url.partition("://")[2].partition("/")[0]
    name, _, port = host.partition(":")
    parts = name.split(".")
    if len(parts) < 3 or parts[2] != "svc":  # noqa: PLR2004 - name, namespace, svc
        return ""
    default = "443" if url.startswith("https") else "80"
    return f"{parts[1]}/{parts[0]}:{port or default}"
