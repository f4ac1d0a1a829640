"""`/scale` on the real API server: who is recorded as the writer, and what a conflict does."""

from typing import Any

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient
from inference_cost.act.kube_api import FIELD_MANAGER, Json, KubeApi
from inference_cost.act.resources import Resource
from inference_cost.act.scale import ScaleOrder, ScaleOutcome, other_manager, write_scale
from inference_cost.control.kube_client import FromKubeconfig, build_client
from inference_cost.model.policy import TargetRef

RESNET = TargetRef(api_version="apps/v1", kind="Deployment", name="resnet")


def order(namespace: str, uid: str, *, current: int = 3, desired: int = 5) -> ScaleOrder:
    return ScaleOrder(namespace=namespace, target=RESNET, uid=uid, current=current, desired=desired)


def stored(kube: KubeClient, namespace: str) -> dict[str, Any]:
    return kube.get("apps/v1", "Deployment", "resnet", namespace=namespace)


async def test_a_write_is_recorded_under_our_name_and_for_scale_alone(
    api: KubeApi, kube: KubeClient, namespace: str, target: str
) -> None:
    result = await write_scale(api, order(namespace, target))
    assert result.outcome is ScaleOutcome.WRITTEN
    found = stored(kube, namespace)
    assert found["spec"]["replicas"] == 5
    (ours,) = [f for f in found["metadata"]["managedFields"] if f["manager"] == FIELD_MANAGER]
    assert ours["subresource"] == "scale"
    assert ours["fieldsV1"] == {"f:spec": {"f:replicas": {}}}


async def test_replicas_that_changed_since_they_were_seen_are_left_alone(
    api: KubeApi, kube: KubeClient, namespace: str, target: str
) -> None:
    kube.scale("resnet", 7, namespace=namespace)
    result = await write_scale(api, order(namespace, target))
    assert (result.outcome, result.live) == (ScaleOutcome.CHANGED_MEANWHILE, 7)
    assert stored(kube, namespace)["spec"]["replicas"] == 7


async def test_a_write_in_between_makes_ours_a_conflict(
    cluster: Cluster, kube: KubeClient, namespace: str, target: str
) -> None:
    class Overtaken(KubeApi):
        """Someone else writes between our read and our write."""

        async def get(self, resource: Resource, namespace: str, name: str) -> Json:
            scale = await super().get(resource, namespace, name)
            kube.scale("resnet", 8, namespace=namespace)
            return scale

    async with await build_client(FromKubeconfig(path=cluster.kubeconfig)) as client:
        result = await write_scale(Overtaken(client), order(namespace, target))
    assert result.outcome is ScaleOutcome.CHANGED_MEANWHILE
    assert stored(kube, namespace)["spec"]["replicas"] == 8


async def test_a_target_made_anew_is_left_alone(
    api: KubeApi, kube: KubeClient, namespace: str, target: str
) -> None:
    assert target
    result = await write_scale(api, order(namespace, "uid-of-an-earlier-deployment"))
    assert result.outcome is ScaleOutcome.CHANGED_MEANWHILE
    assert stored(kube, namespace)["spec"]["replicas"] == 3


async def test_zero_replicas_are_zero_and_not_absent(
    api: KubeApi, kube: KubeClient, namespace: str, target: str
) -> None:
    kube.scale("resnet", 0, namespace=namespace)
    result = await write_scale(api, order(namespace, target, current=0, desired=2))
    assert (result.outcome, result.live) == (ScaleOutcome.WRITTEN, 0)


async def test_who_undid_our_write_is_named(
    api: KubeApi, kube: KubeClient, namespace: str, target: str
) -> None:
    await write_scale(api, order(namespace, target))
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/resnet"
    kube.request(
        "PATCH",
        path,
        body={"spec": {"replicas": 3}},
        content_type="application/merge-patch+json",
        query={"fieldManager": "argocd-controller"},
    )
    assert await other_manager(api, namespace, RESNET) == "argocd-controller"
