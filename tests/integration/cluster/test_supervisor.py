"""`cluster-up` and `cluster-down`: whatever happens in between, nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import psutil
import pytest

from e2e.rig import supervisor
from e2e.rig.binaries import Binaries
from e2e.rig.cluster import NoClusterError
from e2e.rig.kube import KubeClient, condition, wait_for

# A cluster that finds its ports taken starts over, so allow for a second start.
DEADLINE_SECONDS = 30


class Rig:
    """The command line of the rig, its clusters in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "dev"

    def command(self, name: str, *options: str) -> list[str]:
        return [sys.executable, "-m", "e2e.rig", name, "--folder", str(self.folder), *options]

    def run(self, name: str, *options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(name, *options),
            cwd=supervisor.REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )

    def up(self) -> "subprocess.CompletedProcess[str]":
        return self.run("cluster-up", "--no-prometheus", "--kwok-nodes", "1")

    def processes(self) -> list[str]:
        """Every process of this machine that works for a cluster in the folder."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            line = " ".join(process.info["cmdline"] or ())
            if str(self.folder) in line and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(line)
        return found

    def wait_until_nothing_runs(self) -> None:
        wait_for(lambda: not self.processes(), timeout_seconds=DEADLINE_SECONDS, what="silence")


@pytest.fixture
def rig(cluster_programs: Binaries, tmp_path: Path) -> Iterator[Rig]:
    assert cluster_programs
    rig = Rig(tmp_path / "clusters")
    yield rig
    rig.run("cluster-down")
    rig.wait_until_nothing_runs()


def port_is_open(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlparse(url).port or 0)) == 0


def test_a_cluster_is_used_and_stopped_as_its_output_says(rig: Rig) -> None:
    said = rig.up()
    assert said.returncode == 0, said.stderr
    cluster = supervisor.running(rig.state)
    assert f"export KUBECONFIG={cluster.kubeconfig}" in said.stdout
    with KubeClient(cluster.kubeconfig) as client:
        nodes = client.list("v1", "Node")
    assert {n["metadata"]["name"] for n in nodes} == {"kwok-0", "process-0"}
    assert {condition(node, "Ready") for node in nodes} == {"True"}

    again = rig.up()
    assert again.returncode == 1
    assert "already running" in again.stderr

    assert "is stopped" in rig.run("cluster-down").stdout
    assert rig.processes() == []
    assert not port_is_open(cluster.api_url)
    assert "was not running" in rig.run("cluster-down").stdout


def test_a_killed_supervisor_takes_its_cluster_along(rig: Rig) -> None:
    assert rig.up().returncode == 0
    cluster = supervisor.running(rig.state)
    owner = supervisor.owner(rig.state)
    assert owner
    os.kill(owner, signal.SIGKILL)
    rig.wait_until_nothing_runs()
    # A dying process has lost its command line a moment before its sockets.
    wait_for(lambda: not port_is_open(cluster.api_url), timeout_seconds=5, what="a closed port")
    with pytest.raises(NoClusterError):
        supervisor.running(rig.state)
    assert rig.up().returncode == 0, "and the next start is not in its way"


@pytest.mark.parametrize("reached", ["etcd", "kube-apiserver", "kube-scheduler"])
def test_ctrl_c_during_the_start_leaves_nothing(rig: Rig, reached: str) -> None:
    command = rig.command("cluster-up", "--no-prometheus")
    with subprocess.Popen(
        command, cwd=supervisor.REPOSITORY, stderr=subprocess.PIPE, text=True
    ) as starting:
        log = rig.state / "logs" / f"{reached}.log"
        wait_for(log.exists, timeout_seconds=DEADLINE_SECONDS, what=f"{reached}", poll=0.01)
        starting.send_signal(signal.SIGINT)
        _, said = starting.communicate(timeout=DEADLINE_SECONDS)
    assert starting.returncode == 130
    assert "interrupted" in said
    assert rig.processes() == []


def test_a_cluster_that_loses_a_part_says_which_and_ends(rig: Rig) -> None:
    assert rig.up().returncode == 0
    owner = supervisor.owner(rig.state)
    [scheduler] = [
        child for child in psutil.Process(owner).children() if child.name() == "kube-scheduler"
    ]
    scheduler.kill()
    rig.wait_until_nothing_runs()
    assert "kube-scheduler ended early" in (rig.state / "supervisor.log").read_text()
