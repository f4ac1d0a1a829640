"""`reconcile` over objects as the API server would return them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from inference_cost.account.ledger.build import ledger
from inference_cost.account.ledger.history import Span, Use
from inference_cost.account.reconcile.focus import COLUMNS
from inference_cost.account.reconcile.opencost import compare
from inference_cost.api.placeholders import POOL_LABEL
from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError
from inference_cost.cli.reconcile import listing
from inference_cost.cli.reconcile.history import Objects, history_of
from inference_cost.cli.reconcile.listing import (
    Asked,
    bill_cells,
    comparison_cells,
    comparison_json,
    read_bill,
)
from inference_cost.cli.reconcile.output import Output
from tests.unit.observe.world import (
    NOW,
    Object,
    deployment,
    metadata,
    node,
    owner,
    pod,
    policy,
    rfc3339,
)

HOUR = 3600.0
WINDOW = Span(begin=NOW - HOUR, end=NOW)


def priced(instance_type: str = "g6.xlarge") -> Object:
    return {
        "metadata": metadata("l4", namespace=""),
        "spec": {
            "nodeSelector": {"matchLabels": {"node.kubernetes.io/instance-type": instance_type}},
            "offerings": [{"instanceType": instance_type, "perNodeHour": "2.00"}],
        },
    }


def machine(name: str, *, ready_at: float = NOW - 3600, provider: str = "") -> Object:
    made = node(name)
    made["status"]["conditions"][0]["lastTransitionTime"] = rfc3339(ready_at)
    made["spec"] = {"providerID": provider} if provider else {}
    return made


def bound(made: Object, at: float) -> Object:
    made["status"]["conditions"].append(
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": rfc3339(at)}
    )
    return made


def objects(**changes: Any) -> Objects:
    """gpu-1 with a replica since half an hour, ready since ten minutes; gpu-2 with nothing but a DaemonSet's pod."""
    daemon = pod(
        "exporter",
        app="dcgm",
        node="gpu-2",
        ownerReferences=owner("DaemonSet", "dcgm"),
        namespace="gpu",
    )
    daemon["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "392m"}}
    found: dict[str, Any] = {
        "policies": [policy(spec={"costCenter": "search"})],
        "pools": [priced()],
        "nodes": [machine("gpu-1", provider="aws:///a/i-0abc"), machine("gpu-2")],
        "pods": [bound(pod("resnet-1"), NOW - HOUR / 2), daemon],
        "deployments": [deployment()],
        "stateful_sets": [],
    }
    return Objects(**(found | changes))


def test_lives_and_stays_are_those_of_the_objects() -> None:
    history, identifiers = history_of(objects(), "USD")
    by_name = {life.node.name: life for life in history.nodes}
    assert by_name["gpu-1"].ready_at == NOW - HOUR
    assert identifiers == {"gpu-1": "aws:///a/i-0abc", "gpu-2": "gpu-2"}
    replica, daemon = history.stays
    assert (replica.bound_at, replica.ready_at) == (NOW - HOUR / 2, NOW - 600)
    assert (replica.owner.use, replica.owner.variant) == (Use.REPLICA, "default")
    assert replica.owner.cost_center == "search"
    assert daemon.owner.use is Use.OVERHEAD


def test_a_placeholder_holds_a_place_for_replicas_to_come() -> None:
    held = bound(
        pod("warm-l4-1", app="warm-l4", node="gpu-2", labels={POOL_LABEL: "l4"}), NOW - HOUR / 2
    )
    history, _ = history_of(objects(pods=[held]), "USD")
    assert [stay.owner.use for stay in history.stays] == [Use.WARM]


def test_a_node_that_was_away_for_a_while_has_not_booted_again() -> None:
    old = machine("gpu-1", ready_at=NOW - 60)  # made an hour ago
    history, _ = history_of(objects(nodes=[old]), "USD")
    assert history.nodes[0].ready_at == NOW - HOUR


def test_pods_that_ended_or_wait_and_nodes_without_gpus_are_not_in_it() -> None:
    pods = [pod("done", phase="Succeeded"), pod("waits", node="")]
    without = machine("cpu-1")
    del without["status"]["allocatable"]["nvidia.com/gpu"]
    history, _ = history_of(objects(pods=pods, nodes=[machine("gpu-1"), without]), "USD")
    assert history.stays == ()
    assert [life.node.name for life in history.nodes] == ["gpu-1"]


# By hand: a node's GPU is worth 0.95, its CPU 3.92 x 0.031611, its memory 14 x 0.004237; together 2 an hour.
GOLDEN = [
    {"owner": "vision/resnet", "ledger": "1.0000", "opencost": "0.8560"},
    {"owner": "(overhead)", "ledger": "0.0667", "opencost": "0.0073"},
    {"owner": "(idle)", "ledger": "2.9333", "opencost": "3.1367"},
]


def test_the_hour_beside_opencost() -> None:
    history, _ = history_of(objects(), "USD")
    made = ledger(history, WINDOW)
    found = compare(made, history)
    cells = comparison_cells(found.rows)
    assert [{k: row[k] for k in GOLDEN[0]} for row in cells] == GOLDEN
    assert cells[0] == {
        "owner": "vision/resnet",
        "ledger": "1.0000",
        "opencost": "0.8560",
        "gpu": "0.8383",
        "cpu": "0.0139",
        "memory": "0.0037",
        "difference": "0.1440",
        "by-largest-share": "0.1440",
        "node-boot": "0.0000",
        "unrecorded": "0.0000",
    }
    told = json.loads(json.dumps(comparison_json(found, made)))
    assert [one["opencost"] for one in told["nodes"]] == ["2.0000", "2.0000"]


HEAD = "ResourceId,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,BillingCurrency,EffectiveCost,ListCost"


def billed(folder: Path, *lines: str) -> list[dict[str, str]]:
    file = folder / "export.csv"
    file.write_text("\ufeff" + "\r\n".join((HEAD, *lines)))
    history, identifiers = history_of(objects(), "USD")
    asked = Asked(since="-1h", until="now", focus=str(file), currency="USD")
    found = read_bill(ledger(history, WINDOW), identifiers, asked)
    return [bill_cells(one) for one in found.nodes]


def test_the_hour_beside_the_bill(tmp_path: Path) -> None:
    period = f"{rfc3339(NOW - HOUR)},{rfc3339(NOW)}"
    assert billed(tmp_path, f"i-0abc,Usage,{period},USD,1.60,2.40") == [
        {
            "node": "gpu-1",
            "resource": "i-0abc",
            "ledger": "2.0000",
            "billed": "1.6000",
            "list": "2.4000",
            "difference": "0.4000",
            "error": "25.00%",
        },
        {
            "node": "gpu-2",
            "resource": "gpu-2",
            "ledger": "2.0000",
            **dict.fromkeys(("billed", "list", "difference", "error"), ""),
        },
    ]


def test_a_contract_is_paid_whether_its_nodes_run_or_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three nodes at 1.50 of which two run: what OpenCost calls idle is not paid at the list's 2.00."""
    monkeypatch.setattr(listing.time, "time", lambda: NOW)
    file = tmp_path / "export.csv"
    period = f"{rfc3339(NOW - HOUR)},{rfc3339(NOW)}"
    file.write_text(f"{HEAD}\ni-0abc,Usage,{period},USD,1.50,2.00\n")
    asked = Asked(
        since="-1h", until="now", focus=str(file), currency="USD", commitments=("l4=3@1.50",)
    )
    api = Api(objects())
    listing.show(Cluster(api, api, "default"), asked, Output.TABLE)
    printed = capsys.readouterr().out
    assert "0.0000      0.00%" in printed
    assert "Commitments that nobody used: 1.5000." in printed


COMMITMENTS: dict[str, tuple[str, str, str]] = {
    "no number of nodes": ("l4=many@1", "export.csv", "must be POOL=NODES@PRICE"),
    "a pool that is not there": ("t4=1@1", "export.csv", "there is no pool t4; there are l4"),
    "nothing to compare with": ("l4=1@1", "", "--commitment goes with --focus"),
}


@pytest.mark.parametrize("sentence", COMMITMENTS)
def test_a_commitment_that_is_none_is_said(sentence: str) -> None:
    text, focus, why = COMMITMENTS[sentence]
    history, _ = history_of(objects(), "USD")
    asked = Asked(since="-1h", until="now", focus=focus, currency="USD", commitments=(text,))
    with pytest.raises(CommandError, match=why):
        listing.commitments_of(asked, history, WINDOW)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"ResourceId\n", "line 1: no column"),
        (b"\xff\xfe\x00", "codec can't decode"),
        (None, "there is no file"),
    ],
)
def test_an_export_that_cannot_be_read_is_said(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    file = tmp_path / "export.csv"
    if content is not None:
        file.write_bytes(content)
    history, identifiers = history_of(objects(), "USD")
    asked = Asked(since="-1h", until="now", focus=str(file), currency="USD")
    with pytest.raises(CommandError, match=why):
        read_bill(ledger(history, WINDOW), identifiers, asked)


class Answer:
    def __init__(self, items: list[Object]) -> None:
        self.data = json.dumps({"items": items})


class Api:
    """The calls of the client that are made here."""

    def __init__(self, found: Objects) -> None:
        self.found = found

    def list_cluster_custom_object(self, _group: str, _version: str, plural: str, **_: Any) -> Any:
        items = {
            "inferencecostpolicies": self.found.policies,
            "capacitypools": self.found.pools,
            "deployments": self.found.deployments,
            "statefulsets": self.found.stateful_sets,
        }
        return {"items": items[plural]}

    def list_node(self, **_: Any) -> Answer:
        return Answer(self.found.nodes)

    def list_pod_for_all_namespaces(self, **_: Any) -> Answer:
        return Answer(self.found.pods)


@pytest.mark.parametrize("output", Output)
def test_the_command_reads_all_of_it_and_says_what_is_not_in_it(
    output: Output, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing.time, "time", lambda: NOW)
    api = Api(objects(pools=[priced("other")]))
    for one in api.found.nodes:
        one["metadata"]["labels"]["node.kubernetes.io/instance-type"] = "unheard.of"
    asked = Asked(since="-1h", until="now", focus="", currency="USD")
    listing.show(Cluster(api, api, "default"), asked, output)
    printed = capsys.readouterr()
    assert "note: not in these amounts: " in printed.err
    assert "unheard.of" in printed.err
    assert "vision/resnet" in printed.out
    if output is not Output.TABLE:
        assert yaml.safe_load(printed.out)["notIncluded"], "JSON is YAML as well"
    else:
        assert "2 nodes" in printed.out.splitlines()[-1]


def test_a_node_that_may_be_several_resources_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing.time, "time", lambda: NOW)
    file = tmp_path / "export.csv"
    times = f"{rfc3339(NOW - HOUR)},{rfc3339(NOW)}"
    rows = [f"{folder}/gpu-2,Usage,{times},USD,4,5" for folder in "pq"]
    file.write_text("\n".join([",".join(COLUMNS), *rows]))
    asked = Asked(since="-1h", until="now", focus=str(file), currency="USD")
    listing.show(Cluster(Api(objects()), Api(objects()), "default"), asked, Output.JSON)
    printed = capsys.readouterr()
    assert "note: gpu-2: several nodes or resources of the export are named gpu-2" in printed.err
    assert json.loads(printed.out)["ambiguous"] == ["gpu-2"]
