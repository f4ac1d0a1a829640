"""Re-lists against a real API server: pages, absent kinds, missing rights, an expired page token."""

from collections.abc import AsyncIterator

import pytest
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import (
    DEPLOYMENT,
    NAMESPACE,
    SCALED_OBJECT,
    WATCHED_KINDS,
    WatchedKind,
)
from inference_cost.observe.kubernetes_reader import AsyncKubernetesReader, ReadFailedError
from inference_cost.observe.resync import list_records, relist

NAMESPACE_NAME = "observe-relist"
CONFIG_MAPS = WatchedKind(kind="ConfigMap", group="", version="v1", plural="configmaps")


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[ApiClient]:
    configuration = Configuration()
    await config.load_kube_config(
        config_file=str(cluster.kubeconfig), client_configuration=configuration
    )
    async with ApiClient(configuration) as found:
        yield found


@pytest.fixture
def reader(client: ApiClient) -> AsyncKubernetesReader:
    return AsyncKubernetesReader(client)


def deployment(name: str) -> dict[str, object]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE_NAME},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "c"}]},
            },
        },
    }


@pytest.fixture(scope="module")
def deployments(kube: KubeClient) -> list[str]:
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE_NAME}})
    names = [f"triton-{i}" for i in range(3)]
    for name in names:
        kube.apply(deployment(name))
    return names


async def test_the_real_objects_are_in_the_cache_and_absent_kinds_are_recorded(
    reader: AsyncKubernetesReader, deployments: list[str]
) -> None:
    cache = ClusterCache()
    required = [k for k in WATCHED_KINDS if k.kind != "InferenceCostPolicy"]
    assert await relist(reader, cache, required) == {}
    assert {r.name for r in cache.scale_targets(NAMESPACE_NAME)} == set(deployments)
    found = cache.scale_target("Deployment", NAMESPACE_NAME, deployments[0])
    assert found is not None
    assert (found.desired_replicas, found.api_version) == (3, "apps/v1")
    assert cache.namespace(NAMESPACE_NAME) is not None
    assert "not installed" in cache.unavailable[SCALED_OBJECT.kind]


async def test_pages_follow_one_another(
    reader: AsyncKubernetesReader, deployments: list[str]
) -> None:
    first = await reader.list_page(DEPLOYMENT, limit=2, continue_token="")
    assert len(first["items"]) == 2
    token = first["metadata"]["continue"]
    second = await reader.list_page(DEPLOYMENT, limit=500, continue_token=token)
    names = {i["metadata"]["name"] for page in (first, second) for i in page["items"]}
    assert set(deployments) <= names


async def test_a_page_token_that_does_not_hold_is_refused_with_its_status(
    reader: AsyncKubernetesReader,
) -> None:
    with pytest.raises(ReadFailedError) as caught:
        await reader.list_page(NAMESPACE, limit=1, continue_token="x" * 8)
    assert caught.value.status in (400, 410)


async def test_a_token_without_rights_is_refused_with_the_verb_named(cluster: Cluster) -> None:
    configuration = Configuration()
    await config.load_kube_config(
        config_file=str(cluster.kubeconfig), client_configuration=configuration
    )
    configuration.api_key = {"BearerToken": "Bearer nobody"}
    configuration.refresh_api_key_hook = None
    async with ApiClient(configuration) as stranger:
        with pytest.raises(ReadFailedError) as caught:
            await list_records(AsyncKubernetesReader(stranger), CONFIG_MAPS)
    assert caught.value.status in (401, 403)
    assert "list configmaps" in str(caught.value)


async def test_a_server_that_is_gone_is_no_answer() -> None:
    async with ApiClient(Configuration(host="http://127.0.0.1:1")) as nowhere:
        with pytest.raises(ReadFailedError) as caught:
            await list_records(AsyncKubernetesReader(nowhere, timeout_seconds=1.0), NAMESPACE)
    assert caught.value.status == 0
    assert "no answer" in str(caught.value)
