"""A pod's volumes on disk, kept fresh, and the launches made from them."""

import asyncio
import json
import logging
import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

from e2e.rig.process_node.environment import container_environment, expand
from e2e.rig.process_node.images import Program
from e2e.rig.process_node.kubernetes_api import TRANSIENT, ApiError, KubernetesApi, Manifest
from e2e.rig.process_node.launch import Launch
from e2e.rig.process_node.references import (
    MissingReferenceError,
    References,
    fetch_references,
)
from e2e.rig.process_node.service_account import TokenSource
from e2e.rig.process_node.settings import NodeSettings
from e2e.rig.process_node.volumes import (
    VolumeContext,
    VolumeFolder,
    hosts_file,
    mounts,
    volume_files,
)

LOG = logging.getLogger(__name__)
SERVICE_ACCOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
# A volume of ours, beside those of the manifest, whose names cannot begin with a dot.
OWN_VOLUME = ".node"


class PodFiles:
    """Writes a pod's volumes into a private folder and says how to start containers on them."""

    def __init__(
        self, manifest: Manifest, *, api: KubernetesApi, settings: NodeSettings, address: str
    ) -> None:
        self._manifest = manifest
        self._api = api
        self._settings = settings
        self._address = address
        uid = manifest["metadata"]["uid"]
        self._folder = settings.folder_of(uid)
        self._volumes = VolumeFolder(settings.volumes_of(uid))
        self._tokens = TokenSource(api, manifest)

    async def write(self) -> None:
        """Write or refresh every volume.

        Raises:
            MissingReferenceError: something that a volume refers to is missing.
        """
        context = VolumeContext(
            pod=self._manifest,
            references=await fetch_references(self._api, self._manifest),
            tokens=await self._tokens.current(),
            address=self._address,
        )
        for volume in self._manifest["spec"].get("volumes") or []:
            self._volumes.write(volume["name"], volume_files(volume, context))
        own = {PurePosixPath("hosts"): hosts_file(self._manifest, address=self._address)}
        self._volumes.write(OWN_VOLUME, own)

    async def keep_fresh(self) -> None:
        """Renew tokens and follow changed ConfigMaps until cancelled."""
        while True:
            await asyncio.sleep(self._settings.volume_refresh_seconds)
            try:
                await self.write()
            except (MissingReferenceError, ApiError, *TRANSIENT) as error:
                LOG.warning("volumes of %s: %s", self._manifest["metadata"]["name"], error)

    async def launch(self, container: Manifest) -> Launch | None:
        """Return how to start a container, None when nothing stands for its image.

        Raises:
            MissingReferenceError: a variable refers to something that is missing.
        """
        program = self._settings.images.find(container["image"])
        if program is None:
            return None
        try:
            references = await fetch_references(self._api, self._manifest)
        except (ApiError, *TRANSIENT) as error:
            raise MissingReferenceError(f"the API server does not answer: {error}") from error
        environment = self._environment(container, program, references)
        command = [expand(part, environment) for part in program.command(container)]
        if not command:
            raise MissingReferenceError("no command specified")
        return self._launch(container, command, environment)

    def remove(self) -> None:
        """Remove the volumes and the empty mount points of the namespaces."""
        self._volumes.remove()
        for folder in (*self._folder.glob("root-*"), self._folder):
            with suppress(OSError):
                folder.rmdir()

    def _launch(
        self, container: Manifest, command: list[str], environment: dict[str, str]
    ) -> Launch:
        root = self._folder / f"root-{container['name']}"
        root.mkdir(parents=True, exist_ok=True)
        hosts = os.fspath(self._volumes.path_of(OWN_VOLUME) / "hosts")
        etc_hosts = {"source": hosts, "target": "/etc/hosts", "readOnly": True}
        return Launch(
            command=command,
            environment=environment,
            mounts=[etc_hosts, *mounts(container, self._volumes)],
            hostname=environment["HOSTNAME"],
            root_folder=root,
            directory=Path(container.get("workingDir") or "/"),
            isolated=self._settings.mount_namespaces,
        )

    def _environment(
        self, container: Manifest, program: Program, references: References
    ) -> dict[str, str]:
        endpoint = self._api.endpoint
        environment = {
            "HOME": "/",
            "HOSTNAME": self._manifest["spec"].get("hostname")
            or self._manifest["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": endpoint.host,
            "KUBERNETES_SERVICE_PORT": endpoint.port,
            "KUBERNETES_SERVICE_PORT_HTTPS": endpoint.port,
            **program.base_environment(address=self._address),
        }
        if not self._settings.mount_namespaces:
            environment |= self._kubeconfig_variable(container)
        return environment | container_environment(
            self._manifest, container, references, address=self._address
        )

    def _kubeconfig_variable(self, container: Manifest) -> dict[str, str]:
        """Give a process that cannot see its token at the usual path a kubeconfig instead."""
        mount = next(
            (
                mount
                for mount in container.get("volumeMounts") or []
                if mount["mountPath"] == SERVICE_ACCOUNT_PATH
            ),
            None,
        )
        if mount is None:
            return {}
        account = self._volumes.path_of(mount["name"])
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "pod",
            "contexts": [
                {
                    "name": "pod",
                    "context": {
                        "cluster": "cluster",
                        "user": "pod",
                        "namespace": self._manifest["metadata"]["namespace"],
                    },
                }
            ],
            "clusters": [
                {
                    "name": "cluster",
                    "cluster": {
                        "server": self._api.endpoint.server,
                        "certificate-authority": str(account / "ca.crt"),
                    },
                }
            ],
            "users": [{"name": "pod", "user": {"tokenFile": str(account / "token")}}],
        }
        content = {PurePosixPath("kubeconfig"): json.dumps(document).encode()}
        self._volumes.write(OWN_VOLUME, content)
        return {"KUBECONFIG": str(self._volumes.path_of(OWN_VOLUME) / "kubeconfig")}
