"""Restarts, probes, images and deletion, as `kubectl get pods` shows them."""

import socket
import time

import pytest
import requests

from e2e.rig.addresses import loopback_address
from e2e.rig.process_node.background import ProcessNodes
from tests.integration.process_node.pods import (
    Pods,
    container_status,
    is_ready,
    processes_with,
    restarts,
    waiting_reason,
    workload,
)

pytestmark = pytest.mark.usefixtures("nodes")

HEALTH = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1, "failureThreshold": 1}
HTTP_PORT = [{"name": "http", "containerPort": 8080}]


def test_crash_is_restarted_with_back_off_and_its_exit_code_shown(
    pods: Pods, nodes: ProcessNodes
) -> None:
    pods.create(workload("crash", "crash"))
    pod = pods.wait(
        "crash", lambda p: restarts(p) >= 1 and waiting_reason(p) == "CrashLoopBackOff", "backs off"
    )
    assert container_status(pod)["lastState"]["terminated"]["exitCode"] == 3
    assert pod["status"]["phase"] == "Running"
    assert not is_ready(pod)
    assert "BackOff" in pods.events("crash")
    log = nodes.log_of(pods.namespace, "crash", "main")
    assert log.read_text().count("about to crash") >= 2


def test_failing_liveness_probe_restarts_and_ready_comes_back(pods: Pods) -> None:
    liveness = HEALTH | {"initialDelaySeconds": 2}
    probes = {"livenessProbe": liveness, "readinessProbe": HEALTH, "ports": HTTP_PORT}
    pods.create(workload("unwell", "serve", **probes))
    pod = pods.wait("unwell", is_ready, "is ready")
    address = loopback_address(pod["status"]["podIP"])
    requests.get(f"http://{address}:8080/break", timeout=5)
    pod = pods.wait("unwell", lambda p: restarts(p) == 1 and is_ready(p), "is ready again")
    assert pod["status"]["podIP"] == pods.get("unwell")["status"]["podIP"]
    assert "Liveness" in pods.events("unwell")["Unhealthy"]


def test_startup_probe_that_never_succeeds_restarts(pods: Pods) -> None:
    never = {"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 2}
    pods.create(workload("slow", "serve", startupProbe=never))
    pod = pods.wait("slow", lambda p: restarts(p) >= 1, "is restarted")
    assert not is_ready(pod)
    assert "Startup" in pods.events("slow")["Unhealthy"]


def test_exec_probe_decides_readiness(pods: Pods) -> None:
    probe = {"exec": {"command": ["sh", "-c", "exit 0"]}, "periodSeconds": 1}
    pods.create(workload("exec", "serve", readinessProbe=probe))
    pods.wait("exec", is_ready, "is ready")


def test_stranger_on_the_same_port_does_not_make_a_pod_ready(pods: Pods) -> None:
    with socket.create_server(("0.0.0.0", 0)) as stranger:  # noqa: S104  # a wildcard is the point
        probe = {"tcpSocket": {"port": stranger.getsockname()[1]}, "periodSeconds": 1}
        pods.create(workload("shadowed", "serve", readinessProbe=probe))
        pods.wait_until(lambda: "Started" in pods.events("shadowed"), "the process to run")
        time.sleep(1.5)
        assert not is_ready(pods.get("shadowed"))


def test_unknown_image_waits_as_an_image_that_cannot_be_pulled(pods: Pods) -> None:
    pods.create(workload("unknown", "serve", image="registry.test/nothing-like-it:1"))
    pod = pods.wait("unknown", lambda p: waiting_reason(p) == "ErrImagePull", "says why")
    assert pod["status"]["phase"] == "Pending"
    assert "nothing-like-it" in container_status(pod)["state"]["waiting"]["message"]


def test_missing_key_waits_until_the_config_map_has_it(pods: Pods) -> None:
    source = {"configMapKeyRef": {"name": "later", "key": "mode"}}
    pods.create(workload("later", "$(MODE)", env=[{"name": "MODE", "valueFrom": source}]))
    pods.wait("later", lambda p: waiting_reason(p) == "CreateContainerConfigError", "waits")
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later"}}
    pods.kube.create(config | {"data": {"mode": "graceful"}}, namespace=pods.namespace)
    pods.wait("later", is_ready, "runs")


def test_pod_that_is_not_restarted_completes(pods: Pods) -> None:
    manifest = workload("once", "complete")
    manifest["spec"]["restartPolicy"] = "Never"
    pods.create(manifest)
    pod = pods.wait("once", lambda p: p["status"].get("phase") == "Succeeded", "completes")
    assert container_status(pod)["state"]["terminated"]["reason"] == "Completed"


def test_start_delay_keeps_a_running_pod_unready(pods: Pods) -> None:
    manifest = workload("delayed", "serve", ports=HTTP_PORT, readinessProbe=HEALTH)
    manifest["metadata"]["annotations"] = {"inferencecost.dev/start-delay": "2s"}
    pods.create(manifest)
    pod = pods.wait("delayed", lambda p: p["status"].get("phase") == "Running", "is running")
    started = time.monotonic()
    assert pod["status"]["podIP"]
    assert not is_ready(pod)
    pods.wait("delayed", is_ready, "is ready")
    assert 1.5 < time.monotonic() - started < 5


def test_deletion_runs_the_hook_then_sigterm_then_removes(pods: Pods, nodes: ProcessNodes) -> None:
    hook = {"preStop": {"sleep": {"seconds": 1}}}
    manifest = workload("graceful", "graceful", lifecycle=hook)
    manifest["spec"]["terminationGracePeriodSeconds"] = 10
    pods.create(manifest)
    pods.wait("graceful", is_ready, "runs")
    deleted = time.time()
    pods.delete("graceful")
    pods.wait_gone("graceful")
    log = nodes.log_of(pods.namespace, "graceful", "main").read_text()
    signaled = float(log.split("SIGTERM at ")[1].split()[0])
    assert 1.0 <= signaled - deleted < 2.5
    assert time.time() - deleted < 5
    assert not processes_with(pods.namespace)


def test_process_that_ignores_sigterm_is_killed_with_its_children(
    pods: Pods, nodes: ProcessNodes
) -> None:
    pods.create(workload("stubborn", "stubborn"))
    log = nodes.log_of(pods.namespace, "stubborn", "main")
    pods.wait_until(lambda: log.exists() and log.read_text().count("pid") == 2, "both to run")
    started = time.monotonic()
    pods.delete("stubborn", grace_seconds=3)
    pods.wait_gone("stubborn")
    assert 2.5 < time.monotonic() - started < 6
    assert not processes_with(pods.namespace)


def test_forced_deletion_kills_at_once(pods: Pods, nodes: ProcessNodes) -> None:
    manifest = workload("forced", "stubborn")
    manifest["spec"]["terminationGracePeriodSeconds"] = 60
    pods.create(manifest)
    log = nodes.log_of(pods.namespace, "forced", "main")
    pods.wait_until(lambda: log.exists() and log.read_text().count("pid") == 2, "both to run")
    pods.delete("forced", grace_seconds=0)
    pods.wait_gone("forced")
    deadline = time.monotonic() + 2
    while processes_with(pods.namespace) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_with(pods.namespace)


def test_init_containers_are_refused_in_words(pods: Pods) -> None:
    manifest = workload("init", "serve")
    manifest["spec"]["initContainers"] = [{"name": "first", "image": "workload"}]
    pods.create(manifest)
    pod = pods.wait("init", lambda p: p["status"].get("phase") == "Failed", "is refused")
    assert pod["status"]["reason"] == "InitContainersNotSupported"
