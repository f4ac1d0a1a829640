"""The port to the API server: how every kind of failure reads."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient
from e2e.rig.ports import PortClaims
from inference_cost.act.errors import (
    ConflictError,
    FencedOffError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    UnauthenticatedError,
    UnreachableError,
)
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.resources import EVENTS, Resource, scale_of
from inference_cost.control.kube_client import FromKubeconfig, build_client
from inference_cost.model.policy import TargetRef

SCALE = scale_of(TargetRef(api_version="apps/v1", kind="Deployment", name="resnet"))
CONFIG_MAPS = Resource(group="", version="v1", plural="configmaps")


def with_access(cluster: Cluster, path: Path, *, token: str = "", server: str = "") -> Path:
    """A copy of the kubeconfig with another token or server."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    if token:
        config["users"][0]["user"] = {"token": token}
    if server:
        config["clusters"][0]["cluster"] |= {"server": server}
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
async def powerless(
    kube: KubeClient, cluster: Cluster, namespace: str, tmp_path: Path
) -> AsyncIterator[KubeApi]:
    """A service account that nothing is granted to."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}}
    kube.apply(account, namespace=namespace)
    token = kube.service_account_token("nobody", namespace=namespace)
    path = with_access(cluster, tmp_path / "kubeconfig", token=token)
    async with await build_client(FromKubeconfig(path=path)) as client:
        yield KubeApi(client)


async def test_what_is_not_there(api: KubeApi, namespace: str) -> None:
    with pytest.raises(NotFoundError):
        await api.get(SCALE, namespace, "none")


async def test_what_exists_already(api: KubeApi, namespace: str) -> None:
    body = {"metadata": {"name": "one"}}
    await api.create(CONFIG_MAPS, namespace, body)
    with pytest.raises(ConflictError):
        await api.create(CONFIG_MAPS, namespace, body)


async def test_what_the_schema_refuses(api: KubeApi, namespace: str) -> None:
    with pytest.raises(RejectedError):
        await api.create(EVENTS, namespace, {"metadata": {"name": "bad"}})


async def test_a_missing_right_names_verb_and_resource(powerless: KubeApi, namespace: str) -> None:
    with pytest.raises(PermissionDeniedError) as denied:
        await powerless.merge_patch(SCALE, namespace, "resnet", {"spec": {"replicas": 1}})
    assert (denied.value.verb, denied.value.resource) == ("patch", "deployments/scale.apps")


async def test_a_token_that_is_not_accepted(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    path = with_access(cluster, tmp_path / "kubeconfig", token="wrong")  # noqa: S106  # the point
    async with await build_client(FromKubeconfig(path=path)) as client:
        with pytest.raises(UnauthenticatedError):
            await KubeApi(client).get(SCALE, namespace, "resnet")


async def test_an_api_server_that_is_away(cluster: Cluster, tmp_path: Path) -> None:
    ports = PortClaims()  # claimed, and nobody listens
    path = with_access(
        cluster, tmp_path / "kubeconfig", server=f"https://127.0.0.1:{ports.claim()}"
    )
    async with await build_client(FromKubeconfig(path=path)) as client:
        with pytest.raises(UnreachableError):
            await KubeApi(client).get(SCALE, "default", "resnet")
    ports.release()


async def test_nothing_is_sent_when_the_lease_is_about_to_end(
    cluster: Cluster, kube: KubeClient, namespace: str
) -> None:
    remaining = 0.4
    async with await build_client(FromKubeconfig(path=cluster.kubeconfig)) as client:
        api = KubeApi(client, fence=lambda: remaining)
        with pytest.raises(FencedOffError):
            await api.create(CONFIG_MAPS, namespace, {"metadata": {"name": "late"}})
        remaining = 5.0
        await api.create(CONFIG_MAPS, namespace, {"metadata": {"name": "in-time"}})
    assert kube.find("v1", "ConfigMap", "late", namespace=namespace) is None
    assert kube.find("v1", "ConfigMap", "in-time", namespace=namespace) is not None


async def test_a_long_list_is_read_in_full(
    api: KubeApi, kube: KubeClient, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference_cost.act.kube_api.LIST_CHUNK", 3)
    for number in range(8):
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{number}"}}
        kube.apply(manifest, namespace=namespace)
    found = await api.list_all(CONFIG_MAPS)
    names = {o["metadata"]["name"] for o in found if o["metadata"]["namespace"] == namespace}
    assert {f"c{number}" for number in range(8)} <= names
