"""One look at everything: few queries whatever the number of policies, and no policy hurts another."""

from typing import Any

import pytest

from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.observation import DecisionSettings, PolicyObservation, Snapshot
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import GatewaySignals, LatencyHistogram, Signals
from inference_cost.model.workload import NoWorkload, Workload
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.observer import Observer, ObserveSettings
from inference_cost.observe.settings import GatewaySettings, PrometheusSettings
from inference_cost.observe.workloads import find_workload
from tests.unit.observe.world import (
    NOW,
    FakeMetrics,
    deployment,
    filled,
    metadata,
    node,
    owner,
    pod,
    policy,
    recorded_window,
    rfc3339,
    service,
    vector,
)

PROMETHEUS = PrometheusSettings(url="http://prometheus", matchers='cluster="c1"')
MOST_QUERIES = 10


def observer(
    cache: ClusterCache,
    metrics: FakeMetrics | None,
    *,
    prometheus: PrometheusSettings = PROMETHEUS,
    gateway: GatewaySettings | None = None,
) -> Observer:
    settings = ObserveSettings(
        prometheus=prometheus, gateway=gateway or GatewaySettings(preset="envoy")
    )
    return Observer(
        cache=cache, metrics=metrics, models=None, settings=settings, decision=DecisionSettings()
    )


async def look(cache: ClusterCache, metrics: FakeMetrics | None, **more: Any) -> Snapshot:
    return await observer(cache, metrics, **more).observe(NOW)


def only(snapshot: Snapshot) -> PolicyObservation:
    [found] = snapshot.observations
    return found


def small_world(*more: dict[str, Any]) -> ClusterCache:
    return filled(policy(), deployment(), service(), pod("a"), node(), *more)


async def test_measured_prices_are_those_of_the_nodes_from_the_second_look_on() -> None:
    metrics = FakeMetrics(*recorded_window("a"))
    metrics.prices = [vector({"node": "gpu-1"}, 0.42)]
    looking = observer(small_world(), metrics)
    sources = []
    for tick in range(2):
        [found] = (await looking.observe(NOW + 15.0 * tick)).nodes.values()
        sources.append(found.price.source if isinstance(found.price, HourlyPrice) else None)
    assert sources == [PriceSource.SHIPPED_TABLE, PriceSource.OPEN_COST]


@pytest.mark.parametrize("disruption", ["", "Drifted"])
async def test_a_node_that_karpenter_gives_up_is_taken_back_unless_that_was_its_plan(
    disruption: str,
) -> None:
    spot = {"karpenter.sh/capacity-type": "spot"}
    planned = [{"type": "DisruptionReason", "status": "True", "reason": disruption}]
    claim = {
        "kind": "NodeClaim",
        "metadata": metadata("spot-x7", namespace="", labels=spot, deletionTimestamp=rfc3339(NOW)),
        "status": {
            "nodeName": "gpu-1",
            "providerID": "aws:///gpu-1",
            "conditions": planned if disruption else [],
        },
    }
    cache = filled(policy(), deployment(), pod("a"), node(labels=spot), claim)
    [found] = (await look(cache, FakeMetrics(*recorded_window("a")))).nodes.values()
    assert found.reclaimed == (not disruption)
    assert bool(found.leaving) == (not disruption)


async def test_a_whole_observation() -> None:
    metrics = FakeMetrics(*recorded_window("a"))
    envoy = {"envoy_cluster_name": "vision/resnet"}
    metrics.gateway = {
        "rq_total": [vector(envoy, 43)],
        "rq_xx": [vector({**envoy, "envoy_response_code_class": "2"}, 43)],
        "rq_time_bucket": [vector({**envoy, "le": "300"}, 40), vector({**envoy, "le": "+Inf"}, 43)],
    }
    snapshot = await look(small_world(), metrics)
    found = only(snapshot)
    assert isinstance(found.workloads[0], Workload)
    assert isinstance(found.signals, Signals)
    assert found.signals.pods[0].models[0].requests == 43
    assert isinstance(found.signals.gateway, GatewaySignals)
    assert isinstance(found.signals.gateway.latency, LatencyHistogram)
    assert isinstance(found.configurations, Missing)
    assert found.conflict is None
    assert set(snapshot.nodes) == {"gpu-1"}
    assert snapshot.at == NOW


ENVOY = {"envoy_cluster_name": "vision/resnet"}
ASLEEP: dict[str, tuple[dict[str, list[Any]], float]] = {
    "nobody asks": ({"rq_total": [vector(ENVOY, 0)]}, 0),
    "a request is turned away": ({"rq_total": [vector(ENVOY, 1)]}, 1),
    "requests are answered 503": (
        {
            "rq_total": [vector(ENVOY, 3)],
            "rq_xx": [vector({**ENVOY, "envoy_response_code_class": "5"}, 3)],
        },
        3,
    ),
}


@pytest.mark.parametrize("case", ASLEEP)
async def test_without_a_pod_a_gateway_still_counts_who_asks(case: str) -> None:
    answers, requests = ASLEEP[case]
    metrics = FakeMetrics()
    metrics.gateway = answers
    world = filled(policy(), deployment(replicas=0), service(), node())
    found = only(await look(world, metrics)).signals
    assert isinstance(found, Signals)
    assert (found.pods, found.sampled_at) == ((), NOW)
    assert isinstance(found.gateway, GatewaySignals)
    assert found.gateway.requests == requests


