"""Credentials for the API server: from the pod's service account, or from a kubeconfig.

One answer serves both users of it: the official asynchronous client (writes, re-lists) and kopf (watches).
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kopf
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client import ApiClient, Configuration

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
DEFAULT_KUBECONFIG = Path("~/.kube/config")
CONNECTIONS = 20


class NoCredentialsError(Exception):
    """Neither a service account nor a kubeconfig can be used; the message says what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InCluster:
    """A pod's own service account. The token file is read again as it is rotated."""

    server: str
    folder: Path = SERVICE_ACCOUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class FromKubeconfig:
    path: Path
    context: str | None = None


Credentials = InCluster | FromKubeconfig


def find_credentials(kubeconfig: str, context: str) -> Credentials:
    """The named kubeconfig, else the service account of the pod, else ~/.kube/config.

    Raises:
        NoCredentialsError: none of them is there.
    """
    if kubeconfig:
        return _kubeconfig(Path(kubeconfig).expanduser(), context)
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
    if host and port and (SERVICE_ACCOUNT / "token").is_file():
        bracketed = f"[{host}]" if ":" in host else host
        return InCluster(server=f"https://{bracketed}:{port}")
    return _kubeconfig(DEFAULT_KUBECONFIG.expanduser(), context)


def _kubeconfig(path: Path, context: str) -> FromKubeconfig:
    if not path.is_file():
        raise NoCredentialsError(
            f"no service account and no kubeconfig at {path}: run in a pod, "
            "or set INFERENCE_COST_KUBERNETES__KUBECONFIG or KUBECONFIG"
        )
    return FromKubeconfig(path=path, context=context or None)


def namespace_of_pod(fallback: str) -> str:
    """The namespace this pod runs in, or `fallback` outside a pod."""
    file = SERVICE_ACCOUNT / "namespace"
    return file.read_text(encoding="utf-8").strip() if file.is_file() else fallback


async def build_client(credentials: Credentials) -> ApiClient:
    """The official client. Close it when done.

    Raises:
        NoCredentialsError: the files are there and cannot be used.
    """
    configuration = await _configuration(credentials)
    configuration.connection_pool_maxsize = CONNECTIONS
    client = ApiClient(configuration)
    client.user_agent = "inference-cost-operator"
    return client


async def _configuration(credentials: Credentials) -> Configuration:
    configuration = Configuration()
    try:
        if isinstance(credentials, FromKubeconfig):
            await kubernetes_config.load_kube_config(
                config_file=str(credentials.path),
                context=credentials.context,
                client_configuration=configuration,
                persist_config=False,
            )
        else:
            kubernetes_config.load_incluster_config(client_configuration=configuration)
    except kubernetes_config.ConfigException as error:
        raise NoCredentialsError(str(error)) from error
    return configuration


async def connection_for_kopf(credentials: Credentials) -> kopf.ConnectionInfo:
    """The same credentials for kopf, which asks again after a 401: a rotated token is then read anew."""
    if isinstance(credentials, InCluster):
        token = (credentials.folder / "token").read_text(encoding="utf-8").strip()
        return kopf.ConnectionInfo(
            server=credentials.server,
            ca_path=str(credentials.folder / "ca.crt"),
            scheme="Bearer",
            token=token,
        )
    return _connection(await _configuration(credentials))


def _connection(configuration: Any) -> kopf.ConnectionInfo:
    scheme, _, token = configuration.api_key.get("BearerToken", "").rpartition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        ca_data=None if configuration.ssl_ca_cert else configuration.ca_cert_data,
        insecure=not configuration.verify_ssl,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        scheme=scheme or ("Bearer" if token else None),
        token=token or None,
    )
