"""What a person sees: `kubectl get icp`, the commands of the plugin, prices and GPUs."""

import json
from decimal import Decimal

import pytest

from e2e.rig.kube import Manifest, wait_for
from e2e.rig.providers import Capability
from e2e.scenarios.early import EarlyFleets
from e2e.scenarios.installation import succeeded
from e2e.scenarios.kubectl_table import columns
from e2e.scenarios.scene import Scene
from e2e.scenarios.start import NODE_PRICE
from e2e.scenarios.targets import POLICY_VERSION

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES)

POOL_PRICE = Decimal("2.50")


def test_printer_columns(early: EarlyFleets) -> None:
    """`kubectl get icp` answers at a glance: objective, replicas, cost per hour, health."""
    fleet, scene = early.steady, early.steady.scene
    scene.wait_told(fleet.name, "SLOMet", "True", "Met", within=60)
    table = succeeded(scene.installation.kubectl("get", "icp", "-n", scene.namespace))
    cells = columns(table)
    filled = {name for name, cell in cells.items() if cell and cell != "<none>"}
    assert filled >= set(cells) - {"LIMITED-BY"}, table
    assert cells["MODE"] == "Enforce"
    assert cells["READY"] == "True"
    assert cells["SLO"] in {"Met", "AtRisk"}
    assert int(cells["DESIRED"]) >= 1
    per_replica = Decimal(cells["COST/H"]) / NODE_PRICE
    assert per_replica == pytest.approx(int(per_replica), abs=0.02), "whole nodes at their price"


def test_explain(early: EarlyFleets) -> None:
    """`kubectl inference-cost explain` tells what was seen, expected, chosen, why not fewer, the cost."""
    fleet, scene = early.steady, early.steady.scene
    told = succeeded(
        scene.installation.kubectl("inference-cost", "explain", fleet.name, "-n", scene.namespace)
    )
    for word in ("Seen", "Expected", "Chosen", "Why not fewer", "Cost"):
        assert word in told, told
    assert "requests/s" in told, told
    assert "USD per hour" in told, told


def test_doctor_and_scan(early: EarlyFleets) -> None:
    """`doctor` finds nothing that does not work, and `scan` the fleet, its price and how busy it is."""
    fleet, scene = early.steady, early.steady.scene
    scene.wait_told(fleet.name, "MetricsAvailable", "True", "MetricsFresh", within=60)
    prometheus = scene.installation.cluster.prometheus_url
    assert prometheus is not None
    common = ("-n", scene.namespace, "--prometheus-url", prometheus, "-o", "json")
    kubectl = scene.installation.kubectl
    doctor = json.loads(kubectl("inference-cost", "doctor", *common).stdout)
    levels = {(one["area"], one["level"]) for one in doctor["findings"]}
    broken = [one for one in doctor["findings"] if one["level"] == "problem"]
    assert not broken, broken
    assert levels >= {("Installation", "ok"), ("Rights", "ok"), ("Metrics", "ok")}, doctor

    scan = json.loads(succeeded(kubectl("inference-cost", "scan", *common, "--from", "1h")))
    (found,) = scan["workloads"]
    assert found["name"] == fleet.name
    assert Decimal(found["perHour"]) / NODE_PRICE >= 1
    if found["busyPercent"] is None:  # run alone, it comes before there are five minutes of metrics
        assert found["verdict"].startswith("Cannot be said: "), found
    else:
        assert 0 < found["busyPercent"] <= 100

    told = succeeded(
        kubectl("inference-cost", "explain", fleet.name, "-n", scene.namespace, "--since", "1h")
    )
    assert told.startswith(f"{scene.namespace}/{fleet.name}: the last 1 h"), told
    assert "ScaledOut" in told or "ScaledIn" in told, told


def test_who_pays_what_is_saved_and_whether_others_reckon_the_same(early: EarlyFleets) -> None:
    """`chargeback` from the operator's own counters, `savings`, and `reconcile` with OpenCost's rules."""
    fleet, scene = early.steady, early.steady.scene
    name = f"{scene.namespace}/{fleet.name}"
    kubectl, prometheus = scene.installation.kubectl, scene.installation.cluster.prometheus_url
    assert prometheus is not None
    asked = ("--by", "policy", "--since", "-1h", "--prometheus-url", prometheus, "-o", "json")

    def paid() -> Decimal:
        told = json.loads(succeeded(kubectl("inference-cost", "chargeback", *asked)))
        return {row["name"]: Decimal(row["total"]) for row in told["rows"]}.get(name, Decimal(0))

    # A replica costs a cent in 45 s.
    wait_for(lambda: paid() >= Decimal("0.01"), timeout_seconds=90, what="a cent")

    listed = json.loads(
        succeeded(kubectl("inference-cost", "savings", "-n", scene.namespace, "-o", "json"))
    )
    (saved,) = [one["savings"] for one in listed if one["name"] == fleet.name]
    assert saved["baseline"] == "Observed"
    assert saved["state"] == "Unknown", "it never ran in Recommend"
    assert "Recommend" in saved["message"]

    told = json.loads(succeeded(kubectl("inference-cost", "reconcile", "-o", "json")))
    assert {one["ledger"] for one in told["nodes"]} != {"0.0000"}
    for node in told["nodes"]:
        assert Decimal(node["ledger"]) == pytest.approx(
            Decimal(node["opencost"]), abs=Decimal("0.0001")
        )
    assert name in {one["owner"] for one in told["owners"]}


def test_gpu_utilization_of_cpu_servers(early: EarlyFleets) -> None:
    """The GPU utilization that a CPU Triton does not export is missing, with its reason, never zero."""
    status = early.steady.scene.status(early.steady.name)
    assert status["gpuUtilization"] == {"reason": "NotExported"}
    assert status["slo"]["measuredAt"] == "Gateway"


def pool() -> Manifest:
    return {
        "apiVersion": POLICY_VERSION,
        "kind": "CapacityPool",
        "metadata": {"name": "contract"},
        "spec": {
            "nodeSelector": {"matchLabels": {"karpenter.sh/nodepool": "listed"}},
            "offerings": [{"instanceType": "g6.xlarge", "perNodeHour": str(POOL_PRICE)}],
        },
    }


def test_capacity_pool_overrides_the_price(early: EarlyFleets, scene: Scene) -> None:
    """A CapacityPool replaces the list price in status.cost, and its deletion brings that back."""
    seen, name = early.with_fallback.scene, early.with_fallback.name
    seen.wait_status(name, "replicas", current=1, ready=1)
    seen.wait_status(name, "cost", perHour=str(NODE_PRICE), priceSource="ShippedTable")
    scene.kube.apply(pool())
    try:
        seen.wait_status(name, "cost", perHour=str(POOL_PRICE), priceSource="CapacityPool")
        (placed,) = seen.status(name)["placement"]
        assert placed["pool"] == "contract"
    finally:
        scene.kube.delete(POLICY_VERSION, "CapacityPool", "contract")
    seen.wait_status(name, "cost", perHour=str(NODE_PRICE), priceSource="ShippedTable")
