"""The content of a pod's volumes, and the folder where they are written."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from e2e.rig.process_node.environment import pod_field
from e2e.rig.process_node.kubernetes_api import Manifest
from e2e.rig.process_node.references import MissingReferenceError, Reference, References

Files = dict[PurePosixPath, bytes]

DEFAULT_TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A service account token that a projected volume asks for."""

    audience: str
    lifetime_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeContext:
    """What the content of volumes is made from."""

    pod: Manifest
    references: References
    tokens: Mapping[TokenRequest, str]
    address: str


def token_requests(pod: Manifest) -> set[TokenRequest]:
    """Return the tokens that the pod's projected volumes ask for."""
    sources = (
        source
        for volume in pod["spec"].get("volumes") or []
        for source in (volume.get("projected") or {}).get("sources") or []
    )
    return {
        _token_request(source["serviceAccountToken"])
        for source in sources
        if "serviceAccountToken" in source
    }


def volume_files(volume: Manifest, context: VolumeContext) -> Files:
    """Return the files of one volume; an emptyDir has none.

    Raises:
        MissingReferenceError: what the volume refers to is missing, or its kind is not supported.
    """
    if "emptyDir" in volume:
        return {}
    if "projected" in volume:
        files: Files = {}
        for source in volume["projected"].get("sources") or []:
            files |= _source_files(source, context)
        return files
    return _source_files(volume, context)


class VolumeFolder:
    """The folder of one pod's volumes: each volume is one sub-folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path_of(self, volume_name: str) -> Path:
        return self.folder / volume_name

    def write(self, volume_name: str, files: Files) -> None:
        """Write or refresh a volume; readers never see half a file."""
        root = self.path_of(volume_name)
        root.mkdir(parents=True, exist_ok=True)
        for relative, content in files.items():
            target = root / relative
            if target.exists() and target.read_bytes() == content:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_name(f".{target.name}.new")
            fresh.write_bytes(content)
            fresh.replace(target)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def hosts_file(pod: Manifest, *, address: str) -> bytes:
    """Return the /etc/hosts of a pod, host aliases included."""
    name = pod["spec"].get("hostname") or pod["metadata"]["name"]
    aliases = [
        f"{alias['ip']} {' '.join(alias['hostnames'])}"
        for alias in pod["spec"].get("hostAliases") or []
    ]
    lines = ["127.0.0.1 localhost", "::1 localhost", f"{address} {name}", *aliases]
    return ("\n".join(lines) + "\n").encode()


def mounts(container: Manifest, volumes: VolumeFolder) -> list[dict[str, Any]]:
    """Return the bind mounts of a container, outer paths before inner ones."""
    entries = [
        {
            "source": os.fspath(volumes.path_of(mount["name"]) / mount.get("subPath", "")),
            "target": mount["mountPath"],
            "readOnly": bool(mount.get("readOnly")),
        }
        for mount in container.get("volumeMounts") or []
    ]
    return sorted(entries, key=lambda entry: str(entry["target"]).count("/"))


def _source_files(source: Mapping[str, Any], context: VolumeContext) -> Files:
    if "configMap" in source:
        return _keyed(source["configMap"], "configmaps", context.references)
    if "secret" in source:
        return _keyed(source["secret"], "secrets", context.references)
    if "downwardAPI" in source:
        return _downward(source["downwardAPI"], context)
    if "serviceAccountToken" in source:
        entry = source["serviceAccountToken"]
        return {PurePosixPath(entry["path"]): context.tokens[_token_request(entry)].encode()}
    kinds = ", ".join(key for key in source if key != "name")
    raise MissingReferenceError(f"volumes of kind {kinds} are not supported by process nodes")


def _keyed(entry: Mapping[str, Any], plural: str, references: References) -> Files:
    optional = bool(entry.get("optional"))
    reference = Reference(plural, entry.get("secretName") or entry["name"])
    items = entry.get("items")
    if items is None:
        data = references.data(reference, optional=optional)
        return {PurePosixPath(key): value for key, value in data.items()}
    values = {
        PurePosixPath(item["path"]): references.value(reference, item["key"], optional=optional)
        for item in items
    }
    return {path: value for path, value in values.items() if value is not None}


def _downward(entry: Mapping[str, Any], context: VolumeContext) -> Files:
    files: Files = {}
    for item in entry.get("items") or []:
        if "fieldRef" not in item:
            raise MissingReferenceError("resourceFieldRef is not supported by process nodes")
        value = pod_field(item["fieldRef"]["fieldPath"], context.pod, address=context.address)
        files[PurePosixPath(item["path"])] = value.encode()
    return files


def _token_request(entry: Mapping[str, Any]) -> TokenRequest:
    seconds = int(entry.get("expirationSeconds") or DEFAULT_TOKEN_SECONDS)
    return TokenRequest(entry.get("audience") or "", seconds)
