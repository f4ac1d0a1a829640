"""Real Triton servers as pods of a Deployment."""

import time

import psutil
import pytest
import requests

from e2e.rig.addresses import loopback_address
from e2e.rig.kube import KubeClient, Manifest, wait_for
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.process_node.background import ProcessNodes
from e2e.rig.serving import TritonFleet
from tests.integration.process_node.pods import NODE_SELECTOR, TOLERATIONS, Pods

pytestmark = pytest.mark.usefixtures("nodes")

BODY = {"inputs": [{"name": "INPUT0", "shape": [1, 1], "datatype": "FP32", "data": [7.0]}]}


class Fleet:
    def __init__(self, pods: Pods) -> None:
        self.pods = pods
        self.definition = TritonFleet(
            name="sleepy",
            namespace=pods.namespace,
            replicas=0,
            node_selector=NODE_SELECTOR,
            model=SleepyModel(alpha_milliseconds=10, beta_milliseconds=1),
        )
        for manifest in self.definition.manifests():
            if manifest["kind"] == "Deployment":
                template = manifest["spec"]["template"]
                template["spec"] |= {"tolerations": TOLERATIONS}
                # A test need not wait: faster to load, and to leave.
                (container,) = template["spec"]["containers"]
                container["args"] += ["--disable-auto-complete-config", "--exit-timeout-secs=1"]
                container["lifecycle"] = {"preStop": {"sleep": {"seconds": 1}}}
                container["readinessProbe"]["periodSeconds"] = 1
            pods.kube.apply(manifest)

    def scale(self, replicas: int) -> float:
        """Scale and wait until exactly so many are ready; the seconds it took."""
        started = time.monotonic()
        self.pods.kube.scale("sleepy", replicas, namespace=self.pods.namespace)
        wait_for(
            lambda: len(self.endpoints()) == replicas,
            timeout_seconds=30,
            what=f"{replicas} ready servers",
            poll=0.05,
        )
        return time.monotonic() - started

    def endpoints(self) -> list[Manifest]:
        slices = self.pods.kube.list(
            "discovery.k8s.io/v1", "EndpointSlice", namespace=self.pods.namespace
        )
        return [
            endpoint
            for each in slices
            for endpoint in each.get("endpoints") or []
            if endpoint["conditions"]["ready"]
        ]

    def addresses(self) -> list[str]:
        return [loopback_address(endpoint["addresses"][0]) for endpoint in self.endpoints()]


@pytest.fixture
def fleet(pods: Pods) -> Fleet:
    return Fleet(pods)


def test_three_servers_become_ready_answer_and_leave_without_a_trace(
    fleet: Fleet,
) -> None:
    # About 2 s on two idle cores; the bound leaves room for a busy machine.
    assert fleet.scale(3) < 15

    addresses = fleet.addresses()
    assert len(set(addresses)) == 3
    for address in addresses:
        url = f"http://{address}:8000/v2/models/sleepy/infer"
        answer = requests.post(url, json=BODY, timeout=10)
        assert answer.json()["outputs"][0]["data"] == [7.0]
        page = requests.get(f"http://{address}:8002/metrics", timeout=5).text
        assert 'nv_inference_request_success{model="sleepy",version="1"} 1' in page

    running = tritons(fleet.pods)
    assert sum("tritonserver" in process.name() for process in running) == 3
    fleet.scale(0)
    for pod in fleet.pods.list():
        fleet.pods.wait_gone(pod["metadata"]["name"])
    _, alive = psutil.wait_procs(running, timeout=10)
    assert not alive


def test_rollout_to_a_slower_model_never_drops_below_its_replicas(fleet: Fleet) -> None:
    fleet.scale(2)
    before = set(fleet.addresses())
    template = {"metadata": {"annotations": {"rolled": "out"}}}
    fleet.pods.kube.merge(
        "apps/v1",
        "Deployment",
        "sleepy",
        {"spec": {"template": template}},
        namespace=fleet.pods.namespace,
    )
    seen: list[int] = []

    def rolled_out() -> bool:
        addresses = set(fleet.addresses())
        seen.append(len(addresses))
        return len(addresses) == 2 and not addresses & before

    wait_for(rolled_out, timeout_seconds=30, what="the rollout", poll=0.05)
    assert min(seen) >= 2


def test_deleted_node_takes_its_servers_with_it(
    fleet: Fleet, nodes: ProcessNodes, kube: KubeClient
) -> None:
    spec = nodes.spec_of("process-tests")
    fleet.scale(1)
    running = tritons(fleet.pods)
    assert running
    kube.delete("v1", "Node", spec.name)
    _, alive = psutil.wait_procs(running, timeout=5)
    assert not alive
    wait_for(lambda: spec.name not in nodes.names, timeout_seconds=5, what="the node to be off")
    nodes.add(spec)


def tritons(pods: Pods) -> list[psutil.Process]:
    """Return the servers of a namespace and their Python stubs."""
    uids = [pod["metadata"]["uid"] for pod in pods.list()]
    servers = [
        process
        for process in psutil.process_iter(["name"])
        if process.info["name"] == "tritonserver" and _mounts_any(process, uids)
    ]
    return [*servers, *(child for server in servers for child in server.children(recursive=True))]


def _mounts_any(process: psutil.Process, uids: list[str]) -> bool:
    try:
        with open(f"/proc/{process.pid}/mountinfo") as mounts:  # noqa: PTH123
            text = mounts.read()
    except OSError:
        return False
    return any(uid in text for uid in uids)
