"""The Envoy preset: names to Services, Services to targets, traffic and latency."""

import pytest
from pydantic import ValidationError

from inference_cost.model.policy import TargetRef
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import GatewaySignals, LatencyHistogram
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.gateway import ClusterNames, GatewayTick, gateway_signals, read_gateway
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.queries import TickAnswers
from inference_cost.observe.settings import GatewaySettings
from tests.unit.observe.world import NOW, Entry, deployment, filled, service, vector

ENVOY = GatewaySettings(preset="envoy")
TARGET = TargetRef(api_version="apps/v1", kind="Deployment", name="resnet")
CLUSTER = "vision/resnet"

NAMES = {
    "outbound|8000||resnet.vision.svc.cluster.local": ("vision", "resnet"),
    "outbound|8000|v2|resnet.vision.svc.cluster.local": ("vision", "resnet"),
    "outbound|8000||resnet.vision.svc.cluster.local;": ("vision", "resnet"),
    "vision/resnet": ("vision", "resnet"),
    "vision/resnet:8000": ("vision", "resnet"),
    "inbound|8000||": None,
    "httproute/vision/route/rule/0": None,
    "xds-grpc": None,
    "": None,
}


@pytest.mark.parametrize(("cluster", "expected"), NAMES.items(), ids=repr)
def test_an_upstream_cluster_names_a_service(
    cluster: str, expected: tuple[str, str] | None
) -> None:
    assert ClusterNames(ENVOY).service(cluster) == expected


def cluster(name: str = CLUSTER, **labels: str) -> dict[str, str]:
    return {"envoy_cluster_name": name, **labels}


def tick(
    requests: list[Entry],
    classes: list[Entry] | None = None,
    latency: list[Entry] | None = None,
    waiting: list[Entry] | None = None,
) -> GatewayTick:
    answers = {
        "gateway_requests": Answer(result=requests),
        "gateway_classes": Answer(result=classes or []),
        "gateway_latency": Answer(result=latency or []),
        "gateway_waiting": Answer(result=waiting or []),
    }
    at_now = TickAnswers(at=NOW, clock_offset_seconds=0, window_seconds=60, answers=answers)
    return read_gateway(at_now, ENVOY, ClusterNames(ENVOY))


def world() -> ClusterCache:
    return filled(deployment(), service())


def signals(found: GatewayTick, cache: ClusterCache | None = None) -> GatewaySignals | Missing:
    return gateway_signals(found, cache or world(), "vision", [TARGET])


def test_traffic_of_all_ports_and_gateways_is_summed() -> None:
    found = signals(
        tick(
            [vector(cluster(), 100), vector(cluster("vision/resnet:8001"), 20)],
            [
                vector(cluster(envoy_response_code_class="2"), 90),
                vector(cluster(envoy_response_code_class="5"), 10),
            ],
            [
                vector(cluster(le="100"), 60),
                vector(cluster(le="250"), 95),
                vector(cluster(le="+Inf"), 100),
            ],
            [vector(cluster(), 30), vector(cluster("vision/resnet:8001"), 5)],
        )
    )
    assert found == GatewaySignals(
        seconds=60,
        requests=120,
        responses=100,
        errors=10,
        latency=LatencyHistogram(
            bounds_seconds=(0.1, 0.25, float("inf")), cumulative=(60, 95, 100)
        ),
        waiting=Sample(value=35, at=NOW),
    )


def test_a_gateway_that_does_not_tell_what_it_holds_back_tells_the_rest() -> None:
    found = signals(tick([vector(cluster(), 100)]))
    assert isinstance(found, GatewaySignals)
    assert isinstance(found.waiting, Missing)
    assert isinstance(signals(tick([], waiting=[vector(cluster(), 3)])), Missing)


def test_requests_shed_by_the_gateway_itself_count_as_offered() -> None:
    shed = [
        vector(cluster(envoy_response_code_class="2"), 100),
        vector(cluster(envoy_response_code_class="5"), 40),
    ]
    found = signals(tick([vector(cluster(), 100)], shed))
    assert isinstance(found, GatewaySignals)
    assert (found.requests, found.errors) == (140, 40)


def test_without_buckets_the_latency_is_missing_and_the_load_is_not() -> None:
    found = signals(tick([vector(cluster(), 100)]))
    assert isinstance(found, GatewaySignals)
    assert isinstance(found.latency, Missing)


def test_buckets_never_fall_along_their_bounds() -> None:
    buckets = [vector(cluster(le=le), n) for le, n in (("100", 50.1), ("250", 50), ("+Inf", 51))]
    found = signals(tick([vector(cluster(), 51)], latency=buckets))
    assert isinstance(found, GatewaySignals)
    assert isinstance(found.latency, LatencyHistogram)
    assert found.latency.cumulative == (50.1, 50.1, 51)


def test_values_that_are_no_numbers_are_left_out() -> None:
    found = signals(tick([vector(cluster(), "NaN"), vector(cluster(), 7)]))
    assert isinstance(found, GatewaySignals)
    assert found.requests == 7


def test_a_service_shared_with_another_target_is_ambiguous() -> None:
    other = deployment("other")
    other["spec"]["template"]["metadata"]["labels"] = {"app": "resnet"}
    found = signals(tick([vector(cluster(), 1)]), filled(deployment(), other, service()))
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.AMBIGUOUS
    assert "Deployment/other" in found.detail


def test_a_gateway_without_this_service_says_which_it_has() -> None:
    found = signals(tick([vector(cluster("vision/bert"), 1), vector(cluster("odd|name"), 1)]))
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.EMPTY_RESULT
    assert "vision/bert" in found.detail
    assert "odd|name" in found.detail


def test_traffic_of_an_equal_name_in_another_namespace_is_not_ours() -> None:
    theirs = service()
    theirs["metadata"]["namespace"] = "shop"
    cache = filled(deployment(), service(), theirs)
    assert isinstance(signals(tick([vector(cluster("shop/resnet"), 1)]), cache), Missing)


def test_without_a_preset_the_message_names_the_setting() -> None:
    answers = TickAnswers(at=NOW, clock_offset_seconds=0, window_seconds=60)
    found = read_gateway(answers, GatewaySettings(), ClusterNames(ENVOY))
    assert found.failure is not None
    assert found.failure.reason is MissingReason.NOT_CONFIGURED
    assert "gateway.preset" in found.failure.detail


def test_a_failed_query_is_not_an_empty_gateway() -> None:
    broken = Missing(reason=MissingReason.QUERY_FAILED, detail="x")
    answers = TickAnswers(
        at=NOW, clock_offset_seconds=0, window_seconds=60, answers={"gateway_requests": broken}
    )
    assert read_gateway(answers, ENVOY, ClusterNames(ENVOY)).failure == broken


@pytest.mark.parametrize("pattern", ["(", "(?P<service>.*)"])
def test_a_pattern_that_cannot_work_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="cluster_patterns"):
        GatewaySettings(cluster_patterns=(pattern,))
