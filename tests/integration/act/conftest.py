"""The writers' own client on the shared API server, and a namespace per test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient
from inference_cost.act.kube_api import KubeApi
from inference_cost.control.kube_client import FromKubeconfig, build_client
from inference_cost.model.policy import PolicyKey
from tests.integration.act.objects import deployment, policy

CRDS = sorted(Path("crds").glob("*.yaml"))


@pytest.fixture
def namespace(kube: KubeClient) -> Iterator[str]:
    name = f"act-{uuid4().hex[:8]}"
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    kube.delete("v1", "Namespace", name)


@pytest.fixture
async def api(cluster: Cluster) -> AsyncIterator[KubeApi]:
    client = await build_client(FromKubeconfig(path=cluster.kubeconfig))
    async with client:
        yield KubeApi(client)


@pytest.fixture
def target(kube: KubeClient, namespace: str) -> str:
    """Uid of a Deployment named `resnet` with three replicas."""
    (made,) = kube.apply(deployment(replicas=3), namespace=namespace)
    return str(made["metadata"]["uid"])


@pytest.fixture
def key(kube: KubeClient, namespace: str) -> PolicyKey:
    """A stored policy named `resnet`."""
    kube.apply_files(*CRDS)
    (made,) = kube.apply(policy(), namespace=namespace)
    return PolicyKey(namespace=namespace, name="resnet", uid=str(made["metadata"]["uid"]))
