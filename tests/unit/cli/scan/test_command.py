"""`scan` as a person calls it: what is printed, what is said of what may not be read, and that nothing stops the rest.

`UPDATE_GOLDEN=1 pytest …` writes the expected output anew; look at the difference before it is committed.
"""

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from inference_cost.api.parse import parse_policy
from inference_cost.cli.scan.amounts import Amounts
from inference_cost.cli.scan.document import ScanDocument
from inference_cost.cli.scan.page import to_page
from inference_cost.cli.scan.table import to_table, to_yaml
from inference_cost.cli.scan.words import summary
from tests.unit.cli.api import Api, api_server
from tests.unit.cli.scan.clusters import deployment, fleet, hpa, node, scaled_object
from tests.unit.cli.test_command import kubeconfig, run

GOLDEN = Path(__file__).parent / "golden"
TWO = [
    *fleet("nlp", "bert", 2),
    *fleet("vision", "resnet", 3),
    hpa("vision", "resnet"),
    node("spare"),
]


def scanned(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    *arguments: str,
) -> tuple[int, str, str]:
    with api_server(api) as url:
        config = kubeconfig(folder, url)
        code = run(monkeypatch, "scan", "--kubeconfig", config, *arguments)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def expect(name: str, text: str, folder: Path = GOLDEN) -> None:
    file = folder / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


CLUSTERS: dict[str, tuple[Api, tuple[str, ...]]] = {
    "nothing": (Api(), ()),
    "no-triton": (Api([node("a"), node("b", gpus=8, instance_type="moon.1"), deployment("web", "w", 2, "nginx")]), ()),
    "no-prometheus": (Api(TWO), ()),
    "keda": (
        Api([*fleet("vision", "resnet", 2), scaled_object("vision", "resnet")], absent=frozenset({"nodeoverlays"})),
        (),
    ),
    "view-of-one-namespace": (
        Api(
            [*TWO, *fleet("team-a", "own", 1)],
            forbidden=frozenset({"deployments", "statefulsets", "pods", "nodes", "services",
                                 "horizontalpodautoscalers", "inferencecostpolicies", "capacitypools",
                                 "scaledobjects"}),
            in_namespaces=frozenset({"team-a"}),
        ),
        (),
    ),
    "no-nodes": (Api(TWO, forbidden=frozenset({"nodes"})), ("-n", "vision", "--price-per-node-hour", "1.10")),
    "euros": (Api(TWO), ("-n", "vision", "--currency", "EUR", "--price-per-node-hour", "1.10")),
    "prometheus-does-not-answer": (Api(TWO), ("-n", "nlp", "--prometheus-url", "http://127.0.0.1:9")),
}  # fmt: skip


