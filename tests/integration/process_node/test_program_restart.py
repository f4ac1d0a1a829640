"""The program of the nodes dies, and a new one takes its pods over."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from e2e.rig.cluster import Cluster
from tests.integration.process_node.conftest import PROGRAMS, wait_until_schedulable
from tests.integration.process_node.pods import (
    Pods,
    is_ready,
    processes_with,
    restarts,
    workload,
)

NODE = "process-tests-restarted"
StartProgram = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start_program(cluster: Cluster, pods: Pods, tmp_path: Path) -> Iterator[StartProgram]:
    """Start the program of the node; all are killed in the end."""
    started: list[subprocess.Popen[bytes]] = []
    arguments = [
        f"--kubeconfig={cluster.rig_kubeconfig}",
        f"--pod-octet={cluster.pods.octet}",
        f"--state={tmp_path}",
        f"--name={NODE}",
        "--label=tests.inferencecost.dev/restarted=true",
        f"--image=workload={sys.executable} -u {PROGRAMS / 'workload.py'}",
    ]

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "e2e.rig.process_node", *arguments]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    pods.kube.delete("v1", "Node", NODE)
    for program in started:
        program.kill()
        program.wait()


def test_killed_program_strands_no_process_and_its_successor_keeps_addresses(
    start_program: StartProgram, cluster: Cluster, pods: Pods
) -> None:
    first = start_program()
    pods.wait_until(lambda: pods.kube.find("v1", "Node", NODE) is not None, "the node to be there")
    wait_until_schedulable(cluster, NODE)
    ready = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    manifest = workload("adopted", "serve", readinessProbe=ready)
    manifest["spec"] |= {"nodeSelector": {"tests.inferencecost.dev/restarted": "true"}}
    pods.create(manifest)
    before = pods.wait("adopted", is_ready, "is ready")
    running = processes_with(pods.namespace)
    assert running

    first.kill()
    _, alive = psutil.wait_procs(running, timeout=5)
    assert not alive

    start_program()
    after = pods.wait("adopted", lambda p: restarts(p) == 1 and is_ready(p), "is ready again")
    assert after["status"]["podIP"] == before["status"]["podIP"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
