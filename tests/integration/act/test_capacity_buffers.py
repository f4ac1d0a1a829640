"""CapacityBuffers on the real API server, by the definition of the Cluster Autoscaler, which no test runs.

What an autoscaler would say is written into the status by hand.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, Manifest, wait_for
from inference_cost.act.kube_api import KubeApi
from inference_cost.control.kube_client import FromKubeconfig, build_client
from inference_cost.model.money import HourlyPrice
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.warm import NodeShape, WarmBy, WarmPlan, WarmPool, WarmSpec
from inference_cost.model.workload import CapacityType, Node
from inference_cost.observe.capacity_pools import DeclaredPool
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import CAPACITY_BUFFER, watched_kinds
from inference_cost.observe.kubernetes_reader import AsyncKubernetesReader
from inference_cost.observe.resync import relist
from inference_cost.observe.warm import Declared, warm_pools
from tests.integration.act.keeping import CLASS, kept, priority_class

DEFINITION = Path(__file__).parent / "definitions/autoscaling.x-k8s.io_capacitybuffers.yaml"
DEFINED = "capacitybuffers.autoscaling.x-k8s.io"
KIND, NAME = ("autoscaling.x-k8s.io/v1beta1", "CapacityBuffer"), "warm-gpus"
SPEC = WarmSpec(least=0, most=5, by=WarmBy.CAPACITY_BUFFER)
POOL = WarmPool(name="gpus", spec=SPEC, match_labels={"pool": "gpus"})
PLAN = WarmPlan(
    pool="gpus",
    wanted=2,
    free=0,
    lost=0,
    uses=0,
    reasons=(),
    shape=NodeShape(gpus=4, cpu_millicores=500, memory_bytes=2**30),
)
UNPRICED: HourlyPrice | Missing = Missing(reason=MissingReason.PRICE_UNKNOWN)
NODE = Node(
    name="n0",
    pool="gpus",
    capacity_type=CapacityType.ON_DEMAND,
    instance_type="g6.12xlarge",
    zone="",
    gpu_product="NVIDIA-L4",
    allocatable_gpus=4,
    created_at=0.0,
    ready=True,
    price=UNPRICED,
)
DECLARED = Declared(
    pools=(DeclaredPool(name="gpus", match_labels={"pool": "gpus"}, prices=(), warm=SPEC),)
)


@pytest.fixture
async def reader(cluster: Cluster) -> AsyncIterator[AsyncKubernetesReader]:
    client = await build_client(FromKubeconfig(path=cluster.kubeconfig))
    async with client:
        yield AsyncKubernetesReader(client)


@pytest.fixture
def own(kube: KubeClient) -> Iterator[str]:
    name = f"buffer-{uuid4().hex[:8]}"
    kube.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, priority_class()
    )
    yield name
    if kube.find("scheduling.k8s.io/v1", "PriorityClass", CLASS):
        kube.delete("scheduling.k8s.io/v1", "PriorityClass", CLASS)
    kube.delete("v1", "Namespace", name)
    kube.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", DEFINED)


async def seen(reader: AsyncKubernetesReader, namespace: str) -> WarmPool:
    """As the operator sees it, with three empty nodes."""
    cache = ClusterCache(watched_kinds((), capacity_buffers=True))
    assert await relist(reader, cache, (CAPACITY_BUFFER,)) == {}
    nodes = {name: replace(NODE, name=name) for name in ("n0", "n1", "n2")}
    return warm_pools(DECLARED, cache, nodes, (), namespace)["gpus"]


async def test_life_of_a_buffer(
    api: KubeApi, reader: AsyncKubernetesReader, kube: KubeClient, own: str
) -> None:
    before = await seen(reader, own)
    assert "autoscaling.x-k8s.io/v1beta1 cannot be read" in before.unserved
    kube.apply_files(DEFINITION)

    await kept(api, own, PLAN, POOL)
    stored = kube.get(*KIND, NAME, namespace=own)
    assert stored["spec"] == {
        "podTemplateRef": {"name": NAME},
        "provisioningStrategy": "buffer.x-k8s.io/active-capacity",
        "replicas": 2,
    }
    assert _requests(kube, own)["nvidia.com/gpu"] == "4"
    made = await seen(reader, own)
    assert (made.unserved, made.holders) == ("", ()), "no autoscaler has looked at it"

    _autoscaler_says(kube, own, {"replicas": 2})
    taken_up = await seen(reader, own)
    assert [one.node for one in taken_up.free] == ["n0", "n1"]

    larger = replace(PLAN, wanted=3, shape=NodeShape(gpus=8, cpu_millicores=500, memory_bytes=1))
    await kept(api, own, larger, taken_up)
    assert kube.get(*KIND, NAME, namespace=own)["spec"]["replicas"] == 3
    assert _requests(kube, own)["nvidia.com/gpu"] == "8"
    assert (await seen(reader, own)).asked != taken_up.asked

    await kept(api, own, replace(PLAN, wanted=0), await seen(reader, own))
    assert kube.find(*KIND, NAME, namespace=own) is None
    assert kube.find("v1", "PodTemplate", NAME, namespace=own) is None


async def test_both_go_with_the_priority_class(api: KubeApi, kube: KubeClient, own: str) -> None:
    """Seen by the template alone: the garbage collector takes half a minute to learn of an API that is new."""
    kube.apply_files(DEFINITION)
    await kept(api, own, PLAN, POOL)
    owners = [
        one["metadata"]["ownerReferences"]
        for one in (
            kube.get(*KIND, NAME, namespace=own),
            kube.get("v1", "PodTemplate", NAME, namespace=own),
        )
    ]
    assert owners[0] == owners[1]
    kube.delete("scheduling.k8s.io/v1", "PriorityClass", CLASS)
    wait_for(
        lambda: kube.find("v1", "PodTemplate", NAME, namespace=own) is None,
        timeout_seconds=30,
        what="the garbage collector",
    )


def _requests(kube: KubeClient, namespace: str) -> dict[str, str]:
    template = kube.get("v1", "PodTemplate", NAME, namespace=namespace)["template"]
    found: dict[str, str] = template["spec"]["containers"][0]["resources"]["requests"]
    return found


def _autoscaler_says(kube: KubeClient, namespace: str, status: Manifest) -> None:
    path = f"/apis/{KIND[0]}/namespaces/{namespace}/capacitybuffers/{NAME}/status"
    kube.request(
        "PATCH", path, body={"status": status}, content_type="application/merge-patch+json"
    )