async def test_without_a_pod_and_without_a_gateway_nothing_is_known() -> None:
    world = filled(policy(), deployment(replicas=0), service(), node())
    found = only(await look(world, FakeMetrics(), gateway=GatewaySettings())).signals
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.NO_READY_PODS


@pytest.mark.parametrize("count", [1, 100])
async def test_the_number_of_queries_does_not_grow_with_the_policies(count: int) -> None:
    names = [f"model-{i}" for i in range(count)]
    objects = [o for n in names for o in (policy(n), deployment(n), pod(f"{n}-0", app=n))]
    metrics = FakeMetrics(*(e for n in names for e in recorded_window(f"{n}-0")))
    snapshot = await look(filled(*objects), metrics)
    assert len(metrics.asked) <= MOST_QUERIES
    assert sum(isinstance(o.signals, Signals) for o in snapshot.observations) == count


async def test_no_tenant_s_string_enters_a_query_and_the_matchers_enter_each() -> None:
    hostile = policy("resnet", spec={"serving": {"models": ['x"}or{a="b']}})
    metrics = FakeMetrics()
    await look(filled(hostile, deployment(), pod("a")), metrics)
    queries = metrics.asked[1:]
    assert len(queries) == 9
    assert all('cluster="c1"' in query for query in queries)
    assert not any("resnet" in query or "vision" in query or "or{" in query for query in queries)


async def test_a_dead_source_is_asked_once_and_every_policy_knows_why() -> None:
    metrics = FakeMetrics()
    dead = Missing(reason=MissingReason.SOURCE_UNREACHABLE, detail="Prometheus: it answered 503")
    metrics.failures["time"] = dead
    snapshot = await look(filled(policy("a"), policy("b"), deployment("a")), metrics)
    assert [o.signals for o in snapshot.observations] == [dead, dead]
    assert len(metrics.asked) == 1


async def test_without_a_url_the_setting_is_named() -> None:
    found = only(await look(small_world(), FakeMetrics(), prometheus=PrometheusSettings()))
    assert isinstance(found.signals, Missing)
    assert found.signals.reason is MissingReason.NOT_CONFIGURED
    assert "prometheus.url" in found.signals.detail


async def test_a_source_whose_clock_is_off_is_asked_in_its_own_time() -> None:
    metrics = FakeMetrics(*recorded_window("a"), clock=NOW)
    cache = small_world()
    ours = NOW - 300  # our clock is five minutes behind the source's
    found = only(await observer(cache, metrics).observe(ours))
    assert isinstance(found.signals, Signals)
    assert found.signals.sampled_at == ours - 5


async def test_refused_policies_are_named_in_the_snapshot() -> None:
    snapshot = await look(small_world(policy("bad", spec={"slo": {}})), FakeMetrics())
    assert [str(r.key) for r in snapshot.refusals] == ["vision/bad"]
    assert [str(o.policy.key) for o in snapshot.observations] == ["vision/resnet"]


async def test_a_missing_target_is_an_observation_with_its_reason() -> None:
    found = only(await look(filled(policy()), FakeMetrics()))
    assert isinstance(found.workloads[0], NoWorkload)
    assert isinstance(found.signals, Missing)


async def test_a_pool_that_is_not_used_is_logged_when_that_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = small_world()
    seeing = observer(cache, FakeMetrics())
    spec: dict[str, Any] = {"nodeSelector": {}}
    broken = {"kind": "CapacityPool", "metadata": metadata("team", namespace=""), "spec": spec}
    cache.apply("CapacityPool", None, broken)
    for _ in range(3):
        await seeing.observe(NOW)
    cache.replace("CapacityPool", [], listed_at=NOW)
    await seeing.observe(NOW)
    told = [vars(r) for r in caplog.records if r.getMessage() == "capacity_pool"]
    assert [(t["pool"], t["problem"] == "none") for t in told] == [("team", False), ("team", True)]


async def test_a_policy_we_fail_at_leaves_the_others_unharmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(cache: ClusterCache, namespace: str, target: Any, **more: Any) -> Any:
        if target.name == "poison":
            raise ZeroDivisionError
        return find_workload(cache, namespace, target, **more)

    monkeypatch.setattr("inference_cost.observe.observer.find_workload", failing)
    cache = small_world(policy("poison"), deployment("poison"))
    snapshot = await look(cache, FakeMetrics(*recorded_window("a")))
    assert isinstance(only(snapshot).signals, Signals)
    assert [(str(r.key), r.internal) for r in snapshot.refusals] == [("vision/poison", True)]


async def test_two_targets_of_one_name_keep_their_pods_apart() -> None:
    labels = {"app": "resnet", "controller-revision-hash": "resnet-1"}
    foreign = pod("resnet-0", labels=labels, ownerReferences=owner("StatefulSet", "resnet"))
    found = only(await look(small_world(foreign), FakeMetrics()))
    assert isinstance(found.workloads[0], Workload)
    assert [p.name for p in found.workloads[0].pods] == ["a"]
