"""A hundred policies in a world that does not change: what the operator asks for and writes per tick."""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from e2e.rig.cluster import Cluster
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.fleet_exporter.loads import ArrivalProcess
from e2e.rig.fleet_exporter.simulated_fleet import SimulatedFleet
from e2e.rig.kube import KubeClient, Manifest, condition, wait_for
from e2e.rig.kwok.nodes import add_nodes, kwok_node
from e2e.rig.serving import policy
from tests.integration.control.operators import OperatorProcess

NAMESPACE, ACCOUNT = "steady", "operator"
POLICIES, RATE = 100, 50.0
TICKS, TICK_SECONDS = 20, 1.0
QUERIES_PER_TICK = 10
# DESIGN: statuses and checkpoints together, per second.
WRITE_BUDGET_PER_SECOND = 1.0
SETTLE_SECONDS, QUIET_SECONDS = 60.0, 6.0
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
SETTINGS = {
    "INFERENCE_COST_LOOP__TICK_SECONDS": str(TICK_SECONDS),
    "INFERENCE_COST_DECISION__RATE_WINDOW_SECONDS": "8",
    "INFERENCE_COST_DECISION__START_UP_SECONDS_PRIOR": "10",
    "INFERENCE_COST_GATEWAY__PRESET": "envoy",
    "INFERENCE_COST_BACKFILL__DAYS": "0",  # reads the past beside the ticks, once
    # The first statuses of all policies at once; the steady state is held to the default budget.
    "INFERENCE_COST_WRITES__STATUS_PER_SECOND": "100",
    "INFERENCE_COST_WRITES__STATUS_BURST": "1000",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts of the operator's doings so far, taken from those it did them to."""

    ticks: float
    tick_seconds: float
    queries: float
    writes: Counter[str]

    def since(self, before: "Reading") -> "Reading":
        return Reading(
            self.ticks - before.ticks,
            self.tick_seconds - before.tick_seconds,
            self.queries - before.queries,
            self.writes - before.writes,
        )


class Meter:
    """Reads the operator's own metrics, Prometheus' and the API server's audit log."""

    def __init__(self, operator: OperatorProcess, cluster: Cluster, http: requests.Session) -> None:
        self._operator = operator
        self._cluster = cluster
        self._http = http

    def read(self) -> Reading:
        own = self._operator.get("/metrics")[1]
        duration = "inference_cost_pass_duration_seconds"
        return Reading(
            ticks=_sum(own, rf'{duration}_count{{phase="decide"}}'),
            tick_seconds=_sum(own, rf"{duration}_sum{{.*}}"),
            queries=self._queries(),
            writes=self.writes(),
        )

    def writes(self) -> Counter[str]:
        """Finished writes of the operator's ServiceAccount, by resource."""
        user = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
        found: Counter[str] = Counter()
        for line in self._cluster.audit_log.read_text().splitlines():
            if user not in line:
                continue
            event = json.loads(line)
            target = event.get("objectRef", {})
            if event["verb"] in WRITES and event["stage"] == "ResponseComplete":
                subresource = target.get("subresource", "")
                found[f"{target['resource']}/{subresource}".rstrip("/")] += 1
        return found

    def _queries(self) -> float:
        page = self._http.get(f"{self._cluster.prometheus_url}/metrics", timeout=5).text
        return _sum(
            page,
            r'prometheus_http_requests_total{.*handler="/api/v1/(query|query_range|series)".*}',
        )


def _sum(page: str, series: str) -> float:
    found = re.findall(
        rf"^{series} (\S+)$".replace("{", r"\{").replace("}", r"\}"), page, re.MULTILINE
    )
    return sum(float(value[-1] if isinstance(value, tuple) else value) for value in found)


def _others(writes: Counter[str]) -> Counter[str]:
    return Counter({name: n for name, n in writes.items() if name != "leases"})


@pytest.fixture
def world(client: KubeClient, exporter: ExporterClient) -> Iterator[None]:
    """A hundred fleets of one, each under an even load."""
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    client.apply_files(*sorted(Path("crds").glob("*.yaml")))
    add_nodes(client, kwok_node("steady", gpus=POLICIES))
    wait_for(
        lambda: client.find("v1", "ServiceAccount", "default", namespace=NAMESPACE),
        timeout_seconds=10,
        what="the default ServiceAccount",
    )
    client.apply(*_account())
    fleets = [SimulatedFleet(name=f"fleet-{n}", namespace=NAMESPACE) for n in range(POLICIES)]
    for fleet in fleets:
        client.apply(*fleet.manifests(), _policy(fleet))
    wait_for(
        lambda: sum(condition(pod, "Ready") == "True" for pod in _pods(client)) == POLICIES,
        timeout_seconds=30,
        what="all pods to be Ready",
    )
    # Not sooner: requests without a pod would be late ones.
    for fleet in fleets:
        exporter.set_load(fleet.load(RATE, arrivals=ArrivalProcess.REGULAR, gateway=True))
    yield
    for fleet in fleets:
        exporter.remove_load(fleet.load(RATE))
    client.delete("v1", "Namespace", NAMESPACE)


def test_a_quiet_world_is_read_with_few_queries_and_not_written(
    world: None,
    watched: Cluster,
    client: KubeClient,
    http: requests.Session,
    tmp_path: Path,
) -> None:
    del world
    kubeconfig = watched.service_account_kubeconfig(ACCOUNT, namespace=NAMESPACE)
    settings = {**SETTINGS, "INFERENCE_COST_PROMETHEUS__URL": str(watched.prometheus_url)}
    with OperatorProcess("steady", kubeconfig, tmp_path, settings) as operator:
        meter = Meter(operator, watched, http)
        settle(client, meter)
        before = meter.read()
        wait_for(
            lambda: meter.read().ticks >= before.ticks + TICKS,
            timeout_seconds=TICKS * TICK_SECONDS * 2,
            what="twenty ticks",
            poll=0.5,
        )
        quiet = meter.read().since(before)
        operator.terminate()
    sys.stdout.write(
        f"{quiet.ticks:.0f} ticks over {POLICIES} policies: {quiet.tick_seconds / quiet.ticks:.3f} s and "
        f"{quiet.queries / quiet.ticks:.1f} queries each, writes {dict(quiet.writes)}\n"
    )
    # A tick is counted when it has decided; one may have asked already and not decided yet.
    assert quiet.queries <= QUERIES_PER_TICK * (quiet.ticks + 1)
    assert quiet.writes["leases"] > 0
    others = _others(quiet.writes)
    assert set(others) <= {"inferencecostpolicies/status", "inferencecostcheckpoints"}
    assert others.total() <= WRITE_BUDGET_PER_SECOND * TICKS * TICK_SECONDS


def settle(client: KubeClient, meter: Meter) -> None:
    """Wait until every policy has its metrics and nothing but the Lease was written for a while."""
    wait_for(
        lambda: sum(map(_measured, _policies(client))) == POLICIES,
        timeout_seconds=SETTLE_SECONDS,
        what="metrics of every policy",
        poll=1.0,
    )
    deadline = time.monotonic() + SETTLE_SECONDS
    last, since = _others(meter.writes()), time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        now = _others(meter.writes())
        if now != last:
            last, since = now, time.monotonic()
        assert time.monotonic() < deadline, f"it goes on writing: {now}"
        time.sleep(0.5)


def _pods(client: KubeClient) -> list[Manifest]:
    return client.list("v1", "Pod", namespace=NAMESPACE)


def _policies(client: KubeClient) -> list[Manifest]:
    return client.list("inferencecost.dev/v1alpha1", "InferenceCostPolicy", namespace=NAMESPACE)


def _measured(found: Manifest) -> bool:
    conditions = {c["type"]: c["status"] for c in found.get("status", {}).get("conditions", ())}
    return conditions.get("MetricsAvailable") == conditions.get("SLOMet") == "True"


def _policy(fleet: SimulatedFleet) -> Manifest:
    return policy(fleet, minimum=1, maximum=6)  # type: ignore[arg-type]  # name and namespace


def _account() -> list[Manifest]:
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": NAMESPACE},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "steady-operator"},
            "roleRef": role,
            "subjects": [subject],
        },
    ]
