"""Reads what is installed of the operator: its Deployment, its settings, and what its account may do."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import yaml

from inference_cost.cli.cluster import FORBIDDEN, Cluster
from inference_cost.cli.doctor.facts import Object, Operator, Right
from inference_cost.cli.doctor.rights import OWN, duties_of
from inference_cost.cli.listing import CONFIG_MAP, Unread, object_path, post_json, read_json
from inference_cost.observe.fields import labels_of, mapping, sequence

REVIEWS: Final = "/apis/authorization.k8s.io/v1"


def operator_of(cluster: Cluster, deployment: Object) -> Operator:
    """One installation, its rights not asked yet."""
    metadata, spec = mapping(deployment["metadata"]), mapping(deployment.get("spec"))
    pod = mapping(mapping(spec.get("template")).get("spec"))
    namespace = str(metadata["namespace"])
    replicas = spec.get("replicas")
    return Operator(
        namespace=namespace,
        name=str(metadata["name"]),
        version=labels_of(metadata.get("labels")).get("app.kubernetes.io/version", ""),
        replicas=1 if replicas is None else int(replicas),
        ready=int(mapping(deployment.get("status")).get("readyReplicas") or 0),
        account=f"system:serviceaccount:{namespace}:{pod.get('serviceAccountName') or 'default'}",
        settings=_settings(cluster, namespace, pod),
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


def with_rights(
    cluster: Cluster, one: Operator, *, scaled: frozenset[str], warm_pools: Mapping[str, str]
) -> Operator:
    """Asked of the API server, one by one, which is what holds in the end."""
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow to import

    groups = [
        "system:serviceaccounts",
        f"system:serviceaccounts:{one.namespace}",
        "system:authenticated",
    ]
    who = {"user": one.account, "groups": groups}
    duties = duties_of(one, scaled=scaled, warm_pools=warm_pools)
    asked = sorted({right for duty in duties for right in duty.rights})
    try:
        rights = {right: _allowed(cluster, "subjectaccessreviews", right, who) for right in asked}
    except ApiException as error:
        return replace(one, rights=_refused(error.status))
    return replace(one, rights=rights)


def _refused(status: int | None) -> Unread:
    why = (
        "you may not ask what its account may do"
        if status == FORBIDDEN
        else f"the API server answered with status {status}"
    )
    fix = "ask for the right to create subjectaccessreviews.authorization.k8s.io, or let an administrator run this"
    return Unread(what="rights", why=why, fix=fix)


def own_rights(cluster: Cluster) -> Mapping[Right, bool]:
    """Of who runs this; nothing where the API server does not tell."""
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
        "namespace": right.namespace,
        "name": right.name,
    }
    kind = {"subjectaccessreviews": "SubjectAccessReview"}.get(plural, "SelfSubjectAccessReview")
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": kind,
        "spec": {"resourceAttributes": attributes, **who},
    }
    answer = post_json(cluster, f"{REVIEWS}/{plural}", body)
    return bool(mapping(answer.get("status")).get("allowed"))
