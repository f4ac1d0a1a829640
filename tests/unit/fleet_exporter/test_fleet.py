"""Pods that come, start, restart and go under loads that change, in virtual time."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from e2e.rig.fleet_exporter.fleet import Fleet, NotServingError
from e2e.rig.fleet_exporter.loads import ArrivalProcess, Load, Step
from e2e.rig.fleet_exporter.pods import SimulatedPod, read_pod
from e2e.rig.fleet_exporter.triton_settings import ANNOTATION, TritonSettings

NAMESPACE = "team"
SELECTOR = {"app": "resnet"}


@dataclass(slots=True)
class World:
    """A fleet with a clock to turn."""

    now: float = 1000.0
    fleet: Fleet = field(init=False)

    def __post_init__(self) -> None:
        self.fleet = Fleet(lambda: self.now)

    def after(self, seconds: float) -> None:
        self.now += seconds

    def pod(self, name: str, **changes: object) -> SimulatedPod:
        pod = replace(_pod(name), **changes)  # type: ignore[arg-type]
        self.fleet.put_pod(pod)
        return pod

    def success(self, name: str) -> int:
        return int(sample(self.fleet.page(NAMESPACE, name), "nv_inference_request_success"))

    def gateway(self, series: str) -> float:
        return sample(self.fleet.gateway_page(), series)


def _pod(name: str) -> SimulatedPod:
    return SimulatedPod(
        key=(NAMESPACE, name),
        node="node",
        identity=f"{name}/0",
        ready=True,
        terminating=False,
        labels={**SELECTOR, "pod-template-hash": "1"},
    )


def load(rate: float, **options: object) -> Load:
    given = {"arrivals": ArrivalProcess.REGULAR, **options}
    return Load.model_validate(
        {"namespace": NAMESPACE, "selector": SELECTOR, "requests_per_second": rate, **given}
    )


def sample(page: str, series: str) -> float:
    """Sum of the series whose name and labels begin so."""
    found = re.findall(rf"^{re.escape(series)}[^\n]* (\S+)$", page, re.MULTILINE)
    assert found, series
    return sum(float(value) for value in found)


@pytest.fixture
def world() -> World:
    return World()


def test_a_load_is_split_evenly_over_the_ready_pods(world: World) -> None:
    for name in "abc":
        world.pod(name)
    world.pod("not-ready", ready=False)
    world.fleet.put_load(load(60))
    world.after(100)
    assert [world.success(name) for name in "abc"] == pytest.approx([2000] * 3, abs=20)


def test_a_pod_that_becomes_ready_gets_its_share_from_then_on(world: World) -> None:
    world.fleet.put_load(load(20))
    world.pod("a")
    world.after(10)
    world.pod("b")
    world.after(10)
    assert world.success("a") == pytest.approx(300, abs=5)
    assert world.success("b") == pytest.approx(100, abs=5)


def test_series_are_at_zero_on_the_first_page(world: World) -> None:
    world.fleet.put_load(load(50))
    world.pod("a")
    assert world.success("a") == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ready": False}, "not Ready"),
        ({"problem": "maxBatchSize: too small"}, "maxBatchSize"),
    ],
)
def test_a_server_that_does_not_run_has_no_page(
    world: World, changes: dict[str, object], reason: str
) -> None:
    world.pod("a", **changes)
    with pytest.raises(NotServingError, match=reason):
        world.fleet.page(NAMESPACE, "a")


def test_an_unknown_pod_has_no_page(world: World) -> None:
    with pytest.raises(NotServingError, match="no simulated pod team/nobody"):
        world.fleet.page(NAMESPACE, "nobody")


@pytest.mark.parametrize("identity", ["a/1", "other-uid/0"], ids=["restart", "same name, new pod"])
def test_counters_begin_anew_with_a_new_server(world: World, identity: str) -> None:
    world.fleet.put_load(load(50))
    pod = world.pod("a")
    world.after(10)
    assert world.success("a") > 400
    world.fleet.put_pod(replace(pod, identity=identity))
    assert world.success("a") == 0
    world.after(2)
    assert 80 < world.success("a") < 110


def test_a_change_of_labels_keeps_the_counters(world: World) -> None:
    world.fleet.put_load(load(50))
    pod = world.pod("a")
    world.after(10)
    before = world.success("a")
    world.fleet.put_pod(replace(pod, labels={**pod.labels, "note": "x"}))
    assert world.success("a") == before > 400


def test_a_terminating_pod_gets_nothing_new_and_finishes_what_it_has(world: World) -> None:
    # Forty requests at once are five batches.
    steps = (
        Step(after_seconds=0, requests_per_second=4000),
        Step(after_seconds=0.01, requests_per_second=10),
    )
    world.fleet.put_load(load(0, requests_per_second=None, steps=steps))
    pod = world.pod("a")
    world.after(0.02)
    world.fleet.put_pod(replace(pod, terminating=True))
    before = world.success("a")
    world.after(10)
    assert before < 10
    assert world.success("a") == pytest.approx(40, abs=2)


def test_a_new_load_replaces_the_old_and_keeps_the_counters(world: World) -> None:
    world.pod("a")
    world.fleet.put_load(load(10))
    world.after(10)
    world.fleet.put_load(load(50))
    world.after(10)
    assert world.success("a") == pytest.approx(600, abs=10)
    assert len(world.fleet.workloads()) == 1


def test_without_load_nothing_moves(world: World) -> None:
    world.pod("a")
    world.fleet.put_load(load(10))
    world.after(10)
    assert world.fleet.remove_load(load(10).key)
    assert not world.fleet.remove_load(load(10).key)
    world.after(10)
    before = world.success("a")
    world.after(10)
    assert world.success("a") == before == pytest.approx(100, abs=2)


def test_a_slower_template_makes_slower_pods(world: World) -> None:
    world.pod("a", settings=TritonSettings(alpha_milliseconds=300))
    world.fleet.put_load(load(100))
    world.after(20)
    page = world.fleet.page(NAMESPACE, "a")
    assert sample(page, "nv_inference_pending_request_count") > 1000


def test_the_gateway_sees_latencies_and_answers(world: World) -> None:
    world.pod("a")
    world.fleet.put_load(load(10, service="resnet"))
    world.after(60)
    cluster = 'envoy_cluster_name="team/resnet"'
    answered = world.gateway(f"envoy_cluster_upstream_rq_time_count{{{cluster}}}")
    total = world.gateway(f"envoy_cluster_upstream_rq_time_sum{{{cluster}}}")
    assert answered == pytest.approx(600, abs=5)
    # Ten a second, evenly: each finds an idle server.
    assert total / answered == pytest.approx(46, abs=0.1)
    assert world.gateway(f"envoy_cluster_membership_healthy{{{cluster}}}") == 1


def test_requests_without_a_ready_pod_are_503_at_the_gateway(world: World) -> None:
    world.fleet.put_load(load(10, service="resnet"))
    world.after(30)
    world.pod("a")
    world.after(30)
    errors = 'envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"'
    assert world.gateway(errors) == pytest.approx(300, abs=3)


def test_requests_over_the_queue_limit_show_at_the_gateway_alone(world: World) -> None:
    world.pod("a", settings=TritonSettings(max_queue_size=10))
    world.fleet.put_load(load(300, service="resnet"))
    world.after(60)
    page = world.fleet.page(NAMESPACE, "a")
    assert sample(page, "nv_inference_request_failure") == 0
    assert sample(page, "nv_inference_pending_request_count") in range(11)
    errors = world.gateway('envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"')
    assert errors == pytest.approx(200 * 60, rel=0.05)


def test_each_family_is_on_the_gateway_page_once(world: World) -> None:
    for name in ("resnet", "bert"):
        world.fleet.put_load(load(10, selector={"app": name}, service=name))
    types = [line for line in world.fleet.gateway_page().splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types)) > 5
    assert world.gateway("envoy_cluster_membership_healthy") == 0


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"requests_per_second": 1, "steps": ({"after_seconds": 0, "requests_per_second": 1},)},
        {"requests_per_second": -1},
        {"steps": ({"after_seconds": 5, "requests_per_second": 1},)},
        {"trace": {"day": 99}},
        {"requests_per_second": 1, "speed": 2},
    ],
    ids=["no rate", "two rates", "negative", "late first step", "no such day", "unknown field"],
)
def test_impossible_loads_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Load"):
        Load.model_validate({"namespace": NAMESPACE, "selector": SELECTOR, **given})


def test_a_pod_is_read_from_its_object() -> None:
    manifest: dict[str, Any] = {
        "metadata": {
            "name": "a",
            "namespace": NAMESPACE,
            "uid": "u",
            "labels": SELECTOR,
            "annotations": {ANNOTATION: '{"alphaMilliseconds": 20}'},
        },
        "spec": {"nodeName": "gpu-1"},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"restartCount": 2}],
        },
    }
    assert read_pod(manifest) == SimulatedPod(
        key=(NAMESPACE, "a"),
        node="gpu-1",
        identity="u/2",
        ready=True,
        terminating=False,
        labels=SELECTOR,
        settings=TritonSettings(alpha_milliseconds=20),
    )
    manifest["metadata"]["annotations"] = {ANNOTATION: "{}{"}
    assert read_pod(manifest).problem
