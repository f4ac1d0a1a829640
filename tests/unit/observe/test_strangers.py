"""Who else runs on nodes with GPUs."""

from typing import Any

from inference_cost.api.placeholders import POOL_LABEL
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.nodes import observe_nodes
from inference_cost.observe.prices import shipped_table
from inference_cost.observe.strangers import strangers
from tests.unit.account.worlds import observation
from tests.unit.account.worlds import pod as replica
from tests.unit.observe import world
from tests.unit.observe.world import Object, filled

OWN = "inference-cost"


def on_node(name: str, node: str = "gpu-1", **more: Any) -> Object:
    return {**world.pod(name, node=node, **more), "kind": "Pod"}


def daemon(name: str) -> Object:
    made = on_node(name, namespace="logging")
    made["metadata"]["ownerReferences"] = [
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "logs", "controller": True}
    ]
    return made


def test_all_but_replicas_placeholders_and_what_has_ended_and_only_on_gpus() -> None:
    without = world.node("cpu-1")
    del without["status"]["allocatable"]["nvidia.com/gpu"]
    ours = on_node("resnet-1")
    pods = [
        ours,
        daemon("logs-1"),
        on_node("dns", namespace="kube-system"),
        on_node("notebook", namespace="research"),
        on_node("warm", namespace=OWN, labels={POOL_LABEL: "l4"}),
        on_node("done", phase="Succeeded"),
        on_node("elsewhere", node="cpu-1"),
        on_node("waits", node=""),
    ]
    cache = filled(*({**one, "kind": "Node"} for one in (world.node("gpu-1"), without)), *pods)
    book = PriceBook((), table=shipped_table(), currency="USD")
    nodes = observe_nodes(cache.nodes(), book.price_of, cache.pods_on, {})
    seen = observation(replica("resnet-1", "gpu-1", uid=ours["metadata"]["uid"]))
    found = strangers(cache, nodes, [seen], OWN)
    assert {one.name: one.system for one in found["gpu-1"]} == {
        "logs-1": True,
        "dns": True,
        "notebook": False,
    }
    assert found.keys() == {"gpu-1"}
    assert found["gpu-1"][0].gpus == cache.pods_of_node("gpu-1")[0].gpus
    cache.apply("Pod", "DELETED", pods[3])
    assert "notebook" not in {one.name for one in strangers(cache, nodes, [seen], OWN)["gpu-1"]}