@pytest.mark.parametrize("name", CLUSTERS)
def test_what_is_printed(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    api, arguments = CLUSTERS[name]
    code, out, err = scanned(api, monkeypatch, capsys, tmp_path, *arguments)
    assert (code, err) == (0, "")
    assert "\033[" not in out
    assert all(path.startswith(("/api/v1/", "/apis/")) for path in api.asked)
    expect(f"{name}.txt", out)


def test_every_form_carries_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, text, _ = scanned(Api(TWO), monkeypatch, capsys, tmp_path, "-o", "json")
    document = json.loads(text)
    assert ScanDocument.model_validate(document).model_dump(mode="json", by_alias=True) == document
    assert [one["name"] for one in document["workloads"]] == ["bert", "resnet"]
    assert document["totals"]["perHour"] == "4.02"
    file = tmp_path / "page.html"
    scanned(Api(TWO), monkeypatch, capsys, tmp_path, "-o", "html", "-O", str(file))
    page = file.read_text()
    assert page.count("<section>") == 4
    assert "vision/Deployment/resnet" in page
    assert not re.search(r"(src|href)=|@import|url\(", page), "nothing is loaded from elsewhere"


def open_tags(page: str) -> list[str]:
    """What is not closed at its end, or not in order."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, *_: object) -> None:
            if tag != "meta":
                found.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert found.pop() == tag

    Reader().feed(page)
    return found


def filled() -> ScanDocument:
    """A document with a saving, and with names that must not become markup."""
    return ScanDocument.model_validate_json((GOLDEN / "document.json").read_text())


def test_a_saving_as_table_page_and_objects() -> None:
    document = filled()
    expect("saving.txt", to_table(document, color=False))
    page = to_page(document)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    saving = document.workloads[0].saving
    assert saving is not None
    assert f"{saving.today.attained_percent:.2f} %" in page
    assert document.workloads[0].verdict in page
    assert open_tags(page) == []
    for printed in yaml.safe_load_all(to_yaml(document.workloads)):
        if printed is not None:
            parse_policy(printed, strict=True)
    assert to_table(document, color=True).startswith("\033[1m")


def test_every_number_of_the_page_is_that_of_the_json() -> None:
    document = filled()
    plain = document.model_dump(mode="json", by_alias=True)
    figures = re.findall(
        r'<data value="([^"]*)" data-at="([^"]*)">([^<]*)</data>', to_page(document)
    )
    for value, path, shown in figures:
        found: Any = plain
        for part in path.split("."):
            found = found[int(part) if part.isdecimal() else part]
        assert str(found) == value, path
        number = re.search(r"-?[\d,.]+", shown)
        assert number, shown
        assert float(number[0].replace(",", "")) == pytest.approx(float(value), rel=1e-5), path
    shown_at = {path for _, path, _ in figures}
    saving = "workloads.0.saving"
    for path in ("perMonth", "error", "nodeCostPercent", "errorPercent", "replicaHoursPercent"):
        assert f"{saving}.{path}" in shown_at
    sides = {f"{saving}.{side}.perHour" for side in ("today", "policy")}
    assert sides | {"workloads.0.perHour", "pools.0.perHour"} <= shown_at


def test_another_currency_is_nowhere_written_as_dollars(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = filled()
    told = [replaced.model_copy(update={"verdict": ""}) for replaced in document.workloads]
    euros = document.model_copy(
        update={
            "currency": "EUR",
            "workloads": tuple(told),
            "summary": summary(document.workloads, document.totals, "all", Amounts("EUR")),
        }
    )
    for text in (to_table(euros, color=False), to_page(euros)):
        assert "$" not in text
        assert "1,538.68 EUR" in text or "1,539 EUR" in text
    price = ("--currency", "EUR", "--price-per-node-hour", "1.10")
    for form in ("table", "html", "yaml"):
        _, out, _ = scanned(Api(TWO), monkeypatch, capsys, tmp_path, *price, "-o", form)
        assert "$" not in out


def test_the_summary_adds_up_what_is_known_and_names_the_rest() -> None:
    document = filled()
    assert summary(document.workloads, document.totals, "all", Amounts("USD")) == document.summary
    assert "without nlp/bert: no price" in document.summary


USAGE = {
    "no time": ("--from", "yesterday"),
    "no price": ("--price-per-node-hour", "cheap"),
    "a free node": ("--price-per-node-hour", "0"),
    "no percentage": ("--target", "120"),
    "no service": ("--prometheus-service", "prometheus"),
    "no address": ("--prometheus-url", "prometheus:9090"),
    "a header without a file": ("--prometheus-url", "http://127.0.0.1:9", "--prometheus-header-file", "X"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", USAGE)
def test_wrong_usage(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    code, out, err = scanned(Api(), monkeypatch, capsys, tmp_path, *USAGE[sentence])
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {USAGE[sentence][-2]}")
    assert err.count("\n") == 1


def test_an_api_server_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = kubeconfig(tmp_path, "http://127.0.0.1:9")
    assert run(monkeypatch, "scan", "--kubeconfig", config) == 1
    assert capsys.readouterr().err.startswith(
        "error: cannot reach the API server http://127.0.0.1:9: "
    )


def test_help_does_not_load_what_a_scan_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "scan", "--help") == 0


def service(name: str, *ports: Any) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": "monitoring"},
        "spec": {"ports": [{"port": port} for port in ports]},
    }


def test_a_prometheus_of_the_cluster_is_forwarded_and_a_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A kubectl that may not forward ends the attempt, not the scan."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\necho "error: pods \\"p\\" is forbidden" >&2\nexit 1\n')
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    api = Api([*TWO, service("prometheus-operated", 9090)])
    code, out, _ = scanned(api, monkeypatch, capsys, tmp_path, "-o", "json")
    assert code == 0
    [unread] = json.loads(out)["unread"]
    assert unread["why"].startswith(
        'port-forward to monitoring/prometheus-operated:9090: pods "p" is forbidden; '
    )
