"""Reads what the checks go by. What may not be read becomes a fact of its own; nothing here judges."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import version as package_version
from typing import Final

from inference_cost.api.crds import all_crds
from inference_cost.api.group import GROUP, KINDS, VERSION
from inference_cost.cli.cluster import Cluster
from inference_cost.cli.doctor.facts import Definitions, Facts, Object, Operator
from inference_cost.cli.doctor.metrics_reading import read_metrics
from inference_cost.cli.doctor.operators import operator_of, own_rights, with_rights
from inference_cost.cli.doctor.targets import KINDS as ABOUT_WORKLOADS
from inference_cost.cli.doctor.targets import targets_of, warm_pools
from inference_cost.cli.listing import Where, list_all, read_json
from inference_cost.cli.prometheus_access import PrometheusAccess
from inference_cost.cli.scan.source import source_of
from inference_cost.observe.fields import mapping, sequence
from inference_cost.observe.kinds import CAPACITY_POOL, DEPLOYMENT

OPERATOR: Final = "app.kubernetes.io/name=inference-cost-operator"


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
    installed = list_all(
        cluster, DEPLOYMENT, Where(namespace="", everywhere=True), selector=OPERATOR
    )
    found = tuple(operator_of(cluster, one) for one in installed.items)
    more = {kind.plural: kind for one in found for kind in one.more_kinds}.values()
    kinds = (*ABOUT_WORKLOADS, CAPACITY_POOL, *more)
    listed = {kind.plural: list_all(cluster, kind, options.where) for kind in kinds}
    targets = tuple(targets_of(listed, tuple(more)))
    warm = warm_pools(listed[CAPACITY_POOL.plural].items)
    scaled = frozenset(one.key.kind for one in targets)
    operators = tuple(with_rights(cluster, one, scaled=scaled, warm_pools=warm) for one in found)
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
        own_rights=own_rights(cluster),
        metrics=metrics,
        targets=targets,
        warm_pools=warm,
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
