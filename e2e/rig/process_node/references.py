"""Which ConfigMaps and Secrets a pod refers to, and what they hold."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from e2e.rig.process_node.kubernetes_api import KubernetesApi, Manifest


class MissingReferenceError(LookupError):
    """A pod refers to an object or key that does not exist and is not optional."""


@dataclass(frozen=True, slots=True)
class Reference:
    plural: str  # "configmaps" or "secrets"
    name: str


@dataclass(frozen=True, slots=True)
class References:
    """The objects a pod refers to, as far as they exist."""

    found: Mapping[Reference, Mapping[str, bytes]] = field(default_factory=dict)

    def data(self, reference: Reference, *, optional: bool) -> Mapping[str, bytes]:
        """Return the keys and values of an object.

        Raises:
            MissingReferenceError: it does not exist and is not optional.
        """
        data = self.found.get(reference)
        if data is None and not optional:
            kind = reference.plural.removesuffix("s")
            raise MissingReferenceError(f'{kind} "{reference.name}" not found')
        return data or {}

    def value(self, reference: Reference, key: str, *, optional: bool) -> bytes | None:
        """Return one value, None when it is missing and optional."""
        value = self.data(reference, optional=optional).get(key)
        if value is None and not optional:
            raise MissingReferenceError(f"couldn't find key {key} in {reference.name}")
        return value


async def fetch_references(api: KubernetesApi, pod: Manifest) -> References:
    """Read every object that the pod refers to from the API server."""
    namespace = pod["metadata"]["namespace"]
    found = {}
    for reference in set(referenced_by(pod["spec"])):
        path = f"/api/v1/namespaces/{namespace}/{reference.plural}/{reference.name}"
        document = await api.find(path)
        if document is not None:
            found[reference] = content_of(document)
    return References(found)


def content_of(document: Manifest) -> dict[str, bytes]:
    """Return the values of a ConfigMap or Secret as bytes."""
    secret = document.get("kind") == "Secret"
    texts: Mapping[str, str] = document.get("data") or {}
    binary = document.get("binaryData") or {}
    values = {
        key: base64.b64decode(text) if secret else text.encode() for key, text in texts.items()
    }
    return values | {key: base64.b64decode(text) for key, text in binary.items()}


def referenced_by(spec: Manifest) -> Iterator[Reference]:
    """Yield the objects named in volumes and environment of a pod spec."""
    for volume in spec.get("volumes") or []:
        projected = (volume.get("projected") or {}).get("sources") or []
        for source in (volume, *projected):
            yield from _in_source(source)
    for container in spec["containers"]:
        for source in container.get("envFrom") or []:
            yield from _by_name(source, config_map="configMapRef", secret="secretRef")  # noqa: S106
        for variable in container.get("env") or []:
            source = variable.get("valueFrom") or {}
            yield from _by_name(source, config_map="configMapKeyRef", secret="secretKeyRef")  # noqa: S106


def _in_source(source: Mapping[str, Any]) -> Iterator[Reference]:
    if "configMap" in source:
        yield Reference("configmaps", source["configMap"]["name"])
    if "secret" in source:
        secret = source["secret"]
        yield Reference("secrets", secret.get("secretName") or secret["name"])


def _by_name(source: Mapping[str, Any], *, config_map: str, secret: str) -> Iterator[Reference]:
    if config_map in source:
        yield Reference("configmaps", source[config_map]["name"])
    if secret in source:
        yield Reference("secrets", source[secret]["name"])
