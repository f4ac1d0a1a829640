"""Which pools ask for warm nodes, which placeholders there are, and who else runs on their nodes."""

from typing import Any

from inference_cost.api.placeholders import POOL_LABEL, TEMPLATE_LABEL
from inference_cost.model.observation import DecisionSettings, PolicyObservation
from inference_cost.model.warm import Asked, WarmPool, WarmSpec
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.nodes import observe_nodes
from inference_cost.observe.observer import Observer, ObserveSettings
from inference_cost.observe.prices import shipped_table
from inference_cost.observe.warm import Declared, warm_pools
from tests.unit.observe import world
from tests.unit.observe.world import NOW, Object, filled, metadata

OWN = "inference-cost"
ON_DEMAND = {"karpenter.sh/capacity-type": "on-demand"}
WARM = {"min": 1, "max": 4}


def pool(name: str = "safe", warm: Object | None = WARM, **annotations: str) -> Object:
    spec: Object = {"nodeSelector": {"matchLabels": ON_DEMAND}}
    if warm is not None:
        spec["warm"] = warm
    meta = metadata(name, namespace="", annotations=annotations)
    return {"kind": "CapacityPool", "metadata": meta, "spec": spec}


def placeholders(name: str = "safe", *, replicas: int = 2, failed: str = "") -> Object:
    labels = {POOL_LABEL: name, TEMPLATE_LABEL: "abc"}
    conditions = [{"type": "ReplicaFailure", "status": "True", "message": failed}] if failed else []
    made = world.deployment(f"warm-{name}", replicas=replicas, namespace=OWN, conditions=conditions)
    made["spec"]["template"]["metadata"]["labels"] = labels
    return made


def holder(name: str, node: str, *, pool_name: str = "safe", **more: Any) -> Object:
    labels = {POOL_LABEL: pool_name, "pod-template-hash": "aaa"}
    made = world.pod(name, app=f"warm-{pool_name}", node=node, namespace=OWN, labels=labels, **more)
    return {**made, "kind": "Pod"}


def gpu(name: str, *, taints: tuple[Object, ...] = (), **more: Any) -> Object:
    made = world.node(name, labels=ON_DEMAND, **more)
    return {**made, "kind": "Node", "spec": {"taints": list(taints)}}


def seen(*objects: Object, observations: tuple[PolicyObservation, ...] = ()) -> dict[str, WarmPool]:
    return seen_in(filled(*objects), observations)


def seen_in(
    cache: ClusterCache, observations: tuple[PolicyObservation, ...] = ()
) -> dict[str, WarmPool]:
    book = PriceBook(cache.capacity_pools(), table=shipped_table(), currency="USD")
    nodes = observe_nodes(cache.nodes(), book.price_of, cache.pods_on, {})
    declared = Declared(pools=tuple(book.declared), unused=frozenset(book.problems))
    return dict(warm_pools(declared, cache, nodes, observations, OWN))


def test_a_pool_that_asks_for_none_is_not_looked_at() -> None:
    assert seen(pool(warm=None), gpu("n1")) == {}
    assert seen(pool(warm={"strategy": "None"}), gpu("n1")) == {}


def test_what_a_pool_asks_for() -> None:
    found = seen(pool(warm=WARM | {"prePullImages": True}))["safe"]
    assert found.spec == WarmSpec(least=1, most=4, pre_pull=True)
    assert found.match_labels == ON_DEMAND
    assert (found.asked, found.holders, found.paused) == (None, (), False)


def test_a_pool_can_be_paused() -> None:
    assert seen(pool(**{"inferencecost.dev/paused": "true"}))["safe"].paused


def test_placeholders_as_they_are() -> None:
    found = seen(
        pool(),
        gpu("n1"),
        gpu("n2"),
        placeholders(failed="exceeded quota"),
        holder("h1", "n1", ready_for=30.0),
        holder("h2", "n2", ready_for=None),
        holder("h3", "", ready_for=None),
        holder("gone", "n1", deletionTimestamp="2027-01-15T08:00:00Z"),
    )["safe"]
    assert found.asked == Asked(
        name="warm-safe",
        uid=f"uid-{OWN}-warm-safe",
        replicas=2,
        template="abc",
        refusal="exceeded quota",
    )
    assert {(one.node, one.ready_at) for one in found.holders} == {
        ("n1", NOW - 30.0), ("n2", None), ("", None),
    }  # fmt: skip
    assert [one.node for one in found.free] == ["n1"]


