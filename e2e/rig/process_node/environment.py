"""The environment and arguments of a container, as a kubelet makes them."""

import re
from collections.abc import Mapping
from typing import Any

from e2e.rig.process_node.kubernetes_api import Manifest
from e2e.rig.process_node.references import MissingReferenceError, Reference, References

_VARIABLE = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def container_environment(
    pod: Manifest, container: Manifest, references: References, *, address: str
) -> dict[str, str]:
    """Return the variables that the pod's manifest asks for.

    `status.podIP` is given as `address`, the one that the process can bind.

    Raises:
        MissingReferenceError: a variable's source does not exist or is not supported.
    """
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        variables |= _all_keys(source, references)
    for entry in container.get("env") or []:
        if "valueFrom" in entry:
            value = _from_source(entry["valueFrom"], pod, references, address)
            variables |= {} if value is None else {entry["name"]: value}
        else:
            variables[entry["name"]] = expand(entry.get("value") or "", variables)
    return variables


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace $(NAME) by its value; unknown names stay as they are, $$ is a literal dollar."""

    def replacement(match: re.Match[str]) -> str:
        if match.group(0) == "$$":
            return "$"
        return variables.get(match.group(1), match.group(0))

    return _VARIABLE.sub(replacement, text)


def pod_field(path: str, pod: Manifest, *, address: str) -> str:
    """Return the value of a downward API field.

    Raises:
        MissingReferenceError: the field is none of the downward API's.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        group, key = subscript.groups()
        return str((metadata.get(group) or {}).get(key, ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        entries = metadata.get(path.removeprefix("metadata.")) or {}
        return "\n".join(f'{key}="{value}"' for key, value in sorted(entries.items()))
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": address,
        "status.podIPs": address,
        "status.hostIP": "127.0.0.1",
    }
    if path not in known:
        raise MissingReferenceError(f"field {path} is not supported by process nodes")
    return str(known[path])


def _all_keys(source: Mapping[str, Any], references: References) -> dict[str, str]:
    plural, entry = (
        ("configmaps", source["configMapRef"])
        if "configMapRef" in source
        else ("secrets", source["secretRef"])
    )
    prefix = source.get("prefix") or ""
    data = references.data(Reference(plural, entry["name"]), optional=bool(entry.get("optional")))
    return {prefix + key: value.decode() for key, value in data.items()}


def _from_source(
    source: Mapping[str, Any], pod: Manifest, references: References, address: str
) -> str | None:
    if "fieldRef" in source:
        return pod_field(source["fieldRef"]["fieldPath"], pod, address=address)
    for kind, plural in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        if kind in source:
            entry = source[kind]
            value = references.value(
                Reference(plural, entry["name"]),
                entry["key"],
                optional=bool(entry.get("optional")),
            )
            return None if value is None else value.decode()
    raise MissingReferenceError(f"{next(iter(source))} is not supported by process nodes")