def test_a_placeholder_on_a_node_that_goes_holds_nothing() -> None:
    taint = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
    assert (
        seen(pool(), gpu("n1", taints=(taint,)), placeholders(), holder("h", "n1"))["safe"].holders
        == ()
    )


def test_placeholders_of_a_pool_that_is_gone_are_asked_for_by_nobody() -> None:
    found = seen(placeholders("old"))["old"]
    assert (found.spec, found.asked is not None) == (None, True)


def test_placeholders_whose_pool_cannot_be_followed_are_left_alone() -> None:
    broken = pool()
    broken["spec"]["warm"] = {"min": 9, "max": 1}
    assert seen(broken, placeholders()) == {}


def test_placeholders_are_left_alone_while_pools_cannot_be_read() -> None:
    cache = filled(pool(), placeholders())
    cache.mark_unavailable("CapacityPool", "forbidden")
    assert seen_in(cache) == {}


def test_deployments_of_others_are_none_of_ours() -> None:
    elsewhere = placeholders()
    elsewhere["metadata"]["namespace"] = "vision"
    assert seen(elsewhere, {**world.deployment("resnet", namespace=OWN)}) == {}


def test_who_else_runs_on_its_nodes() -> None:
    foreign = {**world.pod("other", app="x", node="n2"), "kind": "Pod"}
    found = seen(
        pool(), gpu("n1"), gpu("n2"), gpu("n3"), placeholders(), holder("h1", "n1"), foreign,
        {**world.pod("done", app="x", node="n3", phase="Succeeded"), "kind": "Pod"},
    )["safe"]  # fmt: skip
    assert found.others == {"n2"}


TAINTED = (
    {"key": "team", "value": "ml", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"},
)


def test_taints_that_all_nodes_have_are_tolerated_and_those_of_the_moment_are_not() -> None:
    more = (*TAINTED, {"key": "one", "effect": "NoSchedule"})
    found = seen(pool(), gpu("n1", taints=TAINTED), gpu("n2", taints=more))["safe"]
    assert [(one.key, one.value, one.effect) for one in found.tolerations] == [
        ("team", "ml", "NoSchedule")
    ]


async def test_a_placeholder_uses_nothing_of_a_limit() -> None:
    """Whoever wants its place has it; what another pod holds is gone."""
    bounded = pool()
    bounded["spec"]["limits"] = {"nodes": 5}
    foreign = {**world.pod("other", app="x", node="n2"), "kind": "Pod"}
    observer = Observer(
        cache=filled(bounded, gpu("n1"), gpu("n2"), placeholders(), holder("h1", "n1"), foreign),
        metrics=None,
        models=None,
        settings=ObserveSettings(namespace=OWN),
        decision=DecisionSettings(),
    )
    assert (await observer.observe(NOW)).pools["safe"].others.nodes == 1.0


async def test_the_observer_puts_them_into_the_snapshot() -> None:
    observer = Observer(
        cache=filled(world.policy(), world.deployment(), pool(), gpu("n1"), placeholders(),
                     holder("h1", "n1"), {**world.pod("p", node="n1"), "kind": "Pod"}),
        metrics=None, models=None, settings=ObserveSettings(namespace=OWN),
        decision=DecisionSettings(),
    )  # fmt: skip
    found = (await observer.observe(NOW)).warm["safe"]
    assert [one.node for one in found.holders] == ["n1"]
    assert found.others == frozenset(), "the policy's own pod is no other one's"


def test_images_of_a_template_and_whether_they_need_a_secret() -> None:
    obj = world.deployment(image="triton:1")
    obj["spec"]["template"]["spec"]["initContainers"] = [{"image": "models:2"}]
    obj["spec"]["template"]["spec"]["imagePullSecrets"] = [{"name": "pull"}]
    record = filled(obj).scale_target("Deployment", "vision", "resnet")
    assert record is not None
    assert (record.template_images, record.template_pull_secrets) == (
        ("models:2", "triton:1"),
        True,
    )
